package register_test

import (
	"testing"

	"halligan/register"
)

func TestNearestWord(t *testing.T) {
	words := []string{"check", "prove", "explain", "export", "selftest"}
	for word, want := range map[string]string{
		"prov": "prove", "porve": "prove", "proove": "prove", "seltest": "selftest", "selftset": "selftest",
		"exprot": "export", "chekc": "check", "delete": "", "x": "", "": "",
	} {
		if got := register.Nearest(word, words); got != want {
			t.Errorf("Nearest(%q): got %q, want %q", word, got, want)
		}
	}
}
