package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// survived runs survive on an example and returns what it says.
func survived(t *testing.T, example string, args ...string) string {
	t.Helper()
	var out, talk bytes.Buffer
	home := t.TempDir()
	getenv := func(name string) string { return map[string]string{"HALLIGAN_HOME": home, "COLUMNS": "4000"}[name] }
	code := run(t.Context(), append([]string{"survive", "--register", filepath.Join("..", "..", "examples", "custody", example)}, args...), strings.NewReader(""), &out, &talk, getenv)
	if code != 0 && code != 3 && code != 5 {
		t.Fatalf("survive %q ends with %d: %s", args, code, talk.String())
	}
	return out.String()
}

// With --all every loss stands in one group with those that leave the same ways in:
// first what ends it, then what may, then what weakens, last what does no harm.
func TestAllLossesAreToldInGroups(t *testing.T) {
	for _, example := range []string{"ians.yaml", "bakker.yaml", "indefent.yaml"} {
		var report struct {
			Losses []struct{ Title, Works string }
		}
		if err := json.Unmarshal([]byte(survived(t, example, "--format", "json")), &report); err != nil {
			t.Fatal(err)
		}
		text := survived(t, example, "--all")
		_, part, found := strings.Cut(text, "Each single loss: what is left ← after the loss of")
		part, _, _ = strings.Cut(part, "Ends it for certain")
		if !found {
			t.Fatalf("%s: no groups in\n%s", example, text)
		}
		worst := 0
		lines := map[string]string{} // of each group, what is left
		for line := range strings.Lines(part) {
			left, names, is := strings.Cut(strings.TrimRight(line, "\n"), " ← ")
			if !is {
				continue
			}
			rank := 1
			for mark, r := range map[string]int{"✗": 0, "✓": 2} {
				if strings.Contains(left, mark) {
					rank = r
				}
			}
			if strings.Contains(left, "every way in is left") {
				rank = 3
			}
			if rank < worst {
				t.Errorf("%s: %q comes after what is less bad", example, line)
			}
			worst = rank
			if lines[left] != "" {
				t.Errorf("%s: two groups say %q", example, left)
			}
			lines[left] = ", " + names + ", "
		}
		marks := map[string]string{"yes": "✓", "no": "✗", "maybe": "?"}
		for _, l := range report.Losses {
			in := 0
			for left, names := range lines {
				if strings.Contains(names, ", "+l.Title+", ") {
					in++
					if !strings.Contains(left, marks[l.Works]) {
						t.Errorf("%s: %s stands under %q, and is %s", example, l.Title, left, l.Works)
					}
				}
			}
			if in != 1 {
				t.Errorf("%s: %s stands in %d groups", example, l.Title, in)
			}
		}
		if len(lines) >= len(report.Losses)/2 {
			t.Errorf("%s: %d groups of %d losses", example, len(lines), len(report.Losses))
		}
	}
}
