package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joshdk/go-junit"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/posture"
)

// actingName is a name that would act where it is printed unescaped: on a terminal,
// in HTML, Markdown, XML, and as a formula in a spreadsheet.
const actingName = "=HYPERLINK(\"http://evil.example\")\x1b[31m<script>alert(1)</script>\u202e]]>| `x`"

func hostileCheck(t *testing.T) *app.CheckReport {
	t.Helper()
	enabled := true
	snap := entra.NewSnapshot(entra.Content{
		Parts: map[entra.Part]entra.PartState{entra.PartPolicies: {Status: entra.StatusRead}, entra.PartUsers: {Status: entra.StatusRead}, entra.PartDomains: {Status: entra.StatusRead}},
		Policies: []entra.Policy{{ID: "p1", DisplayName: actingName, State: entra.StateEnabled,
			Conditions: entra.Conditions{Users: entra.Users{IncludeUsers: []entra.ID{"All"}, ExcludeUsers: []entra.ID{"u1"}}, Applications: entra.Applications{Include: []entra.ID{"All"}}},
			Grant:      entra.Grant{Operator: entra.OperatorOr, Controls: []entra.GrantControl{entra.ControlBlock}}}},
		Users: []entra.User{{ID: "u1", UserPrincipalName: actingName, DisplayName: actingName, UserType: actingName, Enabled: &enabled}},
	})
	r, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Sources: []entra.Source{{Name: "x.json", Data: snap.JSON()}}, Now: "2026-11-21", Tool: "halligan test"},
		Time: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func writtenCheck(t *testing.T, format string, r *app.CheckReport) []byte {
	t.Helper()
	for _, f := range checkFormats {
		if f.name == format {
			var b bytes.Buffer
			if err := f.write(&b, r, look{columns: 80, all: true}); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
	}
	t.Fatalf("no format %s", format)
	return nil
}

func TestSARIFIsOfItsSchema(t *testing.T) {
	text := writtenCheck(t, "sarif", hostileCheck(t))
	report, err := sarif.FromBytes(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Validate(); err != nil {
		t.Errorf("not of the schema of SARIF 2.1.0: %v", err)
	}
	if n := len(report.Runs[0].Results); n < len(posture.Catalogue()) {
		t.Errorf("%d results for %d checks", n, len(posture.Catalogue()))
	}
	// A schema that would accept anything proves nothing.
	broken, err := sarif.FromBytes(bytes.Replace(text, []byte(`"kind": "open"`), []byte(`"kind": "closed"`), 1))
	if err == nil && broken.Validate() == nil {
		t.Error("a result of a kind that does not exist is accepted")
	}
}

func TestJUnitLoadsElsewhere(t *testing.T) {
	r := hostileCheck(t)
	suites, err := junit.Ingest(writtenCheck(t, "junit", r))
	if err != nil {
		t.Fatal(err)
	}
	tests, failed, errors := 0, 0, 0
	for _, s := range suites {
		tests += s.Totals.Tests
		failed += s.Totals.Failed
		errors += s.Totals.Error
	}
	if want := len(r.Findings) + 2*len(r.Accounts); tests != want {
		t.Errorf("%d tests, want %d: every finding, and two goals for each account", tests, want)
	}
	if failed != r.Counts[posture.Fail] || errors < r.Counts[posture.Indeterminate] {
		t.Errorf("%d failed and %d errors of %d and %d", failed, errors, r.Counts[posture.Fail], r.Counts[posture.Indeterminate])
	}
}

func TestCSVIsHarmless(t *testing.T) {
	r := hostileCheck(t)
	text := writtenCheck(t, "csv", r)
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(r.Findings)+1 {
		t.Errorf("%d rows for %d findings", len(rows), len(r.Findings))
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@|%\t\r", rune(cell[0])) {
				t.Errorf("a cell begins as a formula: %q", cell)
			}
		}
	}
}

// Whatever the name of a policy or an account, nothing acts where it is printed.
func TestNamesCannotActInAnyForm(t *testing.T) {
	r := hostileCheck(t)
	for _, f := range checkFormats {
		text := string(writtenCheck(t, f.name, r))
		for _, bad := range []string{"\x1b", "\u202e", "<script>"} {
			if f.name == "json" && bad == "<script>" || f.name == "sarif" && bad == "<script>" || f.name == "csv" && bad == "<script>" || f.name == "terminal" && bad == "<script>" {
				continue // text, not markup, in these
			}
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q gets through", f.name, bad)
			}
		}
	}
	if !json.Valid(writtenCheck(t, "json", r)) {
		t.Error("json is none")
	}
}

// neverReads is a stdin at which nobody types.
type neverReads struct{}

func (neverReads) Read([]byte) (int, error) { select {} }

func TestWaitingForStdinCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"check", "--from", "-"}, neverReads{}, &out, &errs, func(string) string { return "" })
	if code != int(exitFailed) || !strings.Contains(errs.String(), "interrupted") || out.Len() > 0 {
		t.Errorf("exit code %d, %q on stderr, %q on stdout", code, errs.String(), out.String())
	}
}

func TestStepsNameCommandsThatExist(t *testing.T) {
	var names []string
	for _, entry := range commands {
		names = append(names, entry.build(testConsole()).Name())
	}
	slices.Sort(names)
	own := slices.Sorted(slices.Values(ownCommands))
	if !slices.Equal(names, own) {
		t.Errorf("the table has %v, ownCommands %v", names, own)
	}
	for _, c := range posture.Catalogue() {
		for _, line := range fixLines(c.Fix) {
			if step, is := strings.CutPrefix(line, "Halligan: "); is && !commandExists(step) {
				t.Errorf("%s: %s", c.ID, step)
			}
		}
	}
}
