//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// What people read fits into a narrow window: no line is longer, but for one word
// that cannot be broken, such as a hash or a path, and for commands, which are copied.
func TestNarrowWindowBreaksNoLines(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	request := h.ask("log-key")
	h.run(0, "evidence", "checkpoint", "--to", h.dir)
	must(t, os.WriteFile(h.dir+"/key", []byte(h.run(0, "evidence", "checkpoint")), 0o600))
	h.run(0, "evidence", "export", "-o", "export")
	for _, args := range [][]string{
		{"person", "list"}, {"request", "list"}, {"request", "list", "--all"}, {"request", "show", request},
		{"evidence", "log"}, {"evidence", "show", "0"}, {"evidence", "show", "3"},
		{"evidence", "verify", "export", "--key", "key"}, {"store", "check", "--key", "key"}, {"init", "--people", "2"},
	} {
		cmd := h.command(t.Context(), args...)
		cmd.Env = append(cmd.Env, "COLUMNS=60")
		out, err := cmd.Output()
		if err != nil || len(out) == 0 {
			t.Errorf("%q: %v: %s", args, err, out)
		}
		for line := range strings.Lines(string(out)) {
			line = strings.TrimRight(line, "\n")
			words := strings.Fields(line)
			if utf8.RuneCountInString(line) > 60 && len(words) > 1 && words[0] != "halligan" && !(len(words) <= 3 && words[0] == "good") && !longWord(words) {
				t.Errorf("%q prints a line of %d characters: %s", args, utf8.RuneCountInString(line), line)
			}
		}
	}
}

// longWord: a hash or a path beside the word that names it.
func longWord(words []string) bool {
	return len(words) == 2 && utf8.RuneCountInString(words[1]) > 45
}

// What scripts read has the same names in the same places each time, and holds no
// null where a list is meant.
func TestJSONIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	request := h.ask("log-key")
	must(t, os.WriteFile(h.dir+"/key", []byte(h.run(0, "evidence", "checkpoint")), 0o600))
	h.run(0, "evidence", "export", "-o", "export")
	for _, args := range [][]string{
		{"person", "list"}, {"request", "list"}, {"request", "list", "--all"}, {"request", "show", request},
		{"evidence", "log"}, {"evidence", "log", "--kind", "prove"}, {"evidence", "show", "0"}, {"evidence", "checkpoint"},
		{"evidence", "verify", "export", "--key", "key"}, {"store", "check", "--key", "key"},
	} {
		args = append(args, "--format", "json")
		first := h.run(0, args...)
		if again := h.run(0, args...); again != first {
			t.Errorf("%q: got first\n%s\nand then\n%s", args, first, again)
		}
		var any any
		if err := json.Unmarshal([]byte(first), &any); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if strings.Contains(first, ": null") {
			t.Errorf("%q: something is null:\n%s", args, first)
		}
		for _, name := range namesIn(any) {
			if name[0] < 'a' || name[0] > 'z' {
				t.Errorf("%q: the name %q does not begin in lower case", args, name)
			}
		}
		if bytes.Contains([]byte(first), []byte("PRIVATE+KEY")) {
			t.Errorf("%q shows a private key", args)
		}
	}
}

func namesIn(value any) (out []string) {
	switch v := value.(type) {
	case map[string]any:
		for name, one := range v {
			out = append(append(out, name), namesIn(one)...)
		}
	case []any:
		for _, one := range v {
			out = append(out, namesIn(one)...)
		}
	}
	return out
}
