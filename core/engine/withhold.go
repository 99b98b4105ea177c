package engine

import (
	"bytes"
	"encoding/json"
)

// withheld stands in the quarantine for what may not be stored as it came.
const withheld = "(masked)"

// maskRecord hides columns that are masked or left out, and members of an object that are
// no columns: nobody has said that they are not personal. What cannot be taken apart with
// certainty (text, or an object in which a hidden column does not stand at the top) is
// withheld as a whole.
func (s *streamRun) maskRecord(record string) string {
	hide := s.hidden()
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(record), &object) != nil || object == nil {
		if len(hide) == 0 {
			return record
		}
		return withheld
	}
	for _, column := range hide {
		if _, ok := object[column]; !ok {
			return withheld
		}
		object[column] = json.RawMessage(`"` + withheld + `"`)
	}
	changed := s.hideUnknown(object, "") || len(hide) > 0
	if !changed {
		return record
	}
	masked, err := json.Marshal(object)
	if err != nil {
		return withheld
	}
	return string(masked)
}

// hideUnknown withholds the members that are not columns, by their own name or with the
// names of the objects around them; numbers and null tell too little to be hidden from
// whoever mends the record, but for long ones, which may be telephone numbers.
func (s *streamRun) hideUnknown(object map[string]json.RawMessage, prefix string) (changed bool) {
	for name, value := range object {
		if _, ok := s.step.Stream.Field(prefix + name); ok {
			continue
		}
		if _, ok := s.step.Stream.Field(name); ok {
			continue
		}
		var inner map[string]json.RawMessage
		if json.Unmarshal(value, &inner) == nil && inner != nil {
			if !s.hideUnknown(inner, prefix+name+".") {
				continue
			}
			if text, err := json.Marshal(inner); err == nil {
				object[name], changed = text, true
				continue
			}
		} else if harmless(value) {
			continue
		}
		object[name], changed = json.RawMessage(`"`+withheld+`"`), true
	}
	return changed
}

// harmless reports null, true, false and numbers of at most five characters.
func harmless(value json.RawMessage) bool {
	value = bytes.TrimSpace(value)
	switch string(value) {
	case "null", "true", "false", `""`, "[]":
		return true
	}
	return len(value) <= 5 && len(value) > 0 && (value[0] == '-' || '0' <= value[0] && value[0] <= '9')
}

// hidden are the columns whose values may not be stored as they come. A stream that takes
// only some columns hides all others, which cannot be named here: "" stands for them.
func (s *streamRun) hidden() []string {
	var hide []string
	for column, mask := range s.step.Mask {
		if mask != "keep" {
			hide = append(hide, column)
		}
	}
	if s.step.Columns != nil {
		hide = append(hide, "")
	}
	return hide
}
