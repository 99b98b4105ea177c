package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adhocore/gronx"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

func (l *loader) schedules(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		if l.full() {
			return
		}
		values := l.attributes(b, fieldsOf{owner: "schedule." + b.Labels[0], shown: []core.Field{
			{Name: "cron", Type: core.TypeString, Required: true, Help: "when to run: minute, hour, day, month, weekday"},
			{Name: "timezone", Type: core.TypeString, Default: "UTC", Help: "the time zone of cron"},
			{Name: "run", Type: core.TypeStrings, Help: "what to run; everything when it is left out"},
		}})
		s := Schedule{
			Name: b.Labels[0], Cron: text(values, "cron"), Timezone: text(values, "timezone"),
			Run: list(values, "run"), Range: rangeOf(b.DefRange()),
		}
		if s.Cron != "" && !validCron(s.Cron) {
			l.fail(valueRange(b, "cron"), fmt.Sprintf("Invalid cron expression %q", visible(s.Cron)),
				"It has five fields: minute, hour, day of month, month, day of week.", `Write it like "0 * * * *", which is every full hour.`)
		}
		if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "Local" {
			l.fail(valueRange(b, "timezone"), fmt.Sprintf("Unknown time zone %q", visible(s.Timezone)),
				"Time zones are named by region and city.", `Write it like "Europe/Helsinki" or "UTC".`)
		}
		for i, selector := range s.Run {
			l.checkSelector(itemRange(b, "run", i), selector)
		}
		l.project.Schedules = append(l.project.Schedules, s)
	}
}

// validCron accepts five fields, or a word such as @daily. Seconds and years, which the
// library would take too, are refused: what looks like a minute must be one.
func validCron(expression string) bool {
	words := strings.HasPrefix(expression, "@")
	if !words && len(strings.Fields(expression)) != 5 {
		return false
	}
	if words && strings.ContainsAny(expression, " \t") || expression == "@everysecond" {
		return false
	}
	g := gronx.New()
	return g.IsValid(expression)
}

// checkSelector checks a selector such as source.crm, source.crm.contacts or model.orders.
func (l *loader) checkSelector(at hcl.Range, selector string) {
	kind, rest, _ := strings.Cut(selector, ".")
	name, stream, hasStream := strings.Cut(rest, ".")
	known := l.blockNames(kind)
	switch {
	case !slices.Contains(tableRoots(), kind):
		l.fail(at, fmt.Sprintf("Unknown selector %q", visible(selector)), "A selector names a block by its type and name.",
			didYouMean(kind, tableRoots(), `Write it like "source.crm" or "model.orders".`))
	case !slices.Contains(known, name):
		l.fail(at, fmt.Sprintf("Unknown %s %q", kind, visible(name)), fmt.Sprintf("The project has no %s block of this name.", kind),
			didYouMean(name, known, "Write the name of a block."))
	case hasStream && (kind != "source" || !nameSyntax.MatchString(stream)):
		l.fail(at, fmt.Sprintf("Unknown selector %q", visible(selector)), "Only sources have parts that can be run by themselves.",
			fmt.Sprintf("Write %q.", kind+"."+name))
	case hasStream:
		l.checkSelectedStream(at, name, stream)
	}
}

func (l *loader) checkSelectedStream(at hcl.Range, source, stream string) {
	for _, s := range l.project.Sources {
		if s.Name != source || len(s.Streams) == 0 {
			continue
		}
		var known []string
		for _, st := range s.Streams {
			known = append(known, st.Name)
		}
		if !slices.Contains(known, stream) {
			l.fail(at, fmt.Sprintf("Unknown stream %q", stream), fmt.Sprintf("The block source.%s names its streams, and this is not among them.", source),
				didYouMean(stream, known, "Write the name of a stream."))
		}
	}
}
