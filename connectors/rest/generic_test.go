package rest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

// bordered opens a definition through the generic connector, with a configuration that
// has been to JSON and back as at a process border.
type bordered struct{ def *rest.Definition }

func genericOf(def *rest.Definition) core.Connector { return bordered{def} }

func (b bordered) Spec() core.Spec {
	spec := rest.New(b.def).Spec()
	for i := range spec.Fields {
		spec.Fields[i].Help = "for tests"
	}
	return spec
}

func (b bordered) Open(ctx context.Context, cfg core.Config) (core.Source, error) {
	text, err := json.Marshal(rest.AsGeneric(b.def, cfg))
	if err != nil {
		return nil, err
	}
	var over core.Config
	if err := json.Unmarshal(text, &over); err != nil {
		return nil, err
	}
	return rest.Connector().Open(ctx, over)
}

func TestGeneric(t *testing.T) {
	server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]any{"items": people(0, 5)}) })
	def := define(t, api(siloStream))
	src, err := genericOf(def).Open(t.Context(), core.Config{Values: map[string]any{"base_url": server.URL, "token": "x-token"}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	got := newTable()
	if err := pull(t, src, "people", got, nil); err != nil {
		t.Fatal(err)
	}
	if len(got.rows) != 5 {
		t.Errorf("rows: got %d, want 5", len(got.rows))
	}
	spec := rest.Connector().Spec()
	if spec.Name != "rest" || spec.PluginFamily() != rest.New(def).Spec().PluginFamily() {
		t.Errorf("family: got %q for %q", spec.PluginFamily(), spec.Name)
	}
	for _, values := range []map[string]any{nil, {"definition": "connector \"rest\" \"x\" {"}, {"definition": def.Text(), "config": 7}} {
		if _, err := rest.Connector().Open(t.Context(), core.Config{Values: values}); core.KindOf(err) != core.KindConfig {
			t.Errorf("open with %v: got %v, want a config error", values, err)
		}
	}
}
