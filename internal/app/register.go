package app

import (
	"fmt"
	"slices"
	"strings"

	"halligan/lockout"
	"halligan/posture"
	"halligan/register"
)

// ReadRegister reads a register and holds what package register cannot know
// against the tables that do: ids of checks and the forms of suppositions. The
// error names every mistake with its line.
func ReadRegister(file string, text []byte) (*register.Register, error) {
	r, err := register.Parse(file, text)
	if err != nil {
		return nil, err
	}
	var errs register.Errors
	report := func(path, what, hint string) {
		errs = append(errs, register.ErrorAt(file, text, path, what, hint))
	}
	check := func(path, id string) *posture.Check {
		c := posture.Lookup(id)
		if c == nil {
			hint := "halligan check --list lists them"
			if near := register.Nearest(id, CheckIDs()); near != "" {
				hint = fmt.Sprintf("did you mean %s? %s", near, hint)
			}
			report(path, fmt.Sprintf("no check %q", id), hint)
		}
		return c
	}
	for i, a := range r.Attestations {
		path := fmt.Sprintf("attestations[%d].check", i)
		if c := check(path, a.Check); c != nil && !c.Attestable {
			report(path, fmt.Sprintf("check %s is read from data and takes no attestation", c.ID), "a risk that somebody answers for stands under accepted")
		}
	}
	for i, a := range r.Accepted {
		check(fmt.Sprintf("accepted[%d].check", i), a.Check)
		for j, id := range a.Compensating {
			check(fmt.Sprintf("accepted[%d].compensating[%d]", i, j), id)
		}
	}
	suppose := func(path string, list []string) {
		for i, expression := range list {
			name, _, _ := strings.Cut(expression, "=")
			if !isSupposition(name) {
				report(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("no supposition %q", name), "halligan prove --help lists them")
			}
		}
	}
	suppose("suppose", r.Suppose)
	for i := range r.Accounts {
		suppose(fmt.Sprintf("accounts[%d].suppose", i), r.Accounts[i].Suppose)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return r, nil
}

// CheckIDs returns the ids of the catalogue, in its order.
func CheckIDs() []string {
	var ids []string
	for _, c := range posture.Catalogue() {
		ids = append(ids, c.ID)
	}
	return ids
}

func isSupposition(name string) bool {
	return slices.ContainsFunc(lockout.SuppositionForms(), func(form [2]string) bool {
		known, _, _ := strings.Cut(form[0], "=")
		return strings.EqualFold(known, strings.TrimSpace(name))
	})
}
