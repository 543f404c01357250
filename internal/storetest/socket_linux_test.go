package storetest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"halligan/internal/store"
)

// Another account that gets as far as the socket is not let in, and says nothing
// to a false owner either.
func TestSocketIsForOneAccount(t *testing.T) {
	if path := os.Getenv("HALLIGAN_TEST_SOCKET"); path != "" { // as the other account
		r, err := store.Reach(t.Context(), store.Options{URL: os.Getenv("HALLIGAN_TEST_STORE")}, path)
		if err == nil {
			r.Close()
			t.Fatal("let in")
		}
		t.Log(err)
		return
	}
	if os.Geteuid() != 0 {
		t.Log("only root can become another account; nothing was tried")
		return
	}
	p := newPlace(t, nil)
	o := store.Options{URL: p.address("log.db")}
	_, socket, _ := served(t, p, o)
	reach(t, o, socket)
	open := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for folder := p.dir; folder != os.TempDir() && len(folder) > 4; folder = filepath.Dir(folder) {
		open(folder, 0o777)
	}
	open(socket, 0o666)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if _, err := os.Stat(o.URL + suffix); err == nil {
			open(o.URL+suffix, 0o666)
		}
	}
	self := filepath.Join(p.dir, "self.test") // ours may lie where others cannot go
	binary, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(self, binary, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestSocketIsForOneAccount$", "-test.v")
	cmd.Dir = p.dir
	cmd.Env = []string{"HALLIGAN_TEST_SOCKET=" + socket, "HALLIGAN_TEST_STORE=" + o.URL}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "another account") {
		t.Errorf("got %v: %s", err, out)
	}
}
