package app_test

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"halligan/entra"
	"halligan/examples"
	"halligan/internal/app"
	"halligan/lockout"
	"halligan/posture"
	"halligan/register"
)

var checkDay = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func checkTidewater(t *testing.T, r *register.Register) *app.CheckReport {
	t.Helper()
	req := app.CheckRequest{ProveRequest: app.ProveRequest{Sources: []entra.Source{{Name: "tidewater", FS: examples.Tidewater()}}, Now: "2026-11-21", Tool: "halligan test"},
		Register: r, Time: checkDay}
	report, err := app.Check(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	conformsToCheck(t, report)
	return report
}

var checkSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "check.schema.json"))
})

// conformsToCheck holds a report against docs/check.schema.json.
func conformsToCheck(t *testing.T, r *app.CheckReport) {
	t.Helper()
	schema, err := checkSchema()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("the report is not of its schema: %v", err)
	}
}

const (
	tidewaterNorth = "2786d9fb-aa4e-4778-8abb-11a546852728"
	tidewaterSouth = "f3e17452-398d-4a53-b5ca-a4ab1958a78b"
)

func TestWithoutRegisterNothingIsSettled(t *testing.T) {
	r := checkTidewater(t, nil)
	if r.Settled() || r.Grade == posture.Green || !r.Hypothesis {
		t.Errorf("settled %v, grade %s, hypothesis %v", r.Settled(), r.Grade, r.Hypothesis)
	}
	if !strings.HasPrefix(r.Init, "halligan init --from tidewater --account ea-north@tidewaterinstruments.onmicrosoft.com") || len(r.Next) == 0 || r.Next[0].Do != r.Init {
		t.Errorf("the report does not begin its next steps with init: %q %v", r.Init, r.Next)
	}
	for _, a := range r.Accounts {
		if !a.Hypothesis {
			t.Errorf("%s is no hypothesis", a.Label())
		}
	}
	if len(r.Proposals) == 0 || len(r.Proposals[0].Signs) == 0 {
		t.Error("no proposal with its signs")
	}
}

func TestRegisteredAccountsAreJudged(t *testing.T) {
	r := checkTidewater(t, &register.Register{Version: 1, Accounts: []register.Account{{ID: tidewaterNorth}, {ID: entra.ID(strings.ToUpper(tidewaterSouth))}}})
	if r.Hypothesis || len(r.Accounts) != 2 || r.Verdict != lockout.Proved {
		t.Fatalf("hypothesis %v, %d accounts, %s", r.Hypothesis, len(r.Accounts), r.Verdict)
	}
	if r.Init != "" || len(r.Proposals) != 0 {
		t.Error("a register needs no proposals")
	}
	if !slices.ContainsFunc(r.Findings, func(f *app.FindingReport) bool { return f.Check == "id-enabled" && f.Status == posture.Pass }) {
		t.Error("id-enabled does not pass")
	}
}

func TestBaselineMakesFailuresKnown(t *testing.T) {
	first := checkTidewater(t, nil)
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := app.ReadBaseline("last.json", text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Sources: []entra.Source{{Name: "tidewater", FS: examples.Tidewater()}}, Now: "2026-11-21"},
		Time: checkDay, FailOn: posture.Low, Baseline: b})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, f := range again.Findings {
		if f.Status != posture.Fail {
			continue
		}
		failed++
		if !f.Known || f.Counts {
			t.Errorf("%s %s: known %v, counts %v", f.Check, f.Account, f.Known, f.Counts)
		}
	}
	if failed == 0 || again.Trouble() {
		t.Errorf("%d failures, trouble %v", failed, again.Trouble())
	}
	if _, err := app.ReadBaseline("x", []byte(`{"schema":"halligan-prove/1"}`)); err == nil {
		t.Error("a report of prove is taken for a baseline")
	}
}

func TestInitTakesOnlyWhatWasNamed(t *testing.T) {
	sources := []entra.Source{{Name: "tidewater", FS: examples.Tidewater()}}
	if _, err := app.Init(t.Context(), app.InitRequest{Sources: sources, Now: "2026-11-21"}); err == nil {
		t.Error("init guesses")
	}
	made, err := app.Init(t.Context(), app.InitRequest{Sources: sources, Accounts: []string{"ea-north@tidewaterinstruments.onmicrosoft.com"}, Now: "2026-11-21"})
	if err != nil {
		t.Fatal(err)
	}
	if a := made.Register.Accounts; len(a) != 1 || a[0].ID != tidewaterNorth || a[0].Pattern != register.PatternFIDO2 || len(a[0].Keys) == 0 {
		t.Errorf("accounts %+v", a)
	}
	if len(made.Register.Groups) != 1 || len(made.Register.Policies) == 0 {
		t.Errorf("groups %+v, policies %+v", made.Register.Groups, made.Register.Policies)
	}
}

