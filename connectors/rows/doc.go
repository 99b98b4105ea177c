// Package rows turns text records (JSON, JSON lines, CSV) into Arrow batches, quickly
// and exactly.
//
// A Reader finds records in a byte stream and appends each of them to a Builder; the
// Builder owns the columns and hands them out as record batches:
//
//	b, err := rows.NewBuilder(rows.Options{})
//	r := rows.NewJSONReader(body, []string{"data", "items"}, rows.Limits{})
//	for {
//		err := r.Next(b) // io.EOF after the last record
//		if b.Full() { batch := b.Take(); … }
//	}
//
// Numbers are never rounded: whole numbers are int64, then decimal128(38, 0), then
// text; declared decimals keep every digit. A record that cannot be made into a row is
// kept, with the reason, for Builder.TakeRejects. An unknown field becomes a new
// nullable column and an inferred column widens when a value does not fit; the next
// batch then has a further schema.
//
// JSON null and a missing member are both null in a column; inside nested JSON text the
// difference stays. The package opens nothing, knows no network, and keeps no position:
// Reader.Offset tells how many bytes are done.
package rows
