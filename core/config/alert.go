package config

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unsilo/unsilo/core"
)

// webhookFunc is the function webhook(url), a receiver of alerts.
func webhookFunc() function.Function {
	receiver := cty.Object(map[string]cty.Type{"kind": cty.String, "url": cty.String})
	return function.New(&function.Spec{
		Description: "A receiver of alerts: a URL that gets a POST request.",
		Params:      []function.Parameter{{Name: "url", Type: cty.String, AllowMarked: true}},
		Type:        function.StaticReturnType(receiver),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.ObjectVal(map[string]cty.Value{"kind": cty.StringVal("webhook"), "url": args[0]}), nil
		},
	})
}

func (l *loader) alerts(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		if l.full() {
			return
		}
		a := Alert{Name: b.Labels[0], Range: rangeOf(b.DefRange())}
		receivers := onlyAttribute(b, "notify")
		before := len(l.diags)
		ctx, reads := l.references(withoutAttributes(b, "notify"), false)
		a.Reads = reads
		if len(l.diags) == before { // otherwise the expression would fail again
			values := l.attributes(withoutAttributes(b, "notify"), fieldsOf{owner: "alert." + a.Name, eval: ctx, shown: []core.Field{
				{Name: "when", Type: core.TypeString, Required: true, Help: "a SELECT; its rows raise the alert"},
				{Name: "notify", Type: core.TypeAny},
			}})
			a.When = text(values, "when")
		}
		told := l.attributes(receivers, fieldsOf{owner: "alert." + a.Name, fields: []core.Field{
			{Name: "notify", Type: core.TypeAny, Required: true, Help: "who is told"},
		}})
		if v, ok := told["notify"]; ok {
			a.Notify = l.receivers(b, v)
		}
		l.project.Alerts = append(l.project.Alerts, a)
	}
}

// onlyAttribute gives the block with one attribute, the others being read otherwise.
func onlyAttribute(b *hclsyntax.Block, name string) *hclsyntax.Block {
	others := slices.DeleteFunc(sortedKeys(b.Body.Attributes), func(other string) bool { return other == name })
	clone := withoutAttributes(b, others...)
	clone.Body.Blocks = nil
	return clone
}

// receivers reads the list of notify.
func (l *loader) receivers(b *hclsyntax.Block, v any) []Notify {
	const try = `Write notify = [webhook(secret("env:ALERT_URL"))]`
	items, ok := v.([]any)
	if !ok || len(items) == 0 {
		l.fail(valueRange(b, "notify"), `Wrong value for "notify"`, fmt.Sprintf("It takes a list of receivers, and this is %s.", emptyOr(v)), try)
		return nil
	}
	var out []Notify
	for i, item := range items {
		m, _ := item.(map[string]any)
		n := Notify{Kind: text(m, "kind"), URL: m["url"]}
		switch address := n.URL.(type) {
		case core.SecretRef:
		case string:
			if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				l.fail(itemRange(b, "notify", i), "The address of a webhook is not a URL", "It starts with https:// and a host.", try)
				continue
			}
		default:
			l.fail(itemRange(b, "notify", i), `Wrong value for "notify"`, "An item is not a receiver.", try)
			continue
		}
		out = append(out, n)
	}
	return out
}

func emptyOr(v any) string {
	if items, ok := v.([]any); ok && len(items) == 0 {
		return "empty"
	}
	return valueWords(v)
}
