package app

import (
	"encoding/json"
	"fmt"
	"strings"

	"halligan/entra"
	"halligan/posture"
)

// Baseline is an earlier CheckReport, of which only the failures matter: by check
// and account, the objects that were shown as evidence.
type Baseline struct {
	failed map[string]map[string]bool
}

// ReadBaseline reads the JSON of an earlier check.
func ReadBaseline(name string, text []byte) (*Baseline, error) {
	var doc struct {
		Schema   string
		Findings []FindingReport
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, &RequestError{Err: fmt.Errorf("read baseline %s: %v", name, err), hint: "a baseline is what halligan check --format json wrote"}
	}
	if doc.Schema != CheckSchema {
		return nil, &RequestError{Err: fmt.Errorf("read baseline %s: its schema is %q, not %q", name, doc.Schema, CheckSchema),
			hint: "a baseline is what halligan check --format json wrote"}
	}
	b := &Baseline{failed: map[string]map[string]bool{}}
	for i := range doc.Findings {
		f := &doc.Findings[i]
		if f.Status != posture.Fail {
			continue
		}
		if b.failed[f.key()] == nil {
			b.failed[f.key()] = map[string]bool{}
		}
		for _, e := range f.Evidence {
			b.failed[f.key()][object(e)] = true
		}
	}
	return b, nil
}

func (f *FindingReport) key() string { return f.Check + " " + strings.ToLower(string(f.Account)) }

// object names what a piece of evidence is about. Its detail changes from day to
// day and does not count.
func object(e posture.Evidence) string {
	if e.ID == "" {
		return "name " + e.Name
	}
	return "id " + entra.ID(e.ID).Key()
}

// has reports whether a failure was known, with every object that it shows now.
func (b *Baseline) has(f *FindingReport) bool {
	if b == nil || f.Status != posture.Fail {
		return false
	}
	known, failed := b.failed[f.key()]
	for _, e := range f.Evidence {
		failed = failed && known[object(e)]
	}
	return failed
}
