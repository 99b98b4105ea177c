package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/jackc/pgx/v5"
)

// pgBaseTypes resolves domains to the type they are made of, and gives the modifier that
// the domain fixes.
const pgBaseTypes = `WITH RECURSIVE base(oid, root, typmod) AS (
  SELECT oid, oid, -1 FROM pg_catalog.pg_type WHERE typtype <> 'd'
  UNION ALL
  SELECT d.oid, b.root, CASE WHEN d.typtypmod >= 0 THEN d.typtypmod ELSE b.typmod END
  FROM pg_catalog.pg_type d JOIN base b ON d.typbasetype = b.oid WHERE d.typtype = 'd'
)`

const pgTablesQuery = pgBaseTypes + `
SELECT n.nspname, c.relname, n.nspname = ANY (current_schemas(false)),
  greatest(c.reltuples, 0)::bigint, coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), ''),
  coalesce((SELECT array_agg(ka.attname::text ORDER BY k.place)
    FROM (SELECT i.indrelid, i.indkey, i.indnkeyatts FROM pg_catalog.pg_index i
          WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
            AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute x WHERE x.attrelid = c.oid AND NOT x.attnotnull
              AND x.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
          ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) u
      CROSS JOIN LATERAL unnest((u.indkey::int2[])[0:u.indnkeyatts - 1]) WITH ORDINALITY AS k(num, place)
      JOIN pg_catalog.pg_attribute ka ON ka.attrelid = u.indrelid AND ka.attnum = k.num), '{}'),
  array_agg(a.attname::text ORDER BY a.attnum),
  array_agg(b.root ORDER BY a.attnum),
  array_agg(pg_catalog.format_type(b.root, CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE b.typmod END) ORDER BY a.attnum),
  array_agg(CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE b.typmod END ORDER BY a.attnum),
  array_agg(t.typtype::text ORDER BY a.attnum),
  array_agg(CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0::oid END ORDER BY a.attnum)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN base b ON b.oid = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = b.root
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
  AND `

// pgTablesReadable narrows a listing to what may be read.
const pgTablesReadable = `has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')`

const pgTablesOrder = `
GROUP BY n.nspname, c.relname, c.oid, c.reltuples ORDER BY 1, 2`

func (s *postgresSession) tables(ctx context.Context, ids ...tableID) ([]table, error) {
	filter := pgTablesReadable
	if len(ids) > 0 {
		var alternatives []string
		for _, id := range ids {
			one := "c.relname = " + s.db.literal(id.name)
			if id.schema == "" {
				one += " AND n.nspname = ANY (current_schemas(false))"
			} else {
				one += " AND n.nspname = " + s.db.literal(id.schema)
			}
			alternatives = append(alternatives, "("+one+")")
		}
		filter = "(" + strings.Join(alternatives, " OR ") + ")"
	}
	rows, err := s.conn.Query(ctx, pgTablesQuery+filter+pgTablesOrder)
	if err != nil {
		return nil, s.db.fail(ctx, "list tables", err)
	}
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (table, error) {
		var t table
		var names, declared, kinds []string
		var oids, elems []uint32
		var mods []int32
		err := row.Scan(&t.schema, &t.name, &t.home, &t.rows, &t.help, &t.key, &names, &oids, &declared, &mods, &kinds, &elems)
		for i := range names {
			t.columns = append(t.columns, pgColumn(names[i], oids[i], mods[i], declared[i], kinds[i], elems[i]))
		}
		return t, err
	})
	if err != nil {
		return nil, s.db.fail(ctx, "list tables", err)
	}
	return tables, nil
}

const pgQueryTypes = pgBaseTypes + `
SELECT b.root, pg_catalog.format_type(b.root, q.typmod), t.typtype::text,
  CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0::oid END
FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS q(oid, typmod, place)
JOIN base b ON b.oid = q.oid JOIN pg_catalog.pg_type t ON t.oid = b.root ORDER BY q.place`

