package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"halligan/internal/sandbox"
)

// keptTenant is an emulated tenant whose register says who holds what: of the first
// account a key and its PIN, by somebody of the tenant's directory.
func keptTenant(t *testing.T) (*faultTenant, sandbox.Object) {
	t.Helper()
	f := openTenant(t, "contoso-hardened", hardened...)
	var holder sandbox.Object
	f.site.View(func(s *sandbox.State) {
		for _, u := range s.All("users") {
			if upn, _ := u["userPrincipalName"].(string); holder == nil && !strings.HasPrefix(upn, "bg") {
				holder = u
			}
		}
	})
	if holder == nil {
		t.Fatal("nobody is in the directory")
	}
	text, err := os.ReadFile(f.register)
	must(t, err)
	id, _ := holder["id"].(string)
	must(t, os.WriteFile(f.register, []byte(string(text)+"people:\n  - name: Ana\n    id: "+id+"\nparts:\n  - kind: key\n    account: "+f.accounts[0]+"\n    holder: Ana\n"), 0o600))
	return f, holder
}

// Nothing is read from a network unless somebody says --live; what is signed in to is
// read then, as check reads it.
func TestTheTenantsSideIsReadLiveWhenAsked(t *testing.T) {
	f, holder := keptTenant(t)
	_, out, said := f.run(t.Context(), nil, "survive", "--register", f.register)
	if !strings.Contains(out, "Rests on the register alone: what the tenant allows was not read") {
		t.Errorf("without --live: %s%s", out, said)
	}
	if code, out, said := f.run(t.Context(), nil, "survive", "--register", f.register, "--live"); code == int(exitFailed) || !strings.Contains(out, "Rests on the register, and the tenant as it was read") {
		t.Errorf("%d: %s%s", code, out, said)
	}
	const disabled = "the account of Ana is disabled in the directory"
	if _, out, said := f.run(t.Context(), nil, "custody", "list", "--register", f.register, "--live"); strings.Contains(out, disabled) || strings.Contains(out+said, "not read") {
		t.Errorf("while Ana works there: %s%s", out, said)
	}
	must(t, f.site.Update(func(s *sandbox.State) error {
		holder["accountEnabled"] = false
		s.Put("users", holder["id"].(string), holder)
		return nil
	}))
	if code, out, said := f.run(t.Context(), nil, "custody", "list", "--register", f.register, "--live"); code != int(exitTrouble) || !strings.Contains(out, disabled) {
		t.Errorf("%d: %s%s", code, out, said)
	}
	if _, out, _ := f.run(t.Context(), nil, "custody", "list", "--register", f.register); strings.Contains(out, disabled) {
		t.Errorf("without --live: %s", out)
	}
}

// A tenant that does not answer, or that nobody is signed in to, takes nothing from
// what the register says.
func TestATenantThatIsGoneLeavesTheRegistersAnswer(t *testing.T) {
	f, _ := keptTenant(t)
	answer := func(report string) string { _, rest, _ := strings.Cut(report, `"holds"`); return rest }
	_, out, _ := f.run(t.Context(), nil, "survive", "--register", f.register, "--format", "json")
	if answer(out) == "" {
		t.Fatal(out)
	}
	must(t, f.site.Close())
	for _, name := range []string{"gone", "not signed in to"} {
		t.Run(name, func(t *testing.T) {
			if name != "gone" {
				must(t, os.RemoveAll(f.path("home")))
			}
			code, now, said := f.run(context.WithoutCancel(t.Context()), nil, "survive", "--register", f.register, "--live", "--format", "json")
			if answer(now) != answer(out) || !strings.Contains(now, "the tenant was to be read, and was not (") || !strings.Contains(said, "warning: the tenant was not read: ") {
				t.Errorf("%d: %s%s", code, now, said)
			}
			if code != int(exitTrouble) && code != int(exitUndetermined) {
				t.Errorf("it ends with %d", code)
			}
			code, now, said = f.run(context.WithoutCancel(t.Context()), nil, "custody", "list", "--register", f.register, "--live")
			if !strings.Contains(now, "held by Ana") || !strings.Contains(said, "warning: the tenant was not read: ") || code == 0 || code == int(exitFailed) {
				t.Errorf("%d: %s%s", code, now, said)
			}
		})
	}
}

func TestTheTenantsSideIsAskedForInOneWay(t *testing.T) {
	f := &faultTenant{dir: t.TempDir()}
	for _, args := range [][]string{{"--live", "--from", "x"}, {"--profile", "other"}} {
		for _, cmd := range [][]string{{"survive"}, {"custody", "list"}} {
			register := f.path("halligan.yaml")
			must(t, os.WriteFile(register, []byte("version: 1\n"), 0o600))
			if code, _, said := f.run(t.Context(), nil, append(append(cmd, "--register", register, "--store", f.path("none.db")), args...)...); code != int(exitMisused) {
				t.Errorf("%q %q: %d: %s", cmd, args, code, said)
			}
		}
	}
}
