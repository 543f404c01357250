package app_test

import (
	"errors"
	"strings"
	"testing"

	"halligan/internal/app"
	"halligan/register"
)

func TestARegisterIsHeldAgainstTheCatalogue(t *testing.T) {
	const statement = "version: 1\nattestations:\n  - {check: %, by: Ana, on: 2026-01-02, until: 2026-06-30, note: seen}\n"
	for name, c := range map[string]struct{ check, what, hint string }{
		"a slip":             {"gov-iac-drfit", `no check "gov-iac-drfit"`, "did you mean gov-iac-drift?"},
		"nothing like it":    {"zzzzzz", `no check "zzzzzz"`, "halligan check --list"},
		"read from data":     {"id-enabled", "takes no attestation", "accepted"},
		"one that takes one": {"gov-iac-drift", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := app.ReadRegister("halligan.yaml", []byte(strings.Replace(statement, "%", c.check, 1)))
			if c.what == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			errs, is := errors.AsType[register.Errors](err)
			if !is || len(errs) != 1 || errs[0].Line != 3 || !strings.Contains(errs[0].What, c.what) || !strings.Contains(errs[0].Hint(), c.hint) {
				t.Fatalf("got %v; want %q on line 3, and the hint %q", err, c.what, c.hint)
			}
			if c.check == "zzzzzz" && strings.Contains(errs[0].Hint(), "did you mean") {
				t.Errorf("a wild guess: %s", errs[0].Hint())
			}
		})
	}
}
