package sim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/unsilo/unsilo/core"
)

// Run is the command unsilo-sim. It returns the exit code: 0, 1 for a failure, 2 for a
// command line that cannot be read. It serves until ctx ends or the process is told to
// stop.
//
//	unsilo-sim serve --dir DIR [--customers N] [--seed S] [--listen ADDR] [--port-file F]
//	unsilo-sim advance --dir DIR [--by 24h]
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	var err error
	switch verb {
	case "serve":
		err = runServe(ctx, args, out, errs)
	case "advance":
		err = runAdvance(ctx, args, out, errs)
	default:
		_, _ = fmt.Fprint(errs, "unsilo-sim is the simulated company as a server.\n\n"+
			"  unsilo-sim serve --dir DIR [--customers N] [--seed S] [--listen ADDR] [--port-file F]\n"+
			"  unsilo-sim advance --dir DIR [--by 24h]\n")
		return 2
	}
	switch {
	case errors.Is(err, errUsage):
		return 2
	case err != nil:
		_, _ = fmt.Fprintf(errs, "unsilo-sim: %v\n", err)
		return 1
	}
	return 0
}

var errUsage = errors.New("the command line cannot be read")

func runServe(ctx context.Context, args []string, out, errs io.Writer) error {
	var opt ServeOptions
	var portFile string
	flags := flag.NewFlagSet("unsilo-sim serve", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&opt.Dir, "dir", "", "`folder` of the company; silos and truth go there")
	flags.IntVar(&opt.Customers, "customers", 2000, "number of customers")
	flags.Uint64Var(&opt.Seed, "seed", 42, "seed")
	flags.BoolVar(&opt.Quiet, "quiet", false, "leave out the planted effects")
	flags.StringVar(&opt.Listen, "listen", "127.0.0.1:0", "`address` to listen on")
	flags.StringVar(&opt.AdminToken, "admin-token", "", "token for the paths under /_sim; made up when empty")
	flags.StringVar(&portFile, "port-file", "", "`file` to write the base URL to once the server answers")
	if flags.Parse(args) != nil {
		return errUsage
	}
	if opt.Dir == "" {
		_, _ = fmt.Fprintln(errs, "unsilo-sim serve: --dir says where the company lives; try --dir company")
		return errUsage
	}
	if opt.AdminToken == "" {
		opt.AdminToken = rand.Text()
	}
	s, err := Serve(ctx, opt)
	if err != nil {
		return err
	}
	if err := announce(s, opt, portFile, out); err != nil {
		return errors.Join(err, s.Close())
	}
	<-ctx.Done()
	return errors.Join(os.Remove(addressFile(opt.Dir)), s.Close())
}

// announce prints where the company is and what it accepts.
func announce(s *Server, opt ServeOptions, portFile string, out io.Writer) error {
	c := s.Company.Credentials()
	_, err := fmt.Fprintf(out, "url %s\nsilos %s\ntruth %s\nnow %s\nadmin_token %s\ncrm_token %s\nsupport_email %s\n"+
		"support_token %s\nsocial_token %s\nsurvey_key %s\nads_client_id %s\nads_client_secret %s\n",
		s.URL(), s.Silos(), s.Truth(), s.Company.Now().Format(time.RFC3339), opt.AdminToken, c.CRMToken, c.SupportEmail,
		c.SupportToken, c.SocialToken, c.SurveyKey, c.AdsClientID, c.AdsClientSecret)
	if err != nil {
		return fmt.Errorf("print the company: %w", err)
	}
	text := s.URL() + "\n" + opt.AdminToken + "\n"
	for _, name := range []string{addressFile(opt.Dir), portFile} {
		if name == "" {
			continue
		}
		if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
			return fmt.Errorf("write address: %w", err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			return fmt.Errorf("write address: %w", err)
		}
	}
	return nil
}

// runAdvance moves the clock of a company: through the server that serves its folder, or
// in the folder itself when none does.
func runAdvance(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("unsilo-sim advance", flag.ContinueOnError)
	flags.SetOutput(errs)
	dir := flags.String("dir", "", "`folder` of the company")
	by := flags.String("by", "24h", "`duration` to move the clock by")
	if flags.Parse(args) != nil {
		return errUsage
	}
	d, err := core.ParseDuration(*by)
	if err != nil || d <= 0 || *dir == "" {
		_, _ = fmt.Fprintln(errs, "unsilo-sim advance: try --dir company --by 24h")
		return errUsage
	}
	text, err := os.ReadFile(addressFile(*dir))
	switch {
	case err == nil:
		url, token, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		return askToAdvance(ctx, url, token, d, out)
	case errors.Is(err, os.ErrNotExist):
		return advanceFolder(ctx, *dir, d, out)
	}
	return fmt.Errorf("find the server of %s: %w", *dir, err)
}

func askToAdvance(ctx context.Context, url, token string, d time.Duration, out io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/_sim/advance?d="+d.String(), nil)
	if err != nil {
		return fmt.Errorf("advance: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{Timeout: 5 * time.Minute}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("advance: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("advance: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("advance: %s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	_, err = out.Write(body)
	return err
}

func advanceFolder(ctx context.Context, dir string, d time.Duration, out io.Writer) error {
	before, err := readState(dir)
	if err != nil {
		return err
	}
	if before == nil {
		return fmt.Errorf("advance: there is no company in %s; make one with unsilo-sim serve --dir %s", dir, dir)
	}
	s, err := Serve(ctx, ServeOptions{Dir: dir, Options: before.options()})
	if err != nil {
		return err
	}
	changes, err := s.Advance(ctx, d)
	if err == nil {
		err = json.NewEncoder(out).Encode(moved{s.Company.Now(), Tally(changes)})
	}
	return errors.Join(err, s.Close())
}

func addressFile(dir string) string { return filepath.Join(dir, "address") }
