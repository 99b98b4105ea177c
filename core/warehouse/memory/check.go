package memory

import (
	"errors"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

var (
	errNotText = errors.New("a text is not valid UTF-8")
	errTooWide = errors.New("a value has more than 38 digits")
)

// check refuses values that the column's type does not promise to keep: text that is no
// text, and decimals of more digits than a table can have.
func check(a arrow.Array) error {
	switch a := a.(type) {
	case *array.String, *array.LargeString, *array.StringView:
		return checkText(a)
	case *array.Decimal256:
		for i := range a.Len() {
			if a.IsValid(i) && !a.Value(i).FitsInPrecision(38) {
				return errTooWide
			}
		}
	case *array.Dictionary:
		for i := range a.Len() {
			if a.IsNull(i) {
				continue
			}
			used := array.NewSlice(a.Dictionary(), int64(a.GetValueIndex(i)), int64(a.GetValueIndex(i)+1))
			err := check(used)
			used.Release()
			if err != nil {
				return err
			}
		}
	case *array.RunEndEncoded:
		return check(a.Values())
	case array.ExtensionArray:
		return check(a.Storage())
	case *array.Struct:
		for i := range a.NumField() {
			if err := check(a.Field(i)); err != nil {
				return err
			}
		}
	case array.ListLike:
		return checkLists(a)
	}
	return nil
}

// checkLists looks only at the elements that belong to a list.
func checkLists(a array.ListLike) error {
	for i := range a.Len() {
		if a.IsNull(i) {
			continue
		}
		from, to := a.ValueOffsets(i)
		elements := array.NewSlice(a.ListValues(), from, to)
		err := check(elements)
		elements.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func checkText(a arrow.Array) error {
	for i := range a.Len() {
		if s, _ := textAt(a, i); a.IsValid(i) && !utf8.ValidString(s) {
			return errNotText
		}
	}
	return nil
}
