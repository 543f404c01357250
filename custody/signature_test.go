package custody_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"halligan/custody"
	"halligan/internal/testenv"
	"halligan/register"
)

// skSigner is a security key in software (OpenSSH PROTOCOL.u2f, "SSH U2F
// signatures"): it signs SHA-256(application), flags, counter, SHA-256(message).
type skSigner struct {
	public  ssh.PublicKey
	sign    func(data []byte) []byte // of the blob
	flags   byte
	counter uint32
	short   bool // forgets flags and counter
}

const skApplication = "ssh:halligan"

func newSKEd25519(t testing.TB) *skSigner {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Type string
		Key  []byte
		App  string
	}{ssh.KeyAlgoSKED25519, public, skApplication}))
	if err != nil {
		t.Fatal(err)
	}
	return &skSigner{public: key, sign: func(data []byte) []byte { return ed25519.Sign(private, data) }, flags: 1, counter: 7}
}

func newSKECDSA(t testing.TB) *skSigner {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Type, Curve string
		Key         []byte
		App         string
	}{ssh.KeyAlgoSKECDSA256, "nistp256", point, skApplication}))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return &skSigner{public: key, sign: func(data []byte) []byte {
		s, err := plain.Sign(rand.Reader, data) // ECDSA over SHA-256, in the form of SSH
		if err != nil {
			t.Fatal(err)
		}
		return s.Blob
	}, flags: 5, counter: 7}
}

func (s *skSigner) PublicKey() ssh.PublicKey { return s.public }

func (s *skSigner) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	app, message := sha256.Sum256([]byte(skApplication)), sha256.Sum256(data)
	rest := binary.BigEndian.AppendUint32([]byte{s.flags}, s.counter)
	signed := append(append(app[:], rest...), message[:]...)
	out := &ssh.Signature{Format: s.public.Type(), Blob: s.sign(signed), Rest: rest}
	if s.short {
		out.Rest = nil
	}
	return out, nil
}

func signerOf(t testing.TB, key any, err error) ssh.Signer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// withKey is a world in which ben signs with a key.
func withKey(t *testing.T, signer ssh.Signer) *world {
	w := newWorld(t)
	w.people["ben"] = &actor{w: w, name: "ben", signer: signer}
	w.person("ben").Signing = w.As("ben").line()
	w.registerIsApproved()
	return w
}

