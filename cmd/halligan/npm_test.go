package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"halligan/internal/contract"
	"halligan/internal/testenv"
)

// Clients that other people wrote run unmodified against the sandbox, and what
// they say and are answered is as Microsoft describes it. HALLIGAN_NPM names the
// folder in which testdata/npm was installed (npm ci).
func TestNpmClients(t *testing.T) {
	modules := filepath.Join(testenv.Folder(t, "HALLIGAN_NPM"), "node_modules")
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("HALLIGAN_NPM is set, and there is no node: %v", err)
	}
	script, err := filepath.Abs(filepath.Join("testdata", "npm", "clients.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, filepath.Join(t.TempDir(), "npm.jsonl"), "--tenant", "contoso-p2")
	administrator, err := s.somebody("adm.second@contoso.onmicrosoft.com")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, script)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "NODE_EXTRA_CA_CERTS="+s.CA, "SANDBOX_URL="+s.URL, "SANDBOX_TENANT="+s.Tenant,
		"SANDBOX_APP="+s.Apps[0].ClientID, "SANDBOX_SECRET="+s.Apps[0].Secret)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var steps []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var said struct{ Step, Code, Address string }
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			t.Errorf("the clients say %s", lines.Text())
			continue
		}
		steps = append(steps, said.Step)
		if said.Step == "code" {
			if err := administrator.enter(said.Address, said.Code); err != nil {
				t.Error(err)
				cancel() // the clients would wait for a quarter of an hour
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the clients end with %v: %s", err, talk.String())
	}
	if want := []string{"secret", "page", "refused", "code", "device code", "create", "patch", "batch", "delete", "done"}; !slices.Equal(steps, want) {
		t.Errorf("got the steps %q, want %q", steps, want)
	}
	s.stop()
	report, err := c.ValidateLog(s.record)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range report.Lines() {
		t.Error(line)
	}
}
