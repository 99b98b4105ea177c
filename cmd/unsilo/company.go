package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
)

// servedCompany is what the process that answers as the company tells about itself, in
// DIR/company/server.json.
type servedCompany struct {
	URL       string            `json:"url"`
	PID       int               `json:"pid"`
	Token     string            `json:"token"`
	Customers int               `json:"customers"`
	Seed      uint64            `json:"seed"`
	Secrets   map[string]string `json:"secrets"`
}

const (
	companyLife    = 12 * time.Hour
	companyStartUp = 60 * time.Second
)

func (d *demo) serverFile() string { return filepath.Join(d.company(), "server.json") }

func (d *demo) readServer() (*servedCompany, error) {
	text, err := os.ReadFile(d.serverFile())
	if err != nil {
		return nil, err
	}
	var s servedCompany
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", d.serverFile(), err)
	}
	return &s, nil
}

// ensureCompany finds the company answering, or starts a process that does.
func (d *demo) ensureCompany(ctx context.Context) (*servedCompany, error) {
	if s, err := d.readServer(); err == nil {
		if err := s.call(ctx, http.MethodGet, "/_sim/now", nil); err == nil {
			if s.Customers != d.customers || s.Seed != d.seed {
				return nil, usageError{fmt.Errorf("%s has a company of %d customers and seed %d: choose another --dir, or stop that one and remove it", d.dir, s.Customers, s.Seed)}
			}
			return s, nil
		}
	}
	if err := os.MkdirAll(d.company(), 0o755); err != nil {
		return nil, fmt.Errorf("make company folder: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find program: %w", err)
	}
	log, err := os.Create(filepath.Join(d.company(), "server.log"))
	if err != nil {
		return nil, fmt.Errorf("make server log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(self, "demo", "--serve", "--dir", d.dir, "--customers", fmt.Sprint(d.customers), "--seed", fmt.Sprint(d.seed))
	cmd.Stdout, cmd.Stderr = log, log
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start company: %w", err)
	}
	return d.awaitCompany(ctx, cmd)
}

// awaitCompany waits until the started process answers, or has ended.
func (d *demo) awaitCompany(ctx context.Context, cmd *exec.Cmd) (*servedCompany, error) {
	ctx, cancel := context.WithTimeout(ctx, companyStartUp)
	defer cancel()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	for {
		if s, err := d.readServer(); err == nil && s.PID == cmd.Process.Pid {
			if err := s.call(ctx, http.MethodGet, "/_sim/now", nil); err == nil {
				return s, nil
			}
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(filepath.Join(d.company(), "server.log")) // without it the message is short
			return nil, fmt.Errorf("the simulated company did not start: %s", strings.TrimSpace(string(text)))
		case <-ctx.Done():
			return nil, fmt.Errorf("the simulated company did not answer: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// serveCompany is the process behind ensureCompany.
func (d *demo) serveCompany(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, companyLife)
	defer cancel()
	opt := sim.ServeOptions{Options: sim.Options{Customers: d.customers, Seed: d.seed}, Dir: d.company(), AdminToken: rand.Text()}
	if before, err := d.readServer(); err == nil {
		if u, err := url.Parse(before.URL); err == nil {
			opt.Listen = u.Host // the same address as before, so that the project need not change
		}
	}
	server, err := sim.Serve(ctx, opt)
	if err != nil && opt.Listen != "" {
		opt.Listen = ""
		server, err = sim.Serve(ctx, opt)
	}
	if err != nil {
		return err
	}
	c := server.Company.Credentials()
	text, err := json.MarshalIndent(servedCompany{URL: server.URL(), PID: os.Getpid(), Token: opt.AdminToken, Customers: d.customers, Seed: d.seed,
		Secrets: map[string]string{"crm_token": c.CRMToken, "support_email": c.SupportEmail, "support_token": c.SupportToken,
			"social_token": c.SocialToken, "surveys_key": c.SurveyKey, "ads_client_id": c.AdsClientID, "ads_client_secret": c.AdsClientSecret}}, "", "  ")
	if err == nil {
		err = writeAtomically(d.serverFile(), text, 0o600)
	}
	if err != nil {
		return errors.Join(err, server.Close())
	}
	<-ctx.Done()
	return server.Close()
}

func writeAtomically(name string, text []byte, mode os.FileMode) error {
	temp := name + ".new"
	if err := os.WriteFile(temp, text, mode); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(temp, name)
}

// call sends one request to the company's admin paths; into takes the JSON answer.
func (s *servedCompany) call(ctx context.Context, method, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, companyStartUp)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, nil)
	if err != nil {
		return fmt.Errorf("call company: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("call company: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("call company: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("call company: %s: %s", res.Status, bytes.TrimSpace(body))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// advanceCompany moves the company's clock and says what happened in its silos.
func (d *demo) advanceCompany(ctx context.Context) error {
	if _, err := d.readServer(); err != nil {
		return usageError{fmt.Errorf("there is no simulated company in %s: run `unsilo demo` first", d.dir)}
	}
	s, err := d.reopen(ctx)
	if err != nil {
		return err
	}
	var moved struct {
		Now     time.Time                 `json:"now"`
		Changes map[string]map[string]int `json:"changes"`
	}
	if err := s.call(ctx, http.MethodPost, "/_sim/advance?d="+url.QueryEscape(d.advance), &moved); err != nil {
		return usageError{err}
	}
	g := grid{columns: []string{"stream", "create", "update", "delete"}, right: []string{"create", "update", "delete"},
		extra: map[string]any{"now": moved.Now}}
	for _, name := range sortedKeys(moved.Changes) {
		c := moved.Changes[name]
		g.add(name, int64(c["create"]), int64(c["update"]), int64(c["delete"]))
	}
	if d.output == "table" {
		fmt.Fprintf(d.out, "It is %s in the company. Since then its silos changed:\n\n", moved.Now.Format(time.RFC3339))
	}
	return d.show(g)
}

// reopen finds the company answering or starts it again as it was.
func (d *demo) reopen(ctx context.Context) (*servedCompany, error) {
	s, err := d.readServer()
	if err != nil {
		return nil, err
	}
	d.customers, d.seed = s.Customers, s.Seed
	return d.ensureCompany(ctx)
}

func (d *demo) stopCompany() error {
	s, err := d.readServer()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// Only a process that knows the token is the company; its number may be another's by now.
	if s.call(context.Background(), http.MethodGet, "/_sim/now", nil) != nil {
		return nil
	}
	p, err := os.FindProcess(s.PID)
	if err != nil {
		return fmt.Errorf("find company: %w", err)
	}
	if err := p.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop company: %w", err)
	}
	return nil
}
