package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"halligan/entra"
	"halligan/lockout"
	"halligan/posture"
)

// SweepSchema names the JSON form of a sweep over several tenants.
const SweepSchema = "halligan-sweep/1"

// SweepTenant is one tenant of a sweep. Whatever belongs to it (who signs in,
// register, tokens) is in the request that Open makes; nothing is shared with
// another tenant.
type SweepTenant struct {
	ID   entra.ID
	Name string
	Open func() (*CheckRequest, error)
	// Keep is given the report, and says under which name it was kept.
	Keep func(*CheckReport) (string, error)
}

// SweepLine is what became of one tenant.
type SweepLine struct {
	ID      entra.ID        `json:"id"`
	Name    string          `json:"name"`
	Verdict lockout.Outcome `json:"verdict,omitempty"`
	Grade   posture.Grade   `json:"grade,omitempty"`
	Failed  int             `json:"failed"`
	Open    int             `json:"open"` // indeterminate
	Trouble bool            `json:"trouble"`
	Settled bool            `json:"settled"`
	// Report is the file that has the whole report.
	Report string `json:"report,omitempty"`
	// Error says why nothing is known of the tenant; Err is the same for whoever
	// wants its hint.
	Error string `json:"error,omitempty"`
	Err   error  `json:"-"`
	// Worst is the failed finding to look at first.
	Worst string `json:"worst,omitempty"`
}

// sweepAtOnce is how many tenants are read together. Each has its own quota; what
// is bounded is memory here.
const sweepAtOnce = 16

// Sweep checks several tenants and returns a line for each, the worst first. A
// tenant that cannot be read says so in its line, and the others go on. Only the
// tenants under way are held in memory.
func Sweep(ctx context.Context, tenants []SweepTenant, progress func(done, of int)) []SweepLine {
	lines := make([]SweepLine, len(tenants))
	var wait sync.WaitGroup
	var one sync.Mutex
	finished := 0
	room := make(chan struct{}, sweepAtOnce)
	for i := range tenants {
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			lines[i] = sweepOne(ctx, &tenants[i])
			one.Lock()
			defer one.Unlock()
			finished++
			if progress != nil {
				progress(finished, len(tenants))
			}
		})
	}
	wait.Wait()
	slices.SortStableFunc(lines, func(a, b SweepLine) int {
		return cmp.Or(a.rank()-b.rank(), b.Failed-a.Failed, b.Open-a.Open, strings.Compare(a.Name, b.Name))
	})
	return lines
}

func sweepOne(ctx context.Context, t *SweepTenant) SweepLine {
	line := SweepLine{ID: t.ID, Name: t.Name}
	fail := func(err error) SweepLine {
		line.Err, line.Error = err, err.Error()
		return line
	}
	req, err := t.Open()
	if err != nil {
		return fail(err)
	}
	report, err := Check(ctx, *req)
	if err != nil {
		return fail(err)
	}
	line.Verdict, line.Grade, line.Trouble, line.Settled = report.Verdict, report.Grade, report.Trouble(), report.Settled()
	line.Failed, line.Open = report.Counts[posture.Fail], report.Counts[posture.Indeterminate]
	for _, s := range posture.Severities { // the worst first
		for _, f := range report.Findings {
			if f.Status == posture.Fail && f.Severity == s && line.Worst == "" {
				line.Worst = f.Check + ": " + f.Says
			}
		}
	}
	if t.Keep != nil {
		if line.Report, err = t.Keep(report); err != nil {
			return fail(err)
		}
	}
	return line
}

// rank orders lines: trouble, then what is not known, then the rest.
func (l *SweepLine) rank() int {
	switch {
	case l.Err == nil && l.Trouble:
		return 0
	case l.Err != nil:
		return 1
	case !l.Settled:
		return 2
	}
	return 3
}
