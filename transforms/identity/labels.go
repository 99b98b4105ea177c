package identity

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// Labels say which records are truly one: as pairs, or as the true entity of each record.
type Labels struct {
	Pairs []LabelledPair
	// Entity of each record; the record is source.stream:key or a bare key.
	Entity map[string]string
}

// A LabelledPair says whether two records are one.
type LabelledPair struct {
	A, B string
	Same bool
}

// recordHeads and entityHeads are names that a label file may give its columns.
var (
	recordHeads = []string{"record", "record_key", "key", "id", "rec_id", "unique_id", "record_id"}
	entityHeads = []string{"cluster", "truth", "entity", "cluster_id", "entity_id", "label", "true_id", "person", "person_id"}
	leftHeads   = []string{"a", "left", "id_a", "id1", "left_id", "ltable_id", "record_a", "ida", "id_left", "l"}
	rightHeads  = []string{"b", "right", "id_b", "id2", "right_id", "rtable_id", "record_b", "idb", "id_right", "r"}
	sameHeads   = []string{"match", "same", "label", "is_match", "verdict"}
)

// ReadLabels reads a CSV file of pairs (columns a and b, and match when not all are) or of
// records with the entity that each belongs to (columns record and cluster, or source,
// stream, record_key and cluster). truth names the entity column when it has another name.
// Of two columns with other names in a file of two, the pairs are a and b.
func ReadLabels(r io.Reader, truth string) (Labels, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	rows, err := in.ReadAll()
	if err != nil {
		return Labels{}, &core.Error{Kind: core.KindData, Op: "read labels", Err: err}
	}
	return labelsOf(rows, truth)
}

// labelsOf reads rows of text, the names of the columns first.
func labelsOf(rows [][]string, truth string) (Labels, error) {
	if len(rows) < 2 {
		return Labels{}, &core.Error{Kind: core.KindData, Op: "read labels", Err: fmt.Errorf("the file has no rows")}
	}
	head := rows[0]
	for i, name := range head {
		head[i] = plainName(strings.TrimPrefix(name, "\ufeff"))
	}
	at := func(names []string) int {
		for _, n := range names {
			if i := slices.Index(head, n); i >= 0 {
				return i
			}
		}
		return -1
	}
	left, right := at(leftHeads), at(rightHeads)
	if left < 0 && right < 0 && at(entityHeads) < 0 && truth == "" && len(head) == 2 {
		left, right = 0, 1 // two lists' ids side by side
	}
	if left >= 0 && right >= 0 {
		return labelled(pairLabels(rows[1:], left, right, at(sameHeads)))
	}
	entity := at(entityHeads)
	if truth != "" {
		entity = slices.Index(head, plainName(truth))
	}
	record := at(recordHeads)
	if entity < 0 || record < 0 || entity == record {
		return Labels{}, &core.Error{Kind: core.KindData, Op: "read labels",
			Err: fmt.Errorf("the columns are neither pairs (a, b) nor records with their entity (record, cluster): %s", strings.Join(rows[0], ", ")),
			Try: "name the entity column with evaluate { truth = ... }"}
	}
	return labelled(entityLabels(rows[1:], record, entity, slices.Index(head, "source"), slices.Index(head, "stream")))
}

// labelled refuses a file whose rows say nothing.
func labelled(l Labels) (Labels, error) {
	if len(l.Pairs) == 0 && len(l.Entity) == 0 {
		return l, &core.Error{Kind: core.KindData, Op: "read labels", Err: fmt.Errorf("no row has both values")}
	}
	return l, nil
}

func pairLabels(rows [][]string, left, right, same int) Labels {
	var l Labels
	for _, row := range rows {
		if max(left, right) >= len(row) {
			continue
		}
		if row[left] == "" || row[right] == "" {
			continue
		}
		p := LabelledPair{strings.TrimSpace(row[left]), strings.TrimSpace(row[right]), true}
		if same >= 0 && same < len(row) {
			switch strings.ToLower(strings.TrimSpace(row[same])) {
			case "0", "false", "no", "n", "cannot_link", "different":
				p.Same = false
			}
		}
		l.Pairs = append(l.Pairs, p)
	}
	return l
}

func entityLabels(rows [][]string, record, entity, source, stream int) Labels {
	l := Labels{Entity: map[string]string{}}
	for _, row := range rows {
		if max(record, entity, source, stream) >= len(row) {
			continue
		}
		name := strings.TrimSpace(row[record])
		if source >= 0 && stream >= 0 {
			name = Record{Source: strings.TrimSpace(row[source]), Stream: strings.TrimSpace(row[stream]), Key: name}.String()
		}
		if value := strings.TrimSpace(row[entity]); value != "" {
			l.Entity[name] = value
		}
	}
	return l
}
