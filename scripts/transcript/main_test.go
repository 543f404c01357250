//go:build unix

// The commands of a transcript are for a shell that Windows does not bring.

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTranscript(t *testing.T) {
	tests := map[string]struct {
		block string
		want  string // part of the error; empty means the transcript holds
	}{
		"lines as shown":                          {"$ printf 'a\\nb\\n'\na\nb", ""},
		"a blank line before the next command":    {"$ echo a\na\n\n$ echo b\nb", ""},
		"another line is printed":                 {"$ echo a\nb", "printed something else"},
		"a line too many is printed":              {"$ printf 'a\\nb\\n'\na", "printed something else"},
		"a line too few is printed":               {"$ echo a\na\nb", "printed something else"},
		"nothing shown and something printed":     {"$ echo a", "printed something else"},
		"dots stand for any lines":                {"$ printf 'a\\nb\\nc\\n'\na\n...\nc", ""},
		"dots stand for no line":                  {"$ printf 'a\\nc\\n'\na\n...\nc", ""},
		"dots do not hide a wrong last line":      {"$ printf 'a\\nb\\nc\\n'\na\n...\nd", "printed something else"},
		"two runs of dots":                        {"$ printf 'a\\nb\\nc\\nd\\n'\n...\nb\n...\nd", ""},
		"stderr counts":                           {"$ echo a >&2\na", ""},
		"downloads do not":                        {"$ echo 'go: downloading example.test/m v1.0.0' >&2; echo a\na", ""},
		"a failure that is not shown":             {"$ echo a; exit 3\na", "ended with code 3"},
		"a failure that go run tells":             {"$ echo a; echo exit status 3; exit 1\na\nexit status 3", ""},
		"a success that is shown as failure":      {"$ echo exit status 3\nexit status 3", "ended with code 0"},
		"a failure whose code is echoed":          {"$ exit 3\n$ echo $?\n3", ""},
		"a failure whose code is echoed, wrongly": {"$ exit 3\n$ echo $?\n5", "printed something else"},
		"a command over two lines":                {"$ echo a \\\n> b\na b", ""},
		"a command that ran before":               {"$ ran-elsewhere\nanything", ""},
		"output before a command":                 {"a\n$ echo a\na", "output before the first command"},
		"no command at all":                       {"", "no console block"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			document := filepath.Join(t.TempDir(), "README.md")
			text := "# Title\n\n```console\n" + tt.block + "\n```\n\nMore.\n"
			if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := check(io.Discard, document, []string{"ran-elsewhere"})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestUnfinishedBlockIsRefused(t *testing.T) {
	_, err := parse("```console\n$ true\n")
	if err == nil || !strings.Contains(err.Error(), "does not end") {
		t.Errorf("got %v, want an error about the end of the block", err)
	}
}
