package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity"
)

func (a *app) reviewCmd(name *string) *cobra.Command {
	var s signature
	var limit int
	var in string
	var ask bool
	cmd := &cobra.Command{
		Use:   "review",
		Short: "List the pairs that the evidence leaves open, or take decisions about them",
		Long: `Lists open pairs, the most doubtful first. --ask shows one after the other and takes the
answers from the terminal. With -o csv the list is a file to fill in: put must_link or
cannot_link into the column verdict, and hand it back with --decide.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			by, err := s.sign()
			if err != nil {
				return err
			}
			if in != "" {
				return a.decide(cmd.Context(), *name, in, by)
			}
			open, values, err := a.questions(cmd.Context(), *name, limit)
			if err != nil {
				return err
			}
			if ask {
				return a.ask(cmd.Context(), *name, open, values, by)
			}
			return a.showQuestions(open, values)
		},
	}
	s.flags(cmd)
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "how many pairs; 0 lists all")
	cmd.Flags().StringVar(&in, "decide", "", "read decisions from this CSV `file`; - is standard input")
	cmd.Flags().BoolVar(&ask, "ask", false, "show the pairs one by one and decide: y one, n two, s skip, q quit")
	cmd.MarkFlagsMutuallyExclusive("ask", "decide")
	return cmd
}

// questions reads the queue and what the records in it say.
func (a *app) questions(ctx context.Context, name string, limit int) (open []identity.Question, values map[string][]identity.Value, err error) {
	err = a.withIdentity(ctx, name, func(p *project, w core.Warehouse, name string) error {
		if open, err = identity.Review(ctx, w, name, limit); err != nil {
			return err
		}
		m, err := p.identityModel(name)
		if err != nil {
			return err
		}
		var records []identity.Record
		for _, q := range open {
			records = append(records, q.A, q.B)
		}
		values, err = m.Values(ctx, w, records)
		return err
	})
	return open, values, err
}

func (a *app) showQuestions(open []identity.Question, values map[string][]identity.Value) error {
	if a.output == "csv" {
		return identity.WriteQuestions(a.out, open, values)
	}
	g := grid{columns: []string{"a", "b", "probability", "today", "rule", "why"}, right: []string{"probability"}}
	for _, q := range open {
		g.add(q.A.String(), q.B.String(), fmt.Sprintf("%.3f", q.Probability), today(q), q.Rule, why(q))
	}
	if len(open) == 0 {
		return a.say(g, "No pair is open.\n")
	}
	return a.show(g)
}

func today(q identity.Question) string {
	if q.Joined {
		return "joined"
	}
	return "apart"
}

// why tells what a pair is in the queue for.
func why(q identity.Question) string {
	switch {
	case q.Sampled:
		return "sample"
	case q.Reason != "":
		return q.Reason
	}
	return "in doubt"
}

// ask shows one pair after the other and keeps the answers, also of a session that ends
// early.
func (a *app) ask(ctx context.Context, name string, open []identity.Question, values map[string][]identity.Value, by identity.Signature) error {
	if len(open) == 0 {
		return a.say(grid{columns: []string{"decisions"}}, "No pair is open.\n")
	}
	answers := bufio.NewScanner(a.in)
	var decisions []identity.Decision
	for i, q := range open {
		fmt.Fprintf(a.err, "\n%d of %d, %.1f %%, today %s, %s\n%s", i+1, len(open), 100*q.Probability, today(q), why(q),
			identity.SideBySide([]identity.Record{q.A, q.B}, values))
		verdict, more := a.answer(answers)
		if !more {
			break
		}
		if verdict != "" {
			decisions = append(decisions, identity.Decision{A: q.A, B: q.B, Verdict: verdict, Author: by.Author, Reason: by.Reason, At: by.At.Add(time.Duration(i) * time.Microsecond), Expires: by.Expires})
		}
	}
	if len(decisions) == 0 {
		return a.obeyed(nil, 0)
	}
	err := a.changeIdentity(ctx, name, func(w core.Warehouse, name string) error {
		return identity.Decide(ctx, w, name, decisions...)
	})
	return a.obeyed(err, len(decisions))
}

// answer reads one verdict, empty for a pair that is left open; more is false at the end.
func (a *app) answer(answers *bufio.Scanner) (verdict identity.Verdict, more bool) {
	for {
		fmt.Fprint(a.err, "One and the same? y, n, s to skip, q to end: ")
		if !answers.Scan() {
			return "", false
		}
		switch strings.ToLower(strings.TrimSpace(answers.Text())) {
		case "y", "yes":
			return identity.MustLink, true
		case "n", "no":
			return identity.CannotLink, true
		case "s", "":
			return "", true
		case "q":
			return "", false
		}
	}
}

func (a *app) decide(ctx context.Context, name, file string, by identity.Signature) (err error) {
	in := a.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return usageError{fmt.Errorf("read decisions: %w", err)}
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	}
	decisions, err := identity.ReadDecisions(in, by.Author, time.Now().UTC())
	if err != nil {
		return err
	}
	for i := range decisions {
		if decisions[i].Reason == "" {
			decisions[i].Reason = by.Reason
		}
		if decisions[i].Expires.IsZero() {
			decisions[i].Expires = by.Expires
		}
	}
	err = a.changeIdentity(ctx, name, func(w core.Warehouse, name string) error {
		return identity.Decide(ctx, w, name, decisions...)
	})
	return a.obeyed(err, len(decisions))
}
