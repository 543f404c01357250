package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// On a terminal init asks how many people there are, and never for a person who does
// not exist; with one it asks who outside keeps the second part.
func TestInitAsksOnATerminalHowManyPeopleThereAre(t *testing.T) {
	from, err := filepath.Abs(filepath.Join("..", "..", "examples", "tenants", "tidewater"))
	must(t, err)
	for name, tt := range map[string]struct {
		answers []string
		code    int
		said    []string // on the terminal
		quorum  string   // in the register
	}{
		"two":                           {[]string{"2"}, 0, []string{"How many people are there"}, "people: 2"},
		"one, and a notary":             {[]string{"1", "Notary Kern"}, 0, []string{"How many people are there", "Who outside keeps"}, "outside: Notary Kern"},
		"one, and nobody outside":       {[]string{"1", ""}, 0, []string{"Who outside keeps"}, "people: 1"},
		"later":                         {[]string{""}, 0, []string{"How many people are there"}, ""},
		"a word is no number":           {[]string{"two", "2"}, 0, []string{"no number of people: \"two\""}, "people: 2"},
		"nobody":                        {[]string{"0", ""}, 0, []string{"answer with a number"}, ""},
		"more people than there can be": {[]string{"99999999999999999999", "\x04"}, 1, []string{"no number of people", "nobody answered"}, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			home := t.TempDir()
			master, terminal := openTerminal(t, 60)
			var out bytes.Buffer
			c := &console{stdin: terminal, stdout: &out, stderr: terminal, getenv: func(name string) string {
				if name == "HALLIGAN_HOME" {
					return home
				}
				return ""
			}}
			_, err := io.WriteString(master, strings.Join(tt.answers, "\n")+"\n") // typed ahead
			must(t, err)
			code := c.run(t.Context(), []string{"init", "--from", from, "--tenant", tidewater, "--account", "ea-north@tidewaterinstruments.onmicrosoft.com"})
			_, err = io.WriteString(terminal, "\nTHE END\n")
			must(t, err)
			said := ""
			for in := bufio.NewScanner(master); !strings.Contains(said, "THE END") && in.Scan(); {
				said += in.Text() + "\n"
			}
			if code != tt.code {
				t.Errorf("it ends with %d, want %d:\n%s\n%s", code, tt.code, said, out.String())
			}
			for _, want := range tt.said {
				if !strings.Contains(said, want) {
					t.Errorf("the terminal does not say %q:\n%s", want, said)
				}
			}
			if tt.answers[0] != "1" && strings.Contains(said, "Who outside") {
				t.Errorf("it asks for somebody outside:\n%s", said)
			}
			text, err := os.ReadFile("halligan.yaml")
			switch {
			case tt.quorum == "none":
				if err == nil {
					t.Error("a register was written all the same")
				}
			case err != nil:
				t.Error(err)
			case tt.quorum == "":
				if strings.Contains(string(text), "quorum:") {
					t.Errorf("the register says how many there are:\n%s", text)
				}
			case !strings.Contains(string(text), tt.quorum):
				t.Errorf("the register has no %q:\n%s", tt.quorum, text)
			}
		})
	}
}
