//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asksCustody has Ana ask for a change of custody, and returns the request.
func (h *house) asksCustody(what ...string) string {
	h.t.Helper()
	out := h.run(0, append(append([]string{"custody"}, what...), "--by", "Ana Weiss", "--why", "a test", "--key", "ana")...)
	m := regexp.MustCompile(`(?m)^Request ([0-9a-f]{12})$`).FindStringSubmatch(out)
	if m == nil {
		h.t.Fatalf("no request in %s", out)
	}
	return m[1]
}

func (h *house) register() string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, registerFile))
	must(h.t, err)
	return string(text)
}

// While one process serves the evidence, parts are written down, moved and looked at
// through it. While it hangs, the list is told, a look and a move end soon, and
// nothing of the register is changed.
func TestCustodyBesideServe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	served := h.serve()
	for _, place := range []string{"Main safe", "Bank"} {
		h.run(0, "approve", h.asksCustody("place", place, "--site", place), "--as", "Ben Ode", "--key", "ben")
	}
	h.run(0, "approve", h.asksCustody("add", "red binder", "--kind", "binder", "--holder", "Ana Weiss", "--place", "Main safe", "--seal", "4401"), "--as", "Ben Ode", "--key", "ben")
	h.run(0, "approve", h.asksCustody("move", "red binder", "--to", "Bank"), "--as", "Ben Ode", "--key", "ben")
	if !strings.Contains(h.register(), "place: Bank") {
		t.Errorf("it was not moved:\n%s", h.register())
	}
	h.run(3, "custody", "verify", "red binder", "--as", "Ben Ode", "--state", "intact", "--seal", "4401", "--digest", "0123456789abcdef")
	ask := h.asksCustody("move", "red binder", "--to", "Main safe")

	must(t, served.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus // a signal is delivered in its time
	if _, err := syscall.Wait4(served.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it did not stop: %v %v", status, err)
	}
	before, start := h.size(), time.Now()
	if out := h.run(3, "custody", "list"); !strings.Contains(out, "red binder: binder, held by Ana Weiss, in Bank") {
		t.Errorf("the list says %s", out)
	}
	h.run(3, "check", "--from", "tenant", "-o", "report.json")
	if took := time.Since(start); took > late {
		t.Errorf("reading took %s", took)
	}
	for _, args := range [][]string{{"approve", ask, "--as", "Ben Ode", "--key", "ben"}, {"custody", "verify", "red binder", "--as", "Ben Ode", "--state", "intact"}} {
		if out := h.run(1, args...); !strings.Contains(out, fmt.Sprintf("(kill %d)", served.Process.Pid)) {
			t.Errorf("%q says %s", args, out)
		}
	}
	if !strings.Contains(h.register(), "place: Bank") || h.size() != before {
		t.Error("something was changed")
	}
	must(t, served.Process.Signal(syscall.SIGCONT))
	h.run(0, "approve", ask, "--as", "Ben Ode", "--key", "ben")
	if !strings.Contains(h.register(), "place: Main safe") {
		t.Errorf("it was not moved:\n%s", h.register())
	}
	h.verified()
}
