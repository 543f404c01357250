package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// docs/cli.md is written from the command tree, so it cannot promise a flag that
// does not exist. Run with -update after a change of the commands.
func TestDocsAreCurrent(t *testing.T) {
	document := filepath.Join("..", "..", "docs", "cli.md")
	want := cliDocument(newRoot(testConsole()))
	if *update {
		if err := os.WriteFile(document, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: run go test ./cmd/halligan -update\n%s", document, firstDifference(string(got), string(want)))
	}
}

// docs/checks.md, docs/permissions.md and docs/rights.md are written from the tables of the checks
// of the requests and of the rights.
func TestDocsAreCurrentChecks(t *testing.T) {
	for name, want := range map[string]string{"checks.md": checksDocument(), "permissions.md": permissionsDocument(permissionEntries()), "rights.md": rightsDocument()} {
		document := filepath.Join("..", "..", "docs", name)
		if *update {
			if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is stale: run go test ./cmd/halligan -update\n%s", document, firstDifference(string(got), want))
		}
	}
}

func cliDocument(root *cobra.Command) []byte {
	var b bytes.Buffer
	b.WriteString(`# The command line

<!-- Written by go test ./cmd/halligan -update. Do not edit. -->

Results go to stdout, errors and hints to stderr. Colour is used on a terminal only, and not when NO_COLOR is set.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | misused: wrong command, flag or argument; nothing was done |
| 3 | looked and found trouble |
| 4 | not signed in |
| 5 | looked and could not tell: undetermined, incomplete or denied; 3 wins over 5 |
`)
	for _, group := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n", strings.TrimSuffix(group.Title, ":"))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.ID {
				describe(&b, cmd)
			}
		}
	}
	return b.Bytes()
}

func describe(b *bytes.Buffer, cmd *cobra.Command) {
	if !cmd.IsAvailableCommand() && cmd.Name() != "help" {
		return
	}
	cmd.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n### %s\n\n```\n%s\n```\n\n%s\n", cmd.CommandPath(), cmd.UseLine(), block(cmd.Long))
	if cmd.HasExample() {
		fmt.Fprintf(b, "\nExample:\n\n```\n%s\n```\n", unindent(cmd.Example))
	}
	if flags := strings.TrimRight(cmd.LocalFlags().FlagUsages(), "\n"); flags != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", flags)
	}
	for _, sub := range cmd.Commands() {
		describe(b, sub)
	}
}

// block makes the indented parts of a help text into code blocks, which Markdown
// only sees after four spaces.
func block(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  ") {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

func unindent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(g), len(w))
}
