package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/internal/app"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
	"halligan/posture"
)

func stateOf(t testing.TB, name string) (st *sandbox.State, app, secret string) {
	st, err := sandbox.Example(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range st.All("applications") {
		if a["displayName"] == "Halligan reader" {
			app, _ = a["appId"].(string)
			list, _ := a["passwordCredentials"].([]any)
			cred, _ := list[0].(map[string]any)
			id, _ := cred["keyId"].(string)
			secret = st.Secrets[id]
		}
	}
	return st, app, secret
}

func TestProbe(t *testing.T) {
	st, appID, secret := stateOf(t, "contoso-p2")
	site, err := sandbox.Open(t.Context(), sandbox.Config{State: st}, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer site.Close()
	dir := t.TempDir()
	ca, err := site.Save(dir)
	if err != nil {
		t.Fatal(err)
	}
	secretFile := filepath.Join(dir, "secret")
	os.WriteFile(secretFile, []byte(secret), 0o600)
	var accounts strings.Builder
	for _, u := range st.All("users") {
		upn := u["userPrincipalName"].(string)
		if strings.HasPrefix(upn, "kestrel.ash") || strings.HasPrefix(upn, "larkin.reed") {
			fmt.Fprintf(&accounts, "  - id: %s\n    name: %s\n", u["id"], upn)
		}
	}
	reg := filepath.Join(dir, "halligan.yaml")
	os.WriteFile(reg, []byte("version: 1\ntenant:\n  id: "+st.ID+"\naccounts:\n"+accounts.String()), 0o600)
	do := func(tune func(*graph.Config), args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		c := &console{strings.NewReader(""), &out, &errs, func(n string) string {
			if n == "HALLIGAN_HOME" {
				return filepath.Join(dir, "home")
			}
			return ""
		}, tune}
		return c.run(ctx, args), out.String(), errs.String()
	}
	t.Log(do(nil, "login", "--method", "secret", "--tenant", st.ID, "--client-id", appID, "--secret-file", secretFile, "--cloud", site.URL, "--ca", ca, "--register", reg))
	start := time.Now()
	code, out, errs := do(nil, "check", "--register", reg, "--format", "json")
	t.Log(code, errs, time.Since(start), site.Requests())
	var base app.CheckReport
	if err := json.Unmarshal([]byte(out), &base); err != nil {
		t.Fatal(err)
	}
	t.Log(base.Verdict, base.Counts, base.Grade, base.Incomplete)
	key := func(f *app.FindingReport) string { return f.Check + " " + string(f.Account) }
	was := map[string]posture.Status{}
	for _, f := range base.Findings {
		was[key(f)] = f.Status
	}
	for _, p := range base.Parts {
		if p.Status != "read" {
			t.Log(p.Part, p.Status, p.Detail)
		}
	}
	_ = http.MethodGet
	for _, spec := range strings.Fields(os.Getenv("PROBE")) {
		if err := site.SetFaults(spec); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var waits []time.Duration
		start := time.Now()
		before := site.Requests()
		code, out, errs := do(func(c *graph.Config) {
			c.Limits.Operation = 3 * time.Second
			c.Limits.Attempt = time.Second
			c.Limits.Body = 4 << 20
			c.Limits.Pages = 50
			c.Sleep = func(ctx context.Context, d time.Duration) error {
				mu.Lock()
				waits = append(waits, d)
				mu.Unlock()
				select {
				case <-time.After(d / 20):
				case <-ctx.Done():
					return ctx.Err()
				}
				return nil
			}
		}, "check", "--register", reg, "--format", "json", "--timeout", "10s")
		took := time.Since(start).Round(time.Millisecond)
		after := site.Requests()
		for k := range after {
			after[k] -= before[k]
		}
		var r app.CheckReport
		if json.Unmarshal([]byte(out), &r) != nil {
			t.Logf("== %s: exit %d in %s %v\n%s", spec, code, took, after, errs)
			continue
		}
		var worse, better []string
		for _, f := range r.Findings {
			if w := was[key(f)]; w != f.Status {
				line := fmt.Sprintf("%s:%s>%s", f.Check, w, f.Status)
				if f.Status == posture.Pass || w == "" {
					better = append(better, line+" "+f.Says)
				} else {
					worse = append(worse, line)
				}
			}
		}
		if len(r.Findings) != len(base.Findings) {
			better = append(better, fmt.Sprintf("%d findings", len(r.Findings)))
		}
		slices.Sort(worse)
		t.Logf("== %s: exit %d in %s %s counts %v waits %v reqs %v\n worse %d %v\n better %v\n warnings %v", spec, code, took, r.Verdict, r.Counts, waits, after, len(worse), worse[:min(4, len(worse))], better, r.Warnings)
		n := 0
		for _, p := range r.Parts {
			if p.Status != "read" && n < 4 {
				n++
				t.Log("  ", p.Part, p.Status, p.Detail)
			}
		}
	}
}

func TestProbe2(t *testing.T) {
	for _, name := range []string{"contoso-p2", "contoso-hardened", "contoso-password-only"} {
		st, appID, secret := stateOf(t, name)
		site, err := sandbox.Open(t.Context(), sandbox.Config{State: st}, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		ca, _ := site.Save(dir)
		os.WriteFile(filepath.Join(dir, "secret"), []byte(secret), 0o600)
		do := func(args ...string) (int, string, string) {
			var out, errs bytes.Buffer
			c := &console{strings.NewReader(""), &out, &errs, func(n string) string {
				if n == "HALLIGAN_HOME" {
					return filepath.Join(dir, "home")
				}
				return ""
			}, nil}
			return c.run(t.Context(), args), out.String(), errs.String()
		}
		do("login", "--method", "secret", "--tenant", st.ID, "--client-id", appID, "--secret-file", filepath.Join(dir, "secret"), "--cloud", site.URL, "--ca", ca)
		args := []string{"prove", "--format", "json"}
		for _, u := range st.All("users") {
			upn := u["userPrincipalName"].(string)
			for _, p := range []string{"kestrel", "larkin", "juniper", "marlow", "hazel", "breakglass"} {
				if strings.HasPrefix(upn, p) {
					args = append(args, "--account", upn)
				}
			}
		}
		_, out, errs := do(args...)
		var r app.Report
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Log(errs)
		}
		t.Log(name, r.Verdict)
		for _, a := range r.Accounts {
			for _, g := range a.Goals {
				t.Log(a.Label(), g.Goal, g.Outcome, g.Sentence)
			}
			for _, s := range a.Settle {
				t.Log("   ", s.What, "|", s.How, "|", s.Suppose)
			}
		}
		site.Close()
	}
}
