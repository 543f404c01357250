package app_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/examples"
	"halligan/internal/app"
)

// Nothing by which somebody could be found may be left, and the judgement must
// stay what it was: else nobody could help with what was shared.
func TestPseudonymsHideNamesAndKeepTheVerdict(t *testing.T) {
	source := entra.Source{Name: "tidewater", FS: examples.Tidewater()}
	before, err := entra.Read(source)
	if err != nil {
		t.Fatal(err)
	}
	after, err := app.Snapshot(t.Context(), app.ProveRequest{Sources: []entra.Source{source}}, nil, []byte("a key"))
	if err != nil {
		t.Fatal(err)
	}
	text := after.JSON()
	v := before.View()
	var secret []string
	for _, u := range v.Users {
		secret = append(secret, string(u.ID), u.UserPrincipalName, u.DisplayName)
	}
	for _, p := range v.Policies {
		secret = append(secret, string(p.ID), p.DisplayName)
	}
	for _, l := range v.Locations {
		secret = append(secret, string(l.ID), l.DisplayName)
	}
	for _, d := range v.Domains {
		secret = append(secret, d.Name)
	}
	for _, s := range secret {
		if s != "" && bytes.Contains(bytes.ToLower(text), []byte(strings.ToLower(s))) {
			t.Errorf("%q is still there", s)
		}
	}
	for _, ip := range regexp.MustCompile(`"\d+\.\d+\.\d+\.\d+/\d+"`).FindAllString(string(before.JSON()), -1) {
		if bytes.Contains(text, []byte(ip)) {
			t.Errorf("the address range %s is still there", ip)
		}
	}
	ask := func(s entra.Source) *app.CheckReport {
		r, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Sources: []entra.Source{s}, Now: "2026-11-01"}, Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	was, is := ask(source), ask(entra.Source{Name: "shared", Data: text})
	if was.Verdict != is.Verdict || len(was.Accounts) != len(is.Accounts) {
		t.Errorf("verdict %s of %d accounts became %s of %d", was.Verdict, len(was.Accounts), is.Verdict, len(is.Accounts))
	}
	said := func(r *app.CheckReport) []string {
		var out []string
		for _, f := range r.Findings {
			if f.Check != "id-upn-name" { // it judges the name itself
				out = append(out, f.Check+" "+string(f.Status))
			}
		}
		slices.Sort(out)
		return out
	}
	a, b := said(was), said(is)
	for _, x := range a {
		if !slices.Contains(b, x) {
			t.Errorf("was %s, and is no more", x)
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			t.Errorf("is %s, and was not", x)
		}
	}
}
