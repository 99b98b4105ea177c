package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/configs"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/engine"
)

// demo is one use of the demo verb.
type demo struct {
	*app
	dir       string
	customers int
	seed      uint64
	advance   string
	noOpen    bool
	stop      bool
	serve     bool
}

func (a *app) demoCmd() *cobra.Command {
	d := demo{app: a}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole thing on a simulated company",
		Long: `Simulates a company with eight silos on this machine, writes a project for it, runs the
project, and shows three answers that no silo could give alone. The company keeps
answering on loopback, so that the project can be run again; --stop ends it, and after
twelve hours it ends by itself.

DIR/project is the project, DIR/company the silos and, out of the project's sight, the
truth that the identities are measured against.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			abs, err := filepath.Abs(d.dir)
			if err != nil {
				return fmt.Errorf("find demo folder: %w", err)
			}
			d.dir = abs
			switch {
			case d.serve:
				return d.serveCompany(cmd.Context())
			case d.stop:
				return d.stopCompany(cmd.Context())
			case d.advance != "":
				return d.advanceCompany(cmd.Context())
			}
			return d.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.dir, "dir", "unsilo-demo", "the `folder` to work in")
	f.IntVar(&d.customers, "customers", 2000, "how many customers the company has")
	f.Uint64Var(&d.seed, "seed", 1, "the seed: the same one makes the same company")
	f.StringVar(&d.advance, "advance", "", "move the company by a `duration` such as 1d, and do nothing else")
	f.BoolVar(&d.noOpen, "no-open", false, "open no browser; for scripts")
	f.BoolVar(&d.stop, "stop", false, "end the simulated company")
	f.BoolVar(&d.serve, "serve", false, "answer as the company, in the foreground")
	f.Lookup("serve").Hidden = true
	return cmd
}

func (d *demo) project() string { return filepath.Join(d.dir, "project") }
func (d *demo) company() string { return filepath.Join(d.dir, "company") }

func (d *demo) run(cmd *cobra.Command) error {
	if d.customers < 10 || d.customers > 1_000_000 {
		return usageError{fmt.Errorf("--customers %d: a company has 10 to 1 000 000", d.customers)}
	}
	began := time.Now()
	served, err := d.ensureCompany(cmd.Context())
	if err != nil {
		return err
	}
	if err := d.writeProject(served); err != nil {
		return err
	}
	fmt.Fprintf(d.err, "A company of %s customers answers at %s.\n", thousands(int64(served.Customers)), served.URL)
	d.app.dir = d.project()
	p, err := d.load()
	if err != nil {
		return err
	}
	if err := p.run(cmd, engine.Options{}, nil); err != nil {
		return err
	}
	if err := p.showAnswers(cmd.Context()); err != nil {
		return err
	}
	if err := p.showQuality(cmd.Context(), filepath.Join(d.company(), "truth", "truth.parquet")); err != nil {
		return err
	}
	if d.output != "table" {
		return nil
	}
	known, err := p.bestKnown(cmd.Context())
	if err != nil {
		return err
	}
	return d.next(time.Since(began), known)
}

// bestKnown is the first record of the person that the most streams know.
func (p *project) bestKnown(ctx context.Context) (string, error) {
	w, err := p.openWarehouse(ctx, false)
	if err != nil {
		return "", err
	}
	defer w.Close()
	name, err := p.identityName("")
	if err != nil {
		return "", err
	}
	quote := w.Info().SQL.Dialect().Quote
	people, id := quote(core.SchemaIdentity)+"."+quote(name+"_map"), quote(name+"_id")
	rows, err := w.Info().SQL.Query(ctx, "SELECT min(source || '.' || stream || ':' || record_key) AS record FROM "+people+
		" GROUP BY "+id+" ORDER BY count(DISTINCT source || '.' || stream) DESC, record LIMIT 1")
	if err != nil {
		return "", fmt.Errorf("find a well-known person: %w", err)
	}
	defer rows.Release()
	g, err := readGrid(rows)
	if err != nil || len(g.rows) == 0 {
		return "", err
	}
	return fmt.Sprint(g.rows[0][0]), nil
}

func (d *demo) next(took time.Duration, known string) error {
	project, err := filepath.Rel(mustGetwd(), d.project())
	if err != nil {
		project = d.project()
	}
	program := "unsilo"
	if strings.ContainsRune(os.Args[0], filepath.Separator) {
		program = os.Args[0] // as it was called, since no shell would find it
	}
	_, err = fmt.Fprintf(d.out, `
That took %[1]s. Next:

  %[2]s -C %[3]s run
      nothing has changed, nothing lands
  %[2]s demo --dir %[4]s --advance 1d
      a day passes in the company; run again, and exactly its changes land
  %[2]s -C %[3]s query "SELECT * FROM marts.fever"
      ask the warehouse
  %[2]s -C %[3]s identity explain %[5]s
      why these records are one person
  %[2]s demo --dir %[4]s --stop
      end the company
`, took.Round(100*time.Millisecond), program, project, filepath.Dir(project), known)
	return err
}

func mustGetwd() string {
	wd, err := os.Getwd()
	if err != nil {
		return "/"
	}
	return wd
}

// writeProject writes the quickstart project, the addresses of the company and the keys
// to its silos. Files of the project that are there already are the user's, and stay.
func (d *demo) writeProject(served *servedCompany) error {
	dir := d.project()
	if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
		return fmt.Errorf("make project folder: %w", err)
	}
	files, err := configs.Quickstart()
	if err != nil {
		return fmt.Errorf("read quickstart: %w", err)
	}
	err = fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || name == "company.hcl" {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return writeNew(filepath.Join(dir, name), text, 0o644)
	})
	if err != nil {
		return fmt.Errorf("write project: %w", err)
	}
	company := fmt.Sprintf("# Where the silos are. `unsilo demo` writes this file anew.\n\nlocals {\n  company = %q\n  silos   = %q\n}\n", served.URL, "../company/silos")
	if err := replaceFile(filepath.Join(dir, "company.hcl"), []byte(company)); err != nil {
		return err
	}
	for name, value := range served.Secrets {
		if err := writeNew(filepath.Join(dir, "secrets", name), []byte(value+"\n"), 0o600); err != nil {
			return err
		}
	}
	return writeKey(dir)
}

// questioner is a model that answers a question of the demo.
type questioner interface {
	core.Model
	Question() string
	Chart() string
}

// showAnswers shows every model that has a question, with a bar for its first number.
func (p *project) showAnswers(ctx context.Context) error {
	if p.output != "table" {
		return nil
	}
	w, err := p.openWarehouse(ctx, false)
	if err != nil {
		return err
	}
	defer w.Close()
	for _, m := range p.models {
		q, ok := m.Model.(questioner)
		if !ok || q.Question() == "" {
			continue
		}
		rows, err := w.Info().SQL.Query(ctx, "SELECT * FROM "+w.Info().SQL.Dialect().Quote(core.SchemaMarts)+"."+w.Info().SQL.Dialect().Quote(q.Ref().Name))
		if err != nil {
			return fmt.Errorf("answer %s: %w", q.Ref(), err)
		}
		g, err := readGrid(rows)
		rows.Release()
		if err != nil {
			return err
		}
		fmt.Fprintf(p.out, "\n%s\n\n", q.Question())
		p.showTable(charted(g, q.Chart()))
	}
	return nil
}

// charted adds a column of bars for the last numeric column, or draws it as a line.
func charted(g grid, chart string) grid {
	at := -1
	for i, c := range g.columns {
		if slices.Contains(g.right, c) {
			at = i
		}
	}
	if at < 0 || len(g.rows) == 0 || chart == "" || chart == "table" {
		return g
	}
	values := make([]float64, len(g.rows))
	for i, r := range g.rows {
		values[i] = number(r[at])
	}
	g.columns = append(slices.Clone(g.columns), "")
	for i := range g.rows {
		g.rows[i] = append(g.rows[i], bar(values, i))
	}
	return g
}