func (s *postgresSession) describe(ctx context.Context, query string) (table, error) {
	// The parentheses refuse a second statement.
	desc, err := s.conn.PgConn().Prepare(ctx, "", "SELECT * FROM ("+query+"\n) AS q", nil)
	if err != nil {
		return table{}, s.db.fail(ctx, "check the query", err)
	}
	if len(desc.ParamOIDs) > 0 {
		return table{}, errParameters()
	}
	fields := desc.Fields
	oids, mods := make([]uint32, len(fields)), make([]int32, len(fields))
	names := make([]string, len(fields))
	for i, f := range fields {
		oids[i], mods[i], names[i] = f.DataTypeOID, f.TypeModifier, f.Name
	}
	rows, err := s.conn.Query(ctx, pgQueryTypes, oids, mods)
	if err != nil {
		return table{}, s.db.fail(ctx, "look up types", err)
	}
	i := -1
	columns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (column, error) {
		var root, elem uint32
		var declared, kind string
		err := row.Scan(&root, &declared, &kind, &elem)
		i++
		return pgColumn(names[i], root, mods[i], declared, kind, elem), err
	})
	if err != nil {
		return table{}, s.db.fail(ctx, "look up types", err)
	}
	return table{columns: columns}, nil
}

// The forms in which PostgreSQL sends values; others are cast to text.
const (
	pgBool, pgInt2, pgInt4, pgInt8, pgOID = "bool", "int2", "int4", "int8", "oid"
	pgFloat4, pgFloat8, pgNumeric         = "float4", "float8", "numeric"
	pgText, pgBytes, pgUUID, pgJSONB      = "text", "bytea", "uuid", "jsonb"
	pgDate, pgTimestamp, pgInstant        = "date", "timestamp", "timestamptz"
	pgMoney, pgArray                      = "money", "array"
)

// pgForms gives form and type for the object ids of built-in types; these never change.
func pgForm(oid uint32) (string, arrow.DataType) {
	switch oid {
	case 16:
		return pgBool, arrow.FixedWidthTypes.Boolean
	case 21:
		return pgInt2, arrow.PrimitiveTypes.Int16
	case 23:
		return pgInt4, arrow.PrimitiveTypes.Int32
	case 20:
		return pgInt8, arrow.PrimitiveTypes.Int64
	case 26:
		return pgOID, arrow.PrimitiveTypes.Int64
	case 700:
		return pgFloat4, arrow.PrimitiveTypes.Float32
	case 701:
		return pgFloat8, arrow.PrimitiveTypes.Float64
	case 25, 1043, 1042, 19, 114:
		return pgText, arrow.BinaryTypes.String
	case 17:
		return pgBytes, arrow.BinaryTypes.Binary
	case 2950:
		return pgUUID, arrow.BinaryTypes.String
	case 3802:
		return pgJSONB, arrow.BinaryTypes.String
	case 1082:
		return pgDate, arrow.FixedWidthTypes.Date32
	case 1114:
		return pgTimestamp, &arrow.TimestampType{Unit: arrow.Microsecond}
	case 1184:
		return pgInstant, arrow.FixedWidthTypes.Timestamp_us
	case 790:
		return pgMoney, &arrow.Decimal128Type{Precision: 23, Scale: 4}
	}
	return formText, arrow.BinaryTypes.String
}

// pgColumn decides how a column is read.
func pgColumn(name string, oid uint32, mod int32, declared, kind string, elem uint32) column {
	c := column{name: name, declared: declared, precision: -1}
	c.form, c.arrow = pgForm(oid)
	switch {
	case kind == "e":
		c.form = pgText
	case oid == 1700:
		if d, ok := pgDecimal(mod); ok {
			c.form, c.arrow = pgNumeric, d
		}
	case elem != 0 && oid != 22 && oid != 30: // int2vector and oidvector are no plain arrays
		if form, t := pgForm(elem); form != formText && form != pgMoney {
			c.form, c.elem, c.arrow = pgArray, form, arrow.ListOf(t)
		} else if d, ok := pgDecimal(mod); ok && elem == 1700 {
			c.form, c.elem, c.arrow = pgArray, pgNumeric, arrow.ListOf(d)
		}
	}
	switch c.form {
	case pgDate:
		c.clock = clockDate
	case pgTimestamp, pgInstant:
		c.clock = clockLocal
		if c.form == pgInstant {
			c.clock = clockUTC
		}
		if mod >= 0 {
			c.precision = int(mod)
		}
	}
	return c
}

// pgDecimal reads the precision and scale of numeric(p,s) out of its modifier.
func pgDecimal(mod int32) (*arrow.Decimal128Type, bool) {
	if mod < 4 {
		return nil, false
	}
	precision := (mod - 4) >> 16 & 0xffff
	scale := ((mod-4)&0x7ff ^ 0x400) - 0x400 // eleven bits, signed
	if precision > 38 || scale < 0 || scale > precision {
		return nil, false
	}
	return &arrow.Decimal128Type{Precision: precision, Scale: scale}, true
}

func errParameters() error {
	return fault("config", "check the query", "query", "write the values into the query", fmt.Errorf("the query has parameters"))
}
