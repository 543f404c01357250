package testenv_test

import (
	"runtime"
	"strings"
	"testing"

	"halligan/internal/testenv"
)

// recorder is a test whose end is watched.
type recorder struct {
	testing.TB
	ended, how string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, _ ...any) { r.end("failed", format) }
func (r *recorder) Skipf(format string, _ ...any)  { r.end("skipped", format) }

func (r *recorder) end(ended, how string) {
	r.ended, r.how = ended, how
	runtime.Goexit()
}

func ending(t *testing.T, variable string) *recorder {
	r := &recorder{TB: t, ended: "went on"}
	done := make(chan bool)
	go func() {
		defer close(done)
		testenv.Folder(r, variable)
	}()
	<-done
	return r
}

func TestMissingDataSkipsOrFails(t *testing.T) {
	for _, c := range []struct{ name, folder, require, want string }{
		{"unset", "", "", "skipped"},
		{"unset but required", "", "1", "failed"},
		{"not there", "/no/such/folder", "", "skipped"},
		{"not there but required", "/no/such/folder", "1", "failed"},
		{"there", ".", "1", "went on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("HALLIGAN_SOMETHING", c.folder)
			t.Setenv("HALLIGAN_REQUIRE", c.require)
			if got := ending(t, "HALLIGAN_SOMETHING"); got.ended != c.want || c.want == "skipped" && !strings.Contains(got.how, "not tested") {
				t.Errorf("got %s (%s), want %s", got.ended, got.how, c.want)
			}
		})
	}
}
