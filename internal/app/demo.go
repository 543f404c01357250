package app

import (
	"context"
	"fmt"
	"time"

	"halligan/entra"
	"halligan/examples"
	"halligan/lockout"
	"halligan/posture"
)

// Act is one act of the demo: a question about the example tenant that anybody
// can ask again on the command line.
type Act struct {
	Title   string
	Tells   string
	Command string
	Report  *Report
	// Check is set, and Report is not, in the act that checks.
	Check *CheckReport
}

// The example tenant, as it is found in a checkout.
const (
	demoTenant = "examples/tenants/tidewater"
	demoNorth  = "ea-north@tidewaterinstruments.onmicrosoft.com"
	demoSouth  = "ea-south@tidewaterinstruments.onmicrosoft.com"

	demoRegister = "two-accounts.yaml" // of examples/registers
)

// Demo judges the example tenant as it is, with a careless policy, and with that
// policy repaired. It reads nothing but what the program carries, and it fails
// when an act does not end as it must.
func Demo(ctx context.Context, now lockout.Date, tool string) ([]Act, error) {
	acts := []struct {
		title, tells, draft string
		verdict             lockout.Outcome
	}{
		{"A tenant in good order", "Tidewater Instruments has two emergency accounts. Whatever happens, both get in.", "", lockout.Proved},
		{"A careless policy", "Somebody drafts a policy for all users and forgets the emergency accounts.", "careless-policy.json", lockout.Lockout},
		{"The repair", "The draft excludes the group of the emergency accounts.", "repaired-policy.json", lockout.Proved},
	}
	var out []Act
	for _, a := range acts {
		req := ProveRequest{Sources: []entra.Source{{Name: demoTenant, FS: examples.Tidewater()}}, Accounts: []string{demoNorth, demoSouth}, Now: now, Tool: tool}
		command := "halligan prove --from " + demoTenant + " --account " + demoNorth + " --account " + demoSouth
		if a.draft != "" {
			data, err := examples.Draft(a.draft)
			if err != nil {
				return nil, err
			}
			name := "examples/drafts/" + a.draft
			req.With = []entra.Source{{Name: name, Data: data}}
			command += " --with " + name
		}
		r, err := Prove(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("demo, %s: %w", a.title, err)
		}
		if r.Verdict != a.verdict {
			return nil, fmt.Errorf("demo, %s: the verdict is %s, not %s", a.title, r.Verdict, a.verdict)
		}
		out = append(out, Act{a.title, a.tells, command, r, nil})
	}
	checked, err := demoCheck(ctx, now, tool)
	if err != nil {
		return nil, fmt.Errorf("demo, the checks: %w", err)
	}
	return append(out, *checked), nil
}

// demoCheck is the act that asks every check.
func demoCheck(ctx context.Context, now lockout.Date, tool string) (*Act, error) {
	name := "examples/registers/" + demoRegister
	text, err := examples.Register(demoRegister)
	if err != nil {
		return nil, err
	}
	r, err := ReadRegister(name, text)
	if err != nil {
		return nil, err
	}
	day, err := time.Parse(time.DateOnly, string(now))
	if err != nil {
		return nil, err
	}
	report, err := Check(ctx, CheckRequest{ProveRequest: ProveRequest{Sources: []entra.Source{{Name: demoTenant, FS: examples.Tidewater()}}, Now: now, Tool: tool},
		Register: r, RegisterName: name, Time: day})
	if err != nil {
		return nil, err
	}
	if report.Grade == posture.Green || report.Verdict != lockout.Proved {
		return nil, fmt.Errorf("the grade is %s and the verdict %s", report.Grade, report.Verdict)
	}
	return &Act{Title: "Everything else", Tells: "Getting in is not enough: the checks ask what else would fail on the day, and what nobody has read yet.",
		Command: "halligan check --from " + demoTenant + " --register " + name, Check: report}, nil
}
