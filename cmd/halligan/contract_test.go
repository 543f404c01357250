package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/internal/contract"
	"halligan/internal/sandbox"
	"halligan/internal/testenv"
)

// served is `halligan sandbox` as a process of its own.
type served struct {
	sandboxStart
	home, record string
	stop         func()
}

// serve runs the real binary as a sandbox until the test ends, recording what is
// said to it.
func serve(t *testing.T, record string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "halligan", append([]string{"sandbox", "--listen", "127.0.0.1:0", "--format", "json", "--record", record}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{home: t.TempDir(), record: record}
	ended := false
	s.stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the sandbox ended with %v: %s", err, talk.String())
		}
	}
	t.Cleanup(s.stop)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.sandboxStart)
	}
	if err != nil {
		t.Fatalf("the sandbox did not begin: %v: %s", err, talk.String())
	}
	return s
}

// halligan runs the real binary as a person would, and expects one of these exit
// codes.
func (s *served) halligan(t *testing.T, codes []int, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "halligan", args...)
	cmd.Env = append(os.Environ(), "HALLIGAN_HOME="+s.home)
	cmd.Dir = s.home
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(codes, code) {
		t.Fatalf("halligan %s: got exit code %d, want one of %v\n%s", strings.Join(args, " "), code, codes, out)
	}
	return string(out)
}

// loginWithSecret signs the tenant's reader in.
func (s *served) loginWithSecret(t *testing.T) {
	t.Helper()
	if len(s.Apps) == 0 {
		t.Fatal("no application has a secret")
	}
	file := filepath.Join(s.home, "secret")
	if err := os.WriteFile(file, []byte(s.Apps[0].Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	s.halligan(t, []int{0}, "login", "--cloud", s.URL, "--ca", s.CA, "--tenant", s.Tenant, "--client-id", s.Apps[0].ClientID, "--secret-file", file)
}

// Everything that the binary says to every example tenant, and everything that is
// answered, is as Microsoft describes it; and all that may be asked is asked.
func TestWholeRunKeepsTheContract(t *testing.T) {
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range sandbox.ExampleNames() {
		t.Run(name, func(t *testing.T) {
			s := serve(t, filepath.Join(folder, name+".jsonl"), "--tenant", name)
			s.loginWithSecret(t)
			judged := []int{0, 3, 5}
			s.halligan(t, judged, "check", "--cross-check", "--azure")
			s.halligan(t, []int{0}, "snapshot", "-o", filepath.Join(s.home, "snapshot.json"))
			s.halligan(t, judged, "prove")
			s.stop()
			record, err := os.ReadFile(s.record)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{s.Apps[0].Secret, "Bearer ", "eyJ0eXAi"} {
				if bytes.Contains(record, []byte(secret)) {
					t.Errorf("the record holds %q", secret)
				}
			}
		})
	}
	report, err := c.ValidateLog(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range report.Lines() {
		t.Error(line)
	}
	for _, row := range report.Unused() {
		t.Errorf("nothing needed the exception %s", row)
	}
	t.Logf("%d exchanges, %d operations", report.Exchanges, len(report.Operations))
	for o, n := range report.Operations {
		t.Log(n, o)
	}
}
