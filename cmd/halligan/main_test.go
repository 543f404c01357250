package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func testConsole() *console {
	return &console{
		stdin: strings.NewReader(""), stdout: new(bytes.Buffer), stderr: new(bytes.Buffer),
		getenv: func(string) string { return "" },
	}
}

// curable is an error of another package that carries a hint.
type curable struct{}

func (curable) Error() string { return "read policies: no such folder" }
func (curable) Hint() string  { return "export them first" }

// The way in which a command ends is a promise to scripts: the code, and which
// lines stand on stderr.
func TestEndings(t *testing.T) {
	tests := map[string]struct {
		err  error
		code exitCode
		want string
	}{
		"done":                               {nil, exitDone, ""},
		"all well":                           {ended(exitDone), exitDone, ""},
		"trouble needs no words":             {ended(exitTrouble), exitTrouble, ""},
		"could not tell needs no words":      {ended(exitUndetermined), exitUndetermined, ""},
		"an outcome that was wrapped":        {fmt.Errorf("judge: %w", ended(exitTrouble)), exitTrouble, ""},
		"a failure":                          {errors.New("disk full"), exitFailed, "error: disk full\n"},
		"a failure with a hint":              {curable{}, exitFailed, "error: read policies: no such folder\nhint: export them first\n"},
		"a hint below a wrapping":            {fmt.Errorf("prove: %w", curable{}), exitFailed, "error: prove: read policies: no such folder\nhint: export them first\n"},
		"misuse found by the command itself": {misused("give one", "no account"), exitMisused, "error: no account\nhint: give one\n"},
		"misuse without a hint of its own":   {misused("", "no account"), exitMisused, "error: no account\nhint: see halligan probe --help\n"},
		"not signed in":                      {&fault{exitNotSignedIn, errors.New("no token"), "run halligan login"}, exitNotSignedIn, "error: no token\nhint: run halligan login\n"},
		"several lines stay together":        {errors.New("two files\na.json: empty\nb.json: empty"), exitFailed, "error: two files\n       a.json: empty\n       b.json: empty\n"},
		"foreign text cannot act":            {errors.New("policy \x1b[2Jx"), exitFailed, "error: policy \\u{001b}[2Jx\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := testConsole()
			code := runBody(t.Context(), c, func() error { return tt.err })
			if code != tt.code {
				t.Errorf("got exit code %d, want %d", code, tt.code)
			}
			if got := c.stderr.(*bytes.Buffer).String(); got != tt.want {
				t.Errorf("got on stderr\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// runBody runs a command whose body is given, in a tree assembled as the real one is.
func runBody(ctx context.Context, c *console, body func() error) exitCode {
	root := newRoot(c)
	probe := &cobra.Command{Use: "probe", RunE: func(*cobra.Command, []string) error { return body() }}
	finish(probe)
	root.AddCommand(probe)
	root.SetArgs([]string{"probe"})
	cmd, err := root.ExecuteContextC(ctx)
	return c.report(ctx, cmd, err)
}

func TestInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := testConsole()
	code := runBody(ctx, c, func() error {
		cancel()
		return fmt.Errorf("get policies: %w", ctx.Err())
	})
	if got := c.stderr.(*bytes.Buffer).String(); code != exitFailed || got != "error: interrupted\n" {
		t.Errorf("got code %d and %q, want code 1 and that it was interrupted", code, got)
	}
}

func TestTroubleWinsOverNotKnowing(t *testing.T) {
	tests := []struct{ a, b, want exitCode }{
		{exitDone, exitDone, exitDone},
		{exitDone, exitTrouble, exitTrouble},
		{exitUndetermined, exitDone, exitUndetermined},
		{exitUndetermined, exitTrouble, exitTrouble},
		{exitTrouble, exitUndetermined, exitTrouble},
	}
	for _, tt := range tests {
		if got := worse(tt.a, tt.b); got != tt.want {
			t.Errorf("worse(%d, %d): got %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// Every line of the table must be complete, or help and docs have holes.
func TestEveryCommandExplainsItself(t *testing.T) {
	groupIDs := map[string]bool{}
	for _, group := range groups {
		groupIDs[group.ID] = true
	}
	for _, entry := range commands {
		cmd := entry.build(testConsole())
		if !groupIDs[entry.group] {
			t.Errorf("%s: no group %q", cmd.Name(), entry.group)
		}
		walk(cmd, func(cmd *cobra.Command) {
			if cmd.Short == "" || cmd.Long == "" {
				t.Errorf("%s: want a short and a long description", cmd.CommandPath())
			}
			if first := cmd.Short[:min(1, len(cmd.Short))]; first != strings.ToLower(first) || strings.HasSuffix(cmd.Short, ".") {
				t.Errorf("%s: short description %q: want lower case and no full stop", cmd.CommandPath(), cmd.Short)
			}
			if cmd.Run != nil {
				t.Errorf("%s: want RunE: Run cannot tell that it failed", cmd.CommandPath())
			}
		})
	}
}

func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		walk(sub, visit)
	}
}

// A command that only has commands below it must not succeed when it was not
// told which: a script would take the help text for a result.
func TestCommandWithoutItsSecondWordIsMisuse(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"none":    {[]string{"store"}, "error: halligan store needs to know what to do\n"},
		"unknown": {[]string{"store", "bakup"}, "error: unknown command \"bakup\"\nhint: did you mean \"halligan store backup\"?"},
	} {
		t.Run(name, func(t *testing.T) {
			c := testConsole()
			root := newRoot(c)
			store := &cobra.Command{Use: "store"}
			store.AddCommand(&cobra.Command{Use: "backup", RunE: func(*cobra.Command, []string) error { return nil }})
			finish(store)
			root.AddCommand(store)
			root.SetArgs(tt.args)
			cmd, err := root.ExecuteContextC(t.Context())
			code := c.report(t.Context(), cmd, err)
			if got := c.stderr.(*bytes.Buffer).String(); code != exitMisused || !strings.HasPrefix(got, tt.want) {
				t.Errorf("got code %d and\n%s\nwant code 2 and\n%s", code, got, tt.want)
			}
		})
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// Output that could not be written must not pass for success.
func TestUnwritableOutputFails(t *testing.T) {
	for _, args := range [][]string{nil, {"version"}} {
		var stderr bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), brokenPipe{}, &stderr, func(string) string { return "" })
		if code != int(exitFailed) || !strings.Contains(stderr.String(), "broken pipe") {
			t.Errorf("%q: got code %d and %q, want code 1 and the reason", args, code, stderr.String())
		}
	}
}
