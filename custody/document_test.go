package custody_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/threat-model.md promises tests. Each must be there, and each story must
// stand in it.
func TestTheThreatModelNamesItsTests(t *testing.T) {
	page, err := os.ReadFile("../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stories {
		if !strings.Contains(string(page), "`"+s.name+"`") {
			t.Errorf("the page lacks %q", s.name)
		}
	}
	var source strings.Builder
	for _, pattern := range []string{"../*/*_test.go", "../internal/*/*_test.go", "../cmd/*/*_test.go", "../lockout/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(source.String(), "func "+m[1]+"(") {
			t.Errorf("the page names %s, which is not there", m[1])
		}
	}
	for _, section := range []string{"## Approvals", "## People", "## The register's deciding part"} {
		_, rest, found := strings.Cut(string(page), section)
		body, _, _ := strings.Cut(rest, "\n## ")
		if !found {
			t.Errorf("no section %s", section)
		}
		for _, m := range regexp.MustCompile("(?m)^\\|.*\\|.*\\| `([^`]+)`").FindAllStringSubmatch(body, -1) {
			if name := m[1]; !strings.HasPrefix(name, "Test") && !knownStory(name) {
				t.Errorf("%s: nobody tells the story %q", section, name)
			}
		}
	}
}

func knownStory(name string) bool {
	for _, s := range stories {
		if s.name == name {
			return true
		}
	}
	return false
}
