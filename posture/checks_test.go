package posture_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"halligan/entra"
	"halligan/posture"
)

// caseFile is testdata/checks/<id>.json: on which worlds a check must say what.
type caseFile struct {
	// Good worlds pass; the base itself is one unless Good says how to make one.
	Good []checkCase `json:"good"`
	// Bad worlds differ from the good one in one setting, and only this check
	// flips, to fail (or Want).
	Bad []checkCase `json:"bad"`
	// Denied worlds lack a part; the check must be indeterminate (or Want, for
	// checks on own records: notSetUp).
	Denied []checkCase `json:"denied"`
	// Adversarial worlds look right and are not, or look wrong and are right.
	Adversarial []checkCase `json:"adversarial"`
}

type checkCase struct {
	Name string `json:"name"`
	// Steps change the good world: the base, changed by Good[0] when there is one.
	Steps []step `json:"steps"`
	// Deny are parts that may not be read.
	Deny []entra.Part `json:"deny"`
	// Want is the status of the check for the account that is worst off.
	Want posture.Status `json:"want"`
	// Also are other checks that must flip too, each with the reason.
	Also map[string]string `json:"also"`
}

func readCases(t *testing.T, id string) *caseFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "checks", id+".json"))
	if err != nil {
		t.Errorf("check %s has no worlds: %v", id, err)
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var f caseFile
	if err := dec.Decode(&f); err != nil {
		t.Errorf("worlds of %s: %v", id, err)
		return nil
	}
	return &f
}

func judge(t *testing.T, w world) map[string]posture.Status {
	t.Helper()
	return statuses(posture.Judge(w.input(t)))
}

// worst is the worst answer of a check over the accounts.
func worst(s map[string]posture.Status, id string) posture.Status {
	best := len(posture.Statuses)
	for k, st := range s {
		if k == id || len(k) > len(id) && k[:len(id)+1] == id+" " {
			best = min(best, slices.Index(posture.Statuses, st))
		}
	}
	if best == len(posture.Statuses) {
		return "none"
	}
	return posture.Statuses[best]
}

func changed(t *testing.T, w world, c checkCase) world {
	t.Helper()
	w = w.clone()
	for _, s := range c.Steps {
		if err := w.apply(s); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
	}
	for _, p := range c.Deny {
		w.deny(p)
	}
	return w
}

// Every check has worlds in which it passes, fails on one changed setting (and
// only it), cannot tell because a part was denied, and is not fooled.
func TestEveryCheckOnItsWorlds(t *testing.T) {
	base := baseWorld(t)
	baseAnswers := judge(t, base)
	for _, check := range posture.Catalogue() {
		t.Run(check.ID, func(t *testing.T) {
			t.Parallel()
			f := readCases(t, check.ID)
			if f == nil {
				return
			}
			if len(f.Bad) == 0 || len(f.Denied) == 0 || len(f.Adversarial) == 0 {
				t.Errorf("%d bad, %d denied and %d adversarial worlds; each kind is wanted", len(f.Bad), len(f.Denied), len(f.Adversarial))
			}
			good, answers := base, baseAnswers
			for i, c := range f.Good {
				w := changed(t, base, c)
				got := judge(t, w)
				if i == 0 {
					good, answers = w, got
				}
				expect(t, "good: "+c.Name, worst(got, check.ID), or(c.Want, posture.Pass))
			}
			if len(f.Good) == 0 {
				expect(t, "the base", worst(answers, check.ID), posture.Pass)
			}
			for _, c := range f.Bad {
				got := judge(t, changed(t, good, c))
				expect(t, "bad: "+c.Name, worst(got, check.ID), or(c.Want, posture.Fail))
				want := []string{check.ID}
				for id, why := range c.Also {
					if why == "" {
						t.Errorf("bad: %s: no reason why %s flips too", c.Name, id)
					}
					want = append(want, id)
				}
				slices.Sort(want)
				if flips := flipped(answers, got); !slices.Equal(flips, want) {
					t.Errorf("bad: %s: flips %v, want %v", c.Name, flips, want)
				}
			}
			for _, c := range f.Denied {
				if len(c.Deny) == 0 && c.Want == "" {
					t.Errorf("denied: %s: nothing is denied", c.Name)
				}
				expect(t, "denied: "+c.Name, worst(judge(t, changed(t, good, c)), check.ID), or(c.Want, posture.Indeterminate))
			}
			for _, c := range f.Adversarial {
				if c.Want == "" {
					t.Errorf("adversarial: %s: no status is wanted", c.Name)
				}
				expect(t, "adversarial: "+c.Name, worst(judge(t, changed(t, good, c)), check.ID), c.Want)
			}
		})
	}
}

func or(a, b posture.Status) posture.Status {
	if a == "" {
		return b
	}
	return a
}

func expect(t *testing.T, where string, got, want posture.Status) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", where, got, want)
	}
}

// No world belongs to a check that does not exist.
func TestEveryWorldHasItsCheck(t *testing.T) {
	files, err := filepath.Glob("testdata/checks/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		if posture.Lookup(name[:len(name)-len(".json")]) == nil {
			t.Errorf("%s: no such check", f)
		}
	}
}

// Every check is whole: a title, reasons, a fix, and a severity and theme that
// exist.
func TestEveryCheckIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range posture.Catalogue() {
		if seen[c.ID] {
			t.Errorf("%s stands twice in the catalogue", c.ID)
		}
		seen[c.ID] = true
		if c.Title == "" || c.Theme == "" || len(c.Why) == 0 || !slices.Contains(posture.Severities, c.Severity) {
			t.Errorf("%s has no title, theme, reason or severity", c.ID)
		}
		if len(c.Fix.Portal)+len(c.Fix.Graph)+len(c.Fix.Command) == 0 {
			t.Errorf("%s has no fix", c.ID)
		}
		if c.Judge == nil && !c.Attestable {
			t.Errorf("%s neither judges nor can be attested", c.ID)
		}
		for _, p := range slices.Concat(c.Reads, c.Asks) {
			if p.Info().Request == "" {
				t.Errorf("%s reads %s, which the table of parts does not have", c.ID, p)
			}
		}
	}
}

// Every number of a practice that a check names exists.
func TestReasonsAreKnown(t *testing.T) {
	if n := len(posture.Practices()); n != 126 {
		t.Errorf("%d practices, want 126", n)
	}
	number := regexp.MustCompile(`^S\d+`)
	for _, c := range posture.Catalogue() {
		for i, why := range c.Why {
			if number.MatchString(why) && c.Reasons()[i] == why {
				t.Errorf("%s: no practice %q", c.ID, why)
			}
		}
	}
}
