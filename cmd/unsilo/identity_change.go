package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity"
	"github.com/unsilo/unsilo/transforms/identity/eval"
)

// signature says who decides, and why.
type signature struct {
	author, reason, expires string
}

func (s *signature) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.author, "author", "", "who decides; default the name of the user")
	cmd.Flags().StringVar(&s.reason, "reason", "", "why")
	cmd.Flags().StringVar(&s.expires, "expires", "", "until when the decision holds, as yyyy-mm-dd; default for ever")
}

// sign is what the flags say, at this moment.
func (s *signature) sign() (identity.Signature, error) {
	by := identity.Signature{Author: s.who(), Reason: s.reason, At: time.Now().UTC()}
	if s.expires == "" {
		return by, nil
	}
	t, err := time.Parse(time.DateOnly, s.expires)
	if err != nil || !t.After(by.At) {
		return by, usageError{fmt.Errorf("--expires takes a day to come, such as 2030-12-31, not %q", s.expires)}
	}
	by.Expires = t
	return by, nil
}

func (s *signature) who() string {
	if s.author != "" {
		return s.author
	}
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

func (a *app) mergeCmd(name *string) *cobra.Command {
	var s signature
	cmd := &cobra.Command{
		Use: "merge RECORD|ID RECORD|ID", Short: "Say that two are one; the next run obeys", Args: exactArgs("RECORD|ID", "RECORD|ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			by, err := s.sign()
			if err != nil {
				return err
			}
			err = a.changeIdentity(cmd.Context(), *name, func(w core.Warehouse, name string) error {
				return identity.Merge(cmd.Context(), w, name, args[0], args[1], by)
			})
			return a.obeyed(err, 1)
		},
	}
	s.flags(cmd)
	return cmd
}

func (a *app) splitCmd(name *string) *cobra.Command {
	var s signature
	cmd := &cobra.Command{
		Use: "split RECORD", Short: "Say that a record is not its person; the next run obeys", Args: exactArgs("RECORD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var n int
			by, err := s.sign()
			if err != nil {
				return err
			}
			err = a.changeIdentity(cmd.Context(), *name, func(w core.Warehouse, name string) (err error) {
				n, err = identity.Split(cmd.Context(), w, name, args[0], by)
				return err
			})
			return a.obeyed(err, n)
		},
	}
	s.flags(cmd)
	return cmd
}

func (a *app) obeyed(err error, decisions int) error {
	if err != nil {
		return err
	}
	g := grid{columns: []string{"decisions"}}
	g.add(decisions)
	if decisions == 0 {
		return a.say(g, "Nothing was decided.\n")
	}
	return a.document(map[string]int{"decisions": decisions}, fmt.Sprintf("Kept %s. The next run obeys.\n", decisionCount(decisions)), g)
}

func decisionCount(n int) string {
	if n == 1 {
		return "one decision"
	}
	return fmt.Sprintf("%d decisions", n)
}

func (a *app) evalCmd(name *string) *cobra.Command {
	var truth, plot string
	var sweep bool
	cmd := &cobra.Command{
		Use:   "eval LABELS.csv",
		Short: "Measure the identities against labels",
		Long: `LABELS.csv has pairs (columns a, b and, when not all are matches, match) or records with
the entity each belongs to (columns record and cluster, or source, stream, record_key and
cluster).`,
		Args: exactArgs("LABELS.csv"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usageError{fmt.Errorf("read labels: %w", err)}
			}
			labels, err := identity.ReadLabels(f, truth)
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
			return a.withIdentity(cmd.Context(), *name, func(_ *project, w core.Warehouse, name string) error {
				x, err := identity.Evaluate(cmd.Context(), w, name, labels, sweep || plot != "")
				if err != nil {
					return err
				}
				if plot != "" {
					if err := replaceFile(plot, []byte(x.SVG())); err != nil {
						return err
					}
				}
				return a.document(x, x.Text(), evaluationGrid(x))
			})
		},
	}
	cmd.Flags().StringVar(&truth, "truth", "", "the `column` with the true entity, when it is not called cluster")
	cmd.Flags().BoolVar(&sweep, "sweep", false, "also at other thresholds")
	cmd.Flags().StringVar(&plot, "plot", "", "draw the sweep into this SVG `file`")
	return cmd
}

// evaluationGrid has the scores as built, without stop_bits, and one row for each point of
// a sweep.
func evaluationGrid(x identity.Evaluation) grid {
	g := grid{columns: []string{"stop_bits", "precision", "recall", "f1", "b3_precision", "b3_recall", "b3", "over_merged", "largest_cluster"}}
	add := func(stop any, s eval.Scores) {
		if s.Records == 0 { // pairs alone say nothing about clusters
			g.add(stop, s.Precision, s.Recall, s.F1, nil, nil, nil, nil, nil)
			return
		}
		g.add(stop, s.Precision, s.Recall, s.F1, s.B3Precision, s.B3Recall, s.B3, s.OverMerged, s.Largest)
	}
	add(nil, x.Scores)
	for _, p := range x.Sweep {
		add(p.StopBits, p.Scores)
	}
	return g
}

func (a *app) identityDiffCmd(name *string) *cobra.Command {
	return &cobra.Command{
		Use: "diff [RUN [RUN]]", Short: "Show which ids were minted, merged, split and retired between two runs", Args: atMostArgs(2),
		Long: `Without a run it shows what the last build changed, with one what has changed since that
run.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			runs := append(args, "", "")
			return a.withIdentity(cmd.Context(), *name, func(_ *project, w core.Warehouse, name string) error {
				c, err := identity.Diff(cmd.Context(), w, name, runs[0], runs[1])
				if err != nil {
					return err
				}
				g := grid{columns: []string{"event", "id", "other", "records"}, right: []string{"records"},
					extra: map[string]any{"from": c.From, "to": c.To, "counts": c.Counts}}
				for _, x := range c.Changes {
					var other any
					if x.Other != "" {
						other = x.Other
					}
					g.add(x.Kind, x.ID, other, x.Records)
				}
				if a.output == "table" {
					a.showCounts(c)
				}
				if len(g.rows) == 0 {
					return a.say(g, "")
				}
				return a.show(g)
			})
		},
	}
}

// showCounts writes a line of how many ids went which way.
func (a *app) showCounts(c identity.Changes) {
	text := ""
	for _, k := range [][2]string{{"mint", "minted"}, {"survive", "survived"}, {"merge", "merged"}, {"split", "split"}, {"restore", "restored"}, {"retire", "retired"}} {
		if n := c.Counts[k[0]]; n > 0 || k[0] != "restore" {
			text += fmt.Sprintf(", %s %s", thousands(n), k[1])
		}
	}
	from := c.From
	if from == "" {
		from = "the beginning"
	}
	fmt.Fprintf(a.out, "%s to %s: %s\n", from, c.To, text[2:])
	if len(c.Changes) > 0 {
		fmt.Fprintln(a.out)
	}
}
