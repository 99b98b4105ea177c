package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
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
	companyStop    = 10 * time.Second
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
		if s.answers(ctx) {
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

// awaitCompany waits until the started process answers, or has ended. One that does not
// answer in time, or is waited for no longer, is ended.
func (d *demo) awaitCompany(ctx context.Context, cmd *exec.Cmd) (*servedCompany, error) {
	ctx, cancel := context.WithTimeout(ctx, companyStartUp)
	defer cancel()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	for {
		if s, err := d.readServer(); err == nil && s.PID == cmd.Process.Pid && s.answers(ctx) {
			return s, nil
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("the simulated company did not start: %s", d.serverLog())
		case <-ctx.Done():
			_ = cmd.Process.Kill() // it may have ended just now
			<-ended
			return nil, errors.Join(fmt.Errorf("the simulated company did not answer: %w", ctx.Err()), errors.New(d.serverLog()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *demo) serverLog() string {
	text, err := os.ReadFile(filepath.Join(d.company(), "server.log"))
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return "it has written nothing"
	}
	return strings.TrimSpace(string(text))
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

// answers reports whether what answers at the address is the process of this demo: it
// proves that it knows the token, which is not sent, and is the process that was noted.
// Ports and process numbers are used again, by others.
func (s *servedCompany) answers(ctx context.Context) bool {
	challenge := rand.Text()
	var who struct {
		PID   int    `json:"pid"`
		Proof string `json:"proof"`
	}
	err := (&servedCompany{URL: s.URL}).call(ctx, http.MethodGet, "/_sim/who?challenge="+challenge, &who)
	return err == nil && who.PID == s.PID && s.Token != "" &&
		subtle.ConstantTimeCompare([]byte(who.Proof), []byte(sim.Proof(s.Token, challenge))) == 1
}

// call sends one request to the company's admin paths; into takes the JSON answer.
func (s *servedCompany) call(ctx context.Context, method, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, companyStartUp)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, nil)
	if err != nil {
		return fmt.Errorf("call company: %w", err)
	}
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
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

// stopCompany ends the company and waits until it is gone. Where something else answers,
// or nothing, there is nothing to end.
func (d *demo) stopCompany(ctx context.Context) error {
	s, err := d.readServer()
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.answers(ctx) {
		return nil
	}
	p, err := os.FindProcess(s.PID)
	if err != nil {
		return fmt.Errorf("find company: %w", err)
	}
	if err := p.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop company: %w", err)
	}
	for began := time.Now(); s.answers(ctx); {
		if time.Since(began) > companyStop {
			return fmt.Errorf("stop company: process %d still answers at %s", s.PID, s.URL)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}
