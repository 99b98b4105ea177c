package core_test

import (
	"testing"

	"github.com/unsilo/unsilo/core"
)

func TestNearest(t *testing.T) {
	known := []string{"customer_id", "email", "emails", "id", "hmac", "drop"}
	for in, want := range map[string]string{
		"custmer_id": "customer_id", "emial": "email", "EMAIL": "email", "hamc": "hmac", "drp": "drop", "zip": "", "x": "", "": "",
		"customer_identifier": "", "di": "id",
	} {
		if got := core.Nearest(in, known); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
