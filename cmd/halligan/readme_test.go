package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shellBlocks are the blocks of the README that a person pastes, by heading.
func shellBlocks(t *testing.T, heading string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("the README has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var out [][]string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		out = append(out, strings.Split(strings.TrimSpace(m[1]), "\n"))
	}
	return out
}

// What the README has people paste into two terminals works as it stands there:
// the ids and secrets of the example tenant are the same every time.
func TestReadmeSandbox(t *testing.T) {
	blocks := shellBlocks(t, "A tenant to try it on")
	if len(blocks) < 2 || len(blocks[0]) != 1 {
		t.Fatalf("want a block for the first terminal and some for the other, got %q", blocks)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	getenv := func(name string) string {
		return map[string]string{"HALLIGAN_HOME": filepath.Join(dir, "home")}[name]
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := safeBuffer{wrote: make(chan struct{}, 1)}
	ended := make(chan int, 1)
	// Another port than the README's: that one may be taken here.
	args := append(strings.Fields(blocks[0][0])[1:], "--listen", "127.0.0.1:0", "--format", "json")
	go func() { ended <- run(ctx, args, strings.NewReader(""), &served, &served, getenv) }()
	defer func() { stop(); <-ended }()
	address := awaitAddress(t, &served)
	for _, line := range slices.Concat(blocks[1:]...) {
		words := strings.Fields(strings.ReplaceAll(line, "https://localhost:8443", address))
		switch words[0] {
		case "printf":
			if err := os.WriteFile(words[len(words)-1], []byte(words[2]), 0o644); err != nil {
				t.Fatal(err)
			}
		case "chmod":
			if err := os.Chmod(words[2], 0o600); err != nil {
				t.Fatal(err)
			}
		case "halligan":
			var out bytes.Buffer
			code := run(ctx, words[1:], strings.NewReader(""), &out, &out, getenv)
			if code != 0 && (words[1] != "check" || code != int(exitTrouble)) {
				t.Errorf("%s: exit code %d\n%s", line, code, out.String())
			}
		default:
			t.Errorf("the README has people paste %q, which this test does not know", line)
		}
	}
	if _, err := os.Stat("report.html"); err != nil {
		t.Error(err)
	}
}

// safeBuffer is a buffer that is written to and read at once.
type safeBuffer struct {
	lock  sync.Mutex
	b     bytes.Buffer
	wrote chan struct{} // told of each Write
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.b.String()
}

func awaitAddress(t *testing.T, served *safeBuffer) string {
	t.Helper()
	late := time.After(20 * time.Second)
	for waiting := true; waiting; {
		if m := regexp.MustCompile(`"url":"([^"]+)"`).FindStringSubmatch(served.String()); m != nil {
			return m[1]
		}
		select {
		case <-served.wrote:
		case <-late:
			waiting = false
		}
	}
	t.Fatalf("the sandbox did not begin: %s", served.String())
	return ""
}
