package app

import (
	"encoding/json"
	"fmt"
	"strings"

	"halligan/posture"
)

// Baseline is an earlier CheckReport, of which only the failures matter.
type Baseline struct {
	failed map[string]bool
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
	b := &Baseline{failed: map[string]bool{}}
	for i := range doc.Findings {
		if doc.Findings[i].Status == posture.Fail {
			b.failed[doc.Findings[i].key()] = true
		}
	}
	return b, nil
}

func (f *FindingReport) key() string { return f.Check + " " + strings.ToLower(string(f.Account)) }

func (b *Baseline) has(f *FindingReport) bool {
	return b != nil && f.Status == posture.Fail && b.failed[f.key()]
}
