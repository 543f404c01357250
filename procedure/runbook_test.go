package procedure_test

import (
	"regexp"
	"strings"
	"testing"

	"halligan/procedure"
)

// S44, S101: what may happen, and the runbook that says what to do.
func TestEveryScenarioHasARunbook(t *testing.T) {
	books := map[string]procedure.Runbook{}
	for _, b := range procedure.Runbooks() {
		if books[b.ID].ID != "" {
			t.Errorf("two runbooks are called %s", b.ID)
		}
		books[b.ID] = b
	}
	for _, id := range []string{"begin", "ca-lockout", "idp-down", "mfa-down", "people-unreachable", "account-deleted", "key-lost", "office-gone", "phones-down", "halligan-down", "after-use"} {
		if books[id].ID == "" {
			t.Errorf("no runbook %s", id)
		}
	}
}

// all are the runbooks and the other lists of steps.
func all() []procedure.Runbook {
	return append(procedure.Runbooks(),
		procedure.Runbook{ID: "card", Title: "card", When: "always", Steps: procedure.FirstMinutes()},
		procedure.Runbook{ID: "opening", Title: "opening", When: "always", Steps: procedure.StockOpening()})
}

// mostSteps is the budget of steps (S126): what does not fit on a page is not read.
const mostSteps = 12

var shout = regexp.MustCompile(`!|\b(please|simply|just|obviously)\b`)

func TestStepsAreShortAndPlain(t *testing.T) {
	for _, b := range all() {
		if b.Title == "" || b.When == "" || len(b.Steps) == 0 || len(b.Steps) > mostSteps {
			t.Errorf("%s: title %q, when %q, %d steps", b.ID, b.Title, b.When, len(b.Steps))
		}
		for i, s := range b.Steps {
			text := strings.Join([]string{s.Do, s.Where, s.Expect, s.Otherwise}, " ")
			if s.Do == "" || len(s.Do) > 200 || len(text) > 650 || shout.MatchString(text) {
				t.Errorf("%s, step %d: %s", b.ID, i+1, text)
			}
			for _, sentence := range []string{s.Do, s.Expect, s.Otherwise} {
				if sentence != "" && !strings.HasSuffix(sentence, ".") && !strings.HasSuffix(sentence, "ACCOUNT") {
					t.Errorf("%s, step %d: %q does not end", b.ID, i+1, sentence)
				}
			}
		}
	}
}

// In an emergency only addresses of Microsoft are typed.
func TestLinksGoToMicrosoft(t *testing.T) {
	link := regexp.MustCompile(`\w+://[^\s,]+`)
	hosts := regexp.MustCompile(`^https://(entra\.microsoft\.com|mysignins\.microsoft\.com|graph\.microsoft\.com|status\.cloud\.microsoft)(/|$)`)
	found := 0
	for _, b := range all() {
		for i, s := range b.Steps {
			for _, l := range link.FindAllString(strings.Join([]string{s.Do, s.Where, s.Command, s.Expect, s.Otherwise}, "\n"), -1) {
				found++
				if !hosts.MatchString(l) {
					t.Errorf("%s, step %d: %s", b.ID, i+1, l)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d links were found", found)
	}
}

// Every use is followed by what makes the account ready again (S120).
func TestWhatGetsInEndsWithAfterUse(t *testing.T) {
	for _, b := range procedure.Runbooks() {
		getsIn, after := false, false
		for _, s := range b.Steps {
			getsIn = getsIn || strings.HasPrefix(s.Do, "Type the user name of the account")
			after = after || strings.Contains(s.Do, "“After use”")
		}
		if getsIn && !after {
			t.Errorf("%s does not end with what comes after", b.ID)
		}
	}
}

func TestTheCallerMayChangeWhatItGets(t *testing.T) {
	procedure.Runbooks()[0].Steps[0].Do = "nothing"
	if procedure.Runbooks()[0].Steps[0].Do == "nothing" {
		t.Error("the next caller gets it, too")
	}
}
