package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"filippo.io/age/plugin"
	"golang.org/x/crypto/ssh"

	"halligan/custody"
	"halligan/internal/store"
	"halligan/seal"
)

const sealedPassword = "Hf7qKm3wPz9Kd2xyLmNp"

// agePlugin is a plugin of age, as a program of its own: what it is given as the data
// of a key is the text of a common one.
func agePlugin() {
	p, err := plugin.New("halligantest")
	if err != nil {
		os.Exit(1)
	}
	p.RegisterFlags(flag.NewFlagSet("plugin", flag.ExitOnError))
	p.HandleRecipient(func(data []byte) (age.Recipient, error) { return age.ParseX25519Recipient(string(data)) })
	p.HandleIdentity(func(data []byte) (age.Identity, error) {
		if err := p.DisplayMessage("touch the key"); err != nil {
			return nil, err
		}
		return age.ParseX25519Identity(string(data))
	})
	os.Exit(p.Main())
}

// bearer is somebody with a key in a file.
type bearer struct{ name, public, file string }

// ageBearer has a key of age in a file.
func ageBearer(t *testing.T, dir, name string) bearer {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	must(t, err)
	return bearer{name, i.Recipient().String(), writeKey(t, dir, name, "# key of "+name+"\n"+i.String()+"\n")}
}

func writeKey(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name+".key")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// pluginBearer has a key that the plugin above uses.
func pluginBearer(t *testing.T, dir, name string) bearer {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	must(t, err)
	return bearer{name, plugin.EncodeRecipient("halligantest", []byte(i.Recipient().String())),
		writeKey(t, dir, name, plugin.EncodeIdentity("halligantest", []byte(i.String()))+"\n")}
}

// lockedBearer has a key of age under a passphrase, lockedSSH one of SSH.
func lockedBearer(t *testing.T, dir, name, passphrase string) bearer {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	must(t, err)
	r, err := age.NewScryptRecipient(passphrase)
	must(t, err)
	r.SetWorkFactor(10)
	var b bytes.Buffer
	a := armor.NewWriter(&b)
	w, err := age.Encrypt(a, r)
	must(t, err)
	_, err = io.WriteString(w, i.String()+"\n")
	must(t, errors.Join(err, w.Close(), a.Close()))
	return bearer{name, i.Recipient().String(), writeKey(t, dir, name, b.String())}
}

func lockedSSH(t *testing.T, dir, name, passphrase string) bearer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, name, []byte(passphrase))
	must(t, err)
	line, err := ssh.NewPublicKey(public)
	must(t, err)
	return bearer{name, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line))), writeKey(t, dir, name, string(pem.EncodeToMemory(block)))}
}

// sealFor seals the password of an account for two people, in a file.
func sealFor(t *testing.T, dir string, people ...bearer) string {
	t.Helper()
	p := &seal.Plan{Form: seal.FormPair, Need: 2, Account: "ea-north@example.com", Label: "account 1", What: "the password", Made: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	for _, b := range people {
		to := seal.To{Name: b.name, Key: b.public}
		var err error
		if seal.KindOf(b.public) == seal.KindPlugin {
			to.Recipient, err = plugin.NewRecipient(b.public, &plugin.ClientUI{})
		} else {
			to.Recipient, err = seal.ParseRecipient(b.public)
		}
		must(t, err)
		p.Holders = append(p.Holders, to)
	}
	s, err := seal.Seal(rand.Reader, p, custody.NewSecret([]byte(sealedPassword)))
	must(t, err)
	file := filepath.Join(dir, "account.sealed")
	must(t, os.WriteFile(file, s.Bytes, 0o600))
	return file
}

// runs runs the real binary in a folder of its own.
func runs(t *testing.T, dir string, args ...string) (out, said string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "halligan", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(dir, "home"))
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func TestAKeyOfAPluginOpens(t *testing.T) {
	dir := t.TempDir()
	ana, ben := pluginBearer(t, dir, "ana"), ageBearer(t, dir, "ben")
	file := sealFor(t, dir, ana, ben)
	out, said, code := runs(t, dir, "open", file, "-i", ana.file, "-i", ben.file, "--to-stdout")
	if out != sealedPassword+"\n" || code != 0 || !strings.Contains(said, "halligantest: touch the key") {
		t.Errorf("got %d %q %q", code, out, said)
	}
	if _, said, code = runs(t, dir, "open", file, "-i", ben.file, "--to-stdout"); code != 1 || !strings.Contains(said, "ben is here, and it takes 2 of ana, ben") {
		t.Errorf("got %d %q", code, said)
	}
}

// A store that another process has, one that never answers, and one that is gone: the
// secret is there at once, and the record is merged later.
func TestOpeningWaitsForNoStore(t *testing.T) {
	hung := func(t *testing.T, _ string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		t.Cleanup(func() { l.Close() })
		return "postgres://somebody@" + l.Addr().String() + "/evidence?sslmode=disable" // connects, and never says a word
	}
	locked := func(t *testing.T, path string) string {
		db, err := store.Open(t.Context(), store.Options{URL: path})
		must(t, err)
		t.Cleanup(func() { db.Close() })
		return path
	}
	gone := func(t *testing.T, path string) string {
		must(t, os.Rename(path, path+".gone"))
		t.Cleanup(func() { must(t, os.Rename(path+".gone", path)) })
		return path
	}
	for name, spoil := range map[string]func(*testing.T, string) string{"hung": hung, "locked": locked, "gone": gone} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ana, ben := ageBearer(t, dir, "ana"), ageBearer(t, dir, "ben")
			file := sealFor(t, dir, ana, ben)
			register, path := filepath.Join(dir, "halligan.yaml"), filepath.Join(dir, "evidence.db")
			must(t, os.WriteFile(register, []byte("version: 1\ntenant:\n  id: 8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b\naccounts:\n  - id: 2786d9fb-aa4e-4778-8abb-11a546852728\n"), 0o600))
			if _, said, code := runs(t, dir, "init", "--people", "2", "--store", path); code != 0 {
				t.Fatal(said)
			}
			var side string
			t.Run("opens", func(t *testing.T) {
				began := time.Now()
				out, said, code := runs(t, dir, "open", file, "-i", ana.file, "-i", ben.file, "--to-stdout", "--store", spoil(t, path))
				if out != sealedPassword+"\n" || code != 0 || !strings.Contains(said, "recorded in a side log") {
					t.Fatalf("got %d %q %q", code, out, said)
				}
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("it took %v", took)
				}
				side = strings.TrimSpace(said[strings.Index(said, "evidence merge ")+len("evidence merge "):])
				side, _, _ = strings.Cut(side, "\n")
			})
			if out, said, code := runs(t, dir, "evidence", "merge", "--store", path, side); code != 0 || !strings.Contains(out, "merged as entry") {
				t.Errorf("got %d %q %q", code, out, said)
			}
			if out, said, code := runs(t, dir, "evidence", "log", "--store", path, "--kind", "opened"); code != 0 || !strings.Contains(out, "open a sealed credential") {
				t.Errorf("got %d %q %q", code, out, said)
			}
		})
	}
}
