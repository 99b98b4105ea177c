// Package connectors lists the built-in connectors. It decides nothing and opens
// nothing: a connector is chosen by the name in its Spec.
package connectors

import (
	"slices"
	"strings"

	"github.com/unsilo/unsilo/connectors/file"
	"github.com/unsilo/unsilo/connectors/hubspot"
	"github.com/unsilo/unsilo/connectors/mastodon"
	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/connectors/sim/synthetic"
	"github.com/unsilo/unsilo/connectors/sql"
	"github.com/unsilo/unsilo/connectors/zendesk"
	"github.com/unsilo/unsilo/core"
)

// All returns the built-in connectors, sorted by name.
func All() []core.Connector {
	all := []core.Connector{
		file.Connector(),
		hubspot.Connector(),
		mastodon.Connector(),
		rest.Connector(),
		synthetic.New(),
		zendesk.Connector(),
	}
	all = append(all, sql.Connectors()...)
	slices.SortFunc(all, func(a, b core.Connector) int { return strings.Compare(a.Spec().Name, b.Spec().Name) })
	return all
}
