package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/examples"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
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
	// Check is set, and Report is not, in the act that checks; Steps in the act that
	// does something.
	Check *CheckReport
	Steps []DemoStep
}

// The example tenant, as it is found in a checkout.
const (
	demoTenant = "examples/tenants/tidewater"
	demoNorth  = "ea-north@tidewaterinstruments.onmicrosoft.com"
	demoSouth  = "ea-south@tidewaterinstruments.onmicrosoft.com"

	demoRegister = "two-accounts.yaml" // of examples/registers
)

// Demo judges the example tenant as it is, with a careless policy, and with that
// policy repaired; then it seals a password for three, loses one of them, and opens it. The tenant is emulated on this machine for as long as it takes,
// and signed in to and read as any other is. It fails when an act does not end as
// it must.
func Demo(ctx context.Context, now lockout.Date, tool string) ([]Act, error) {
	tenant, err := openDemo(ctx)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	defer tenant.close()
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
		req := ProveRequest{Tenant: tenant, TenantName: "Tidewater Instruments", Accounts: []string{demoNorth, demoSouth}, Now: now, Tool: tool}
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
		out = append(out, Act{Title: a.title, Tells: a.tells, Command: command, Report: r})
	}
	checked, err := demoCheck(ctx, tenant, now, tool)
	if err != nil {
		return nil, fmt.Errorf("demo, the checks: %w", err)
	}
	sealed, err := demoSeal(now)
	if err != nil {
		return nil, fmt.Errorf("demo, the seal: %w", err)
	}
	return append(out, *checked, *sealed), nil
}

// demoSite is the example tenant, emulated. It is read once.
type demoSite struct {
	site   *sandbox.Site
	client *graph.Client
	read   *entra.Snapshot
}

// Read reads the tenant, the first time.
func (d *demoSite) Read(ctx context.Context, scope graph.Scope) (*entra.Snapshot, error) {
	if d.read != nil {
		return d.read, nil
	}
	var err error
	d.read, err = d.client.Read(ctx, scope)
	return d.read, err
}

// close ends the site; nothing of it is left.
func (d *demoSite) close() { _ = d.site.Close() }

// openDemo emulates the example tenant and signs in to it.
func openDemo(ctx context.Context) (*demoSite, error) {
	exported, err := entra.Read(entra.Source{Name: demoTenant, FS: examples.Tidewater()})
	if err != nil {
		return nil, err
	}
	state, err := sandbox.FromSnapshot(exported)
	if err != nil {
		return nil, err
	}
	site, err := sandbox.Open(ctx, sandbox.Config{State: state}, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	client, err := readerOf(site)
	if err != nil {
		return nil, errors.Join(err, site.Close())
	}
	return &demoSite{site: site, client: client}, nil
}

// readerOf signs in to an emulated tenant as the application that is there for it.
func readerOf(site *sandbox.Site) (*graph.Client, error) {
	apps := site.Apps()
	i := slices.IndexFunc(apps, func(a sandbox.App) bool { return a.Name == sandbox.ReaderName })
	if i < 0 {
		return nil, errors.New("sign in to the emulated tenant: it has no application that may read it")
	}
	cloud, err := graph.CustomCloud(site.URL, site.Pool())
	if err != nil {
		return nil, err
	}
	signIn := graph.SignIn{Method: graph.MethodSecret, Cloud: cloud, Tenant: site.TenantID(), ClientID: apps[i].ClientID, Secret: custody.NewSecret([]byte(apps[i].Secret))}
	credential, err := signIn.Build()
	if err != nil {
		return nil, err
	}
	return graph.New(graph.Config{Cloud: cloud, Tenant: site.TenantID(), Credential: credential})
}

// demoCheck is the act that asks every check.
func demoCheck(ctx context.Context, tenant Tenant, now lockout.Date, tool string) (*Act, error) {
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
	report, err := Check(ctx, CheckRequest{ProveRequest: ProveRequest{Tenant: tenant, TenantName: "Tidewater Instruments", Now: now, Tool: tool},
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