// What init writes down of keys and certificates is what the check compares them
// with: the first check after it must not fail on them.
func TestInitPutsCertificatesIntoTheInventory(t *testing.T) {
	const id = "11111111-0000-4000-8000-000000000001"
	const metadata = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users`
	sources := []entra.Source{
		{Name: "users.json", Data: []byte(metadata + `","value":[{"id":"` + id + `","userPrincipalName":"a@x.example"}]}`)},
		{Name: "methods.json", Data: []byte(metadata + `('` + id + `')/authentication/methods","value":[
			{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"fido","displayName":"Blue"},
			{"@odata.type":"#microsoft.graph.x509CertificateAuthenticationMethod","id":"cert"}]}`)},
	}
	made, err := app.Init(t.Context(), app.InitRequest{Sources: sources, Accounts: []string{id}, Now: "2026-11-21"})
	if err != nil {
		t.Fatal(err)
	}
	if a := made.Register.Accounts; len(a) != 1 || len(a[0].Keys) != 2 || a[0].Pattern != register.PatternFIDO2 {
		t.Fatalf("accounts %+v, open %q", a, made.Open)
	}
	r, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Sources: sources, Now: "2026-11-21"}, Register: made.Register, Time: checkDay})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Check == "am-key-registry-match" && f.Status != posture.Pass {
			t.Errorf("%s: %s %v", f.Status, f.Says, f.Evidence)
		}
	}
}

// A tenant of Entra Free has no policies to be excluded from; it gets an answer
// about what it has, and is told what nobody can see.
func TestAFreeTenantGetsAUsefulAnswer(t *testing.T) {
	r, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Sources: []entra.Source{{Name: "hollins", FS: examples.Hollins()}}, Now: "2026-11-21", Tool: "halligan test"},
		Register: &register.Register{Version: 1, Accounts: []register.Account{{ID: "5d0c7b1e-2f3a-4c4d-9e5f-6a7b8c9d0e1f", Pattern: register.PatternFIDO2}}}, Time: checkDay})
	if err != nil {
		t.Fatal(err)
	}
	conformsToCheck(t, r)
	if r.Incomplete || r.PoliciesRead != 0 || r.Verdict == lockout.Lockout || r.Grade == posture.Green {
		t.Errorf("incomplete %v, %d policies, %s, %s", r.Incomplete, r.PoliciesRead, r.Verdict, r.Grade)
	}
	status := map[string]posture.Status{}
	for _, f := range r.Findings {
		status[f.Check] = f.Status
		if f.Theme == posture.ThemePolicies && f.Status == posture.Fail {
			t.Errorf("%s fails in a tenant without Conditional Access: %s", f.Check, f.Says)
		}
	}
	for id, want := range map[string]posture.Status{"id-enabled": posture.Pass, "id-domain": posture.Pass, "am-phish-resistant": posture.Pass, "id-count-min": posture.Fail} {
		if status[id] != want {
			t.Errorf("%s: %s, want %s", id, status[id], want)
		}
	}
	for _, s := range r.Next {
		if strings.Contains(s.Do, "conditionalAccess/policies") {
			t.Errorf("the policies were read, and the next step is %q", s.Do)
		}
	}
}

// without is the example tenant with one file replaced.
func without(t *testing.T, name, text string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(examples.Tidewater(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(examples.Tidewater(), path)
		if path == name {
			data = []byte(text)
		}
		out[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What was not read is no lockout: the policy that is missing may be the one
// that lets the account in.
func TestUnreadPoliciesAreNoLockout(t *testing.T) {
	for name, text := range map[string]string{
		"an error of Graph": `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}`,
		"nothing":           ``,
		"half a file":       `{"value":[{"id":`,
		"the first page":    `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","@odata.nextLink":"https://graph.microsoft.com/v1.0/identity/conditionalAccess/policies?$skiptoken=x","value":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			r, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Sources: []entra.Source{{Name: "tidewater", FS: without(t, "conditionalAccessPolicies.json", text)}}, Now: "2026-11-21"},
				Register: &register.Register{Version: 1, Accounts: []register.Account{{ID: tidewaterNorth}}}, Time: checkDay})
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != lockout.Undetermined || r.Settled() || len(r.Warnings) == 0 {
				t.Errorf("verdict %s, settled %v, warnings %q", r.Verdict, r.Settled(), r.Warnings)
			}
		})
	}
}

// An account of the register that is not among the users read is named first.
func TestAStrangerInTheRegisterIsNamed(t *testing.T) {
	r := checkTidewater(t, &register.Register{Version: 1, Accounts: []register.Account{{ID: tidewaterNorth}, {ID: "11111111-2222-4333-8444-555555555555", Name: "ghost@tidewater.example"}, {ID: "bc86f236-9a8f-47b6-88e1-ee622e9ae0ce"}}})
	if len(r.Warnings) != 2 || !strings.Contains(r.Warnings[0], "ghost@tidewater.example") || !strings.Contains(r.Warnings[1], "is a group") {
		t.Errorf("warnings %q", r.Warnings)
	}
}
