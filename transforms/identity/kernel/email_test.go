package kernel_test

import (
	"testing"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

func TestEmailsThatOnlyRepeatANameSayNothing(t *testing.T) {
	tests := []struct {
		a, b string
		want int8
	}{
		{"anna.berg@a.example", "anna.berg@a.example", 0},
		{"anna.berg@a.example", "anna.berg@b.example", kernel.Missing},
		{"anna_berg@a.example", "anna_berg@b.example", kernel.Missing},
		{"anna.berg71@a.example", "anna.berg71@b.example", 1},
		{"lumikki@a.example", "lumikki@b.example", 1},
		{"lumikki@a.example", "lumikkki@b.example", 2},
		{"anna.berg@a.example", "ana.berg@b.example", kernel.Missing},
		{"agent4@a.example", "agent5@a.example", kernel.Missing},
		{"anna.berg@a.example", "tom@b.example", 3},
	}
	for _, test := range tests {
		b := frame.NewBuilder([]frame.Source{{Record: "r"}}, []frame.Column{{Name: "email", Kind: frame.Email}})
		for i, v := range []string{test.a, test.b} {
			b.Record(0, []byte{byte('a' + i)}, 0, 0)
			b.Value(0, []byte(v))
		}
		f := b.Frame()
		c := f.Column("email")
		c.Normalise(func(dst []byte, v string) []byte { return append(dst, v...) })
		if got := kernel.Compare(c).Level(0, 1); got != test.want {
			t.Errorf("%s and %s: level %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
