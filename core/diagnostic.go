package core

import "fmt"

// Diagnostic is a message about the configuration, for people and, as JSON, for tools.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// Summary is one line; Detail explains; Try is one thing to do.
	Summary string `json:"summary"`
	Detail  string `json:"detail,omitempty"`
	Try     string `json:"try,omitempty"`
	// Range is where; nil when it is about no place in a file.
	Range *Range `json:"range,omitempty"`
	// Context names the blocks around Range: source "hubspot" "crm", stream "contacts".
	Context string `json:"context,omitempty"`
	// Snippet holds the lines of Range, as they stand in the file; secrets written there
	// are replaced.
	Snippet string `json:"snippet,omitempty"`
}

// Try is one thing to do about a problem. Packages that report problems in a language of
// their own (hcl.Diagnostic.Extra) attach it, and it becomes Diagnostic.Try.
type Try string

// Severity of a Diagnostic.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Range is a place in a file. Lines and columns count from 1.
type Range struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
}

// String gives file:line:column.
func (r Range) String() string { return fmt.Sprintf("%s:%d:%d", r.File, r.Line, r.Column) }

// Error gives summary and place on one line.
func (d Diagnostic) Error() string {
	if d.Range == nil {
		return d.Summary
	}
	return d.Range.String() + ": " + d.Summary
}

// Diagnostics is a list of messages; nil means all is well. Functions that return it
// return it at every exit, with warnings too.
type Diagnostics []Diagnostic

// HasErrors reports whether one of them is an error.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == SeverityError {
			return true
		}
	}
	return false
}