func TestEveryKindOfSSHKeyApproves(t *testing.T) {
	_, ed, edErr := ed25519.GenerateKey(rand.Reader)
	p256, err256 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err384 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, err521 := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	big, bigErr := rsa.GenerateKey(rand.Reader, 3072)
	for name, tt := range map[string]struct {
		signer   ssh.Signer
		verified bool
	}{
		"Ed25519": {signerOf(t, ed, edErr), false}, "P-256": {signerOf(t, p256, err256), false}, "P-384": {signerOf(t, p384, err384), false}, "P-521": {signerOf(t, p521, err521), false},
		"RSA 3072": {signerOf(t, big, bigErr), false}, "security key, Ed25519": {newSKEd25519(t), false}, "security key, P-256, with PIN": {newSKECDSA(t), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := withKey(t, tt.signer)
			ask := w.As("ana").Requests(custody.VerbOpen, north)
			w.As("ben").Approves(ask)
			d, err := w.Decides(ask)
			if err != nil || d.Approved[0].Verified != tt.verified || d.Approved[0].Key != ssh.FingerprintSHA256(tt.signer.PublicKey()) {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
}

func TestKeysThatDoNotApprove(t *testing.T) {
	untouched, forgetful := newSKEd25519(t), newSKEd25519(t)
	untouched.flags, forgetful.short = 4, true
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	for name, tt := range map[string]struct {
		signer ssh.Signer
		want   custody.Reason
	}{
		"a security key that nobody touched":        {untouched, custody.ReasonPresence},
		"a security key that says nothing of touch": {forgetful, custody.ReasonSignature},
		"RSA of 2048 bits":                          {signerOf(t, small, err), custody.ReasonKey},
	} {
		w := withKey(t, tt.signer)
		ask := w.As("ana").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		if err := w.Does(ask); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// A flag put into the signature afterwards is not signed.
	w := withKey(t, untouched)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	text := func(a *custody.Approval) { untouched.flags = 4 }
	w.As("ben").Approves(ask, text)
	raw := ask.Approvals[0]
	untouched.sign = func([]byte) []byte { s, _ := custody.ParseSSHSignature(raw.Signature); return s.Signature.Blob }
	untouched.flags = 1
	ask.Approvals = nil
	w.As("ben").Approves(ask)
	if err := w.Does(ask); !errors.Is(err, custody.ReasonSignature) {
		t.Errorf("a flag put in: got %v", err)
	}
}

func TestASignatureWithMoreAroundItIsNone(t *testing.T) {
	good := armoured(t, newSigner(t), []byte("x"), custody.Namespace)
	if _, err := custody.ParseSSHSignature(good); err != nil {
		t.Fatal(err)
	}
	if _, err := custody.ParseSSHSignature(strings.ReplaceAll(good, "\n", "\r\n")); err != nil {
		t.Errorf("Windows line ends: %v", err)
	}
	for name, bad := range map[string]string{
		"text before": "x\n" + good, "text behind": good + "x", "two": good + good, "headers": strings.Replace(good, "\n", "\nComment: x\n\n", 1), "nothing": "", "cut": good[:len(good)/2],
		"another kind": strings.ReplaceAll(good, "SSH SIGNATURE", "PGP SIGNATURE"), "a long one": strings.Repeat("A", 1<<20),
	} {
		if s, err := custody.ParseSSHSignature(bad); err == nil {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

// A passkey approves; what is wrong with it is told apart.
func TestPasskeysApprove(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, k *softKey, p *register.Person)
		want   error
	}{
		"as it should": {func(*world, *softKey, *register.Person) {}, nil},
		"at another page": {func(_ *world, k *softKey, _ *register.Person) {
			k.origin = "https://approve.tidewater.example.evil.example"
		}, custody.ReasonSignature},
		"for another domain":     {func(_ *world, k *softKey, _ *register.Person) { k.rpID = "evil.example" }, custody.ReasonSignature},
		"nobody present":         {func(_ *world, k *softKey, _ *register.Person) { k.flags = 4 }, custody.ReasonPresence},
		"not unlocked":           {func(_ *world, k *softKey, _ *register.Person) { k.flags = 1 }, custody.ReasonVerified},
		"another credential":     {func(_ *world, k *softKey, _ *register.Person) { k.id = make([]byte, 20) }, custody.ReasonKey},
		"another key of that id": {func(w *world, k *softKey, _ *register.Person) { k.key = newSoftKey(w.t).key }, custody.ReasonSignature},
		"a person with an SSH key only": {func(w *world, _ *softKey, p *register.Person) {
			p.Passkey, p.Signing = register.Passkey{}, w.As("ben").line()
			w.registerIsApproved()
		}, custody.ReasonKey},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			k := newSoftKey(t)
			w.As("ben").passkey = k
			w.person("ben").Signing, w.person("ben").Passkey = "", k.public(t)
			w.registerIsApproved()
			tt.change(w, k, w.person("ben"))
			ask := w.As("ana").Requests(custody.VerbOpen, north)
			w.As("ben").Approves(ask)
			d, err := w.Decides(ask)
			if tt.want != nil {
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				return
			}
			if err != nil || !d.Approved[0].Verified || d.Approved[0].Counter != 7 || d.Approved[0].Method != custody.MethodPasskey {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("ben").Approves(ask).Method = custody.MethodPasskey
	if err := w.Does(ask); !errors.Is(err, custody.ReasonSignature) {
		t.Errorf("an SSH signature as a passkey's: got %v", err)
	}
}

// An assertion for one text is none for another, though everything else agrees.
func TestAnAssertionIsForItsText(t *testing.T) {
	w := newWorld(t)
	k := newSoftKey(t)
	w.As("ben").passkey = k
	w.person("ben").Signing, w.person("ben").Passkey = "", k.public(t)
	w.registerIsApproved()
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("ben").Approves(ask).Time = w.now.Add(time.Second)
	if err := w.Does(ask); !errors.Is(err, custody.ReasonSignature) {
		t.Errorf("got %v", err)
	}
}

func TestACounterThatDoesNotRiseIsTold(t *testing.T) {
	sk := newSKEd25519(t)
	w := withKey(t, sk)
	k := newSoftKey(t)
	w.As("carol").passkey = k
	w.person("carol").Signing, w.person("carol").Passkey = "", k.public(t)
	w.registerIsApproved()
	warnings := func() int {
		ask := w.As("ana").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		w.As("carol").Approves(ask)
		d, err := w.Decides(ask)
		if err != nil {
			t.Fatal(err)
		}
		return len(d.Warnings)
	}
	if n := warnings(); n != 0 {
		t.Errorf("the first time: %d warnings", n)
	}
	if n := warnings(); n != 2 {
		t.Errorf("the same counters again: %d warnings", n)
	}
	sk.counter, k.counter = 8, 6
	if n := warnings(); n != 1 {
		t.Errorf("one goes backwards: %d warnings", n)
	}
	sk.counter, k.counter, w.counters = 0, 0, map[string]uint32{}
	if n := warnings() + warnings(); n != 0 {
		t.Errorf("keys without a counter: %d warnings", n)
	}
}

// What people sign with OpenSSH verifies here, and what is signed here verifies
// with OpenSSH.
func TestOpenSSHAgrees(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		testenv.Missing(t, "ssh-keygen (package openssh-client) is not there")
	}
	run := func(t *testing.T, stdin string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), keygen, args...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("ssh-keygen %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	verify := func(t *testing.T, line, text, signature string) {
		t.Helper()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "allowed"), "ben "+line+"\n")
		write(t, filepath.Join(dir, "sig"), signature)
		if out := run(t, text, "-Y", "verify", "-f", filepath.Join(dir, "allowed"), "-I", "ben", "-n", custody.Namespace, "-s", filepath.Join(dir, "sig")); !strings.Contains(out, "Good") {
			t.Errorf("got %s", out)
		}
	}
	for name, kind := range map[string][]string{"Ed25519": {"-t", "ed25519"}, "RSA": {"-t", "rsa", "-b", "3072"}, "ECDSA": {"-t", "ecdsa", "-b", "256"}} {
		t.Run("signed by OpenSSH, "+name, func(t *testing.T) {
			dir := t.TempDir()
			key := filepath.Join(dir, "key")
			run(t, "", append(kind, "-q", "-N", "", "-C", "ben@tidewater", "-f", key)...)
			public, err := os.ReadFile(key + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			w.person("ben").Signing = strings.TrimSpace(string(public))
			w.registerIsApproved()
			ask := w.As("ana").Requests(custody.VerbOpen, north)
			a := custody.NewApproval(ask.Request, custody.ActApprove, "ben", w.approved, w.now)
			file := filepath.Join(dir, "text")
			write(t, file, string(a.Text(ask.Request)))
			for namespace, want := range map[string]error{custody.Namespace: nil, "file": custody.ReasonNamespace} {
				run(t, "", "-Y", "sign", "-f", key, "-n", namespace, file)
				signature, err := os.ReadFile(file + ".sig")
				if err != nil {
					t.Fatal(err)
				}
				_ = os.Remove(file + ".sig")
				a.Method, a.Signature = custody.MethodSSH, string(signature)
				back, err := custody.ParseApproval(a.Canonical())
				if err != nil {
					t.Fatal(err)
				}
				ask.Approvals = []*custody.Approval{back}
				if err := w.Does(ask); !errors.Is(err, want) || want == nil && err != nil {
					t.Errorf("namespace %s: got %v", namespace, err)
				}
				if want == nil {
					verify(t, w.person("ben").Signing, string(a.Text(ask.Request)), a.Signature)
				}
				w.used = map[string]bool{}
			}
		})
	}
	for name, signer := range map[string]ssh.Signer{"Ed25519": newSigner(t), "security key, Ed25519": newSKEd25519(t), "security key, P-256": newSKECDSA(t)} {
		t.Run("verified by OpenSSH, "+name, func(t *testing.T) {
			w := withKey(t, signer)
			ask := w.As("ana").Requests(custody.VerbOpen, north)
			a := w.As("ben").Approves(ask)
			verify(t, w.As("ben").line(), string(a.Text(ask.Request)), a.Signature)
		})
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(fmt.Errorf("write %s: %w", file, err))
	}
}
