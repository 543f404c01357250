package custody_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

// A world is a tenant with people who ask and approve. Each test tells a story:
//
//	ask := w.As("ana").Requests(custody.VerbOpen, "ea-north@tidewater.example")
//	w.As("ben").Approves(ask)
//	err := w.Does(ask)
type world struct {
	t        *testing.T
	register *register.Register
	approved string // digest
	former   map[string]bool
	tenant   entra.ID
	store    string
	now      time.Time
	used     map[string]bool
	counters map[string]uint32
	people   map[string]*actor
	without  map[custody.Defence]bool
}

const (
	tidewater = entra.ID("8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b")
	elsewhere = entra.ID("3e9d5c71-6a4b-4f2e-8d1c-0b9a8f7e6d5c")
	storeID   = "0123456789abcdef0123456789abcdef"
	north     = "ea-north@tidewater.example"
)

// actor is somebody with a key, in the register or not.
type actor struct {
	w       *world
	name    string
	signer  ssh.Signer
	passkey *softKey
}

// newWorld: ana operates and approves; ben and carol approve; mallory operates and
// approves, and is the insider; victor looks on. One approval is enough, so that
// a story turns on one thing.
func newWorld(t *testing.T, without ...custody.Defence) *world {
	w := &world{t: t, tenant: tidewater, store: storeID, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		used: map[string]bool{}, former: map[string]bool{}, counters: map[string]uint32{}, people: map[string]*actor{}, without: map[custody.Defence]bool{},
		register: &register.Register{Version: register.Version, Quorum: register.Quorum{People: 5, Approvals: 1}}}
	for _, d := range without {
		w.without[d] = true
	}
	for _, p := range []struct {
		name  string
		roles []register.Role
	}{
		{"ana", []register.Role{register.RoleOperator, register.RoleApprover}}, {"ben", []register.Role{register.RoleApprover}}, {"carol", []register.Role{register.RoleApprover}},
		{"mallory", []register.Role{register.RoleOperator, register.RoleApprover}}, {"victor", []register.Role{register.RoleViewer}},
	} {
		a := w.As(p.name)
		w.register.People = append(w.register.People, register.Person{Name: p.name, Roles: p.roles, Signing: a.line()})
	}
	w.registerIsApproved()
	return w
}

// registerIsApproved: people followed the rules and approved the register as it is.
func (w *world) registerIsApproved() {
	w.former[w.approved] = true
	_, w.approved = w.register.Deciding()
}

// person is the entry of the register.
func (w *world) person(name string) *register.Person {
	p := w.register.Person(name)
	if p == nil {
		w.t.Fatalf("no %s in the register", name)
	}
	return p
}

// As returns somebody with a key of their own; in the register or not.
func (w *world) As(name string) *actor {
	if a := w.people[name]; a != nil {
		return a
	}
	a := &actor{w: w, name: name, signer: newSigner(w.t)}
	w.people[name] = a
	return a
}

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (a *actor) line() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(a.signer.PublicKey())))
}

// later lets time pass.
func (w *world) later(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) rules() *custody.Rules {
	return &custody.Rules{Register: w.register, Approved: w.approved, Former: w.former, Tenant: w.tenant, Store: w.store, Now: w.now,
		Used: func(hash string) bool { return w.used[hash] }, Counters: w.counters, Without: w.without}
}

// Requests makes a request and signs it.
func (a *actor) Requests(what custody.Verb, on string, change ...func(*custody.Request)) *custody.Pending {
	a.w.t.Helper()
	r := custody.Request{Tenant: a.w.tenant, Store: a.w.store, What: what, On: on, Why: "Sign-in fails for everybody, incident 4711", By: a.name, Register: a.w.approved,
		Made: a.w.now, Expires: a.w.now.Add(time.Hour)}
	for _, c := range change {
		c(&r)
	}
	made, err := custody.NewRequest(rand.Reader, r)
	if err != nil {
		a.w.t.Fatal(err)
	}
	p := &custody.Pending{Request: made, Recorded: a.w.now}
	if r.By == a.name {
		p.Asked = a.signs(custody.NewApproval(made, custody.ActRequest, a.name, a.w.approved, a.w.now), made)
	}
	return p
}

// Approves signs the request and hands the approval in.
func (a *actor) Approves(p *custody.Pending, change ...func(*custody.Approval)) *custody.Approval {
	a.w.t.Helper()
	approval := a.prepares(p.Request, change...)
	p.Approvals = append(p.Approvals, approval)
	return approval
}

// prepares signs and hands nothing in.
func (a *actor) prepares(r *custody.Request, change ...func(*custody.Approval)) *custody.Approval {
	a.w.t.Helper()
	approval := custody.NewApproval(r, custody.ActApprove, a.name, a.w.approved, a.w.now)
	for _, c := range change {
		c(approval)
	}
	return a.signs(approval, r)
}

// Withdraws takes a request back, where the rules believe that.
func (a *actor) Withdraws(p *custody.Pending, change ...func(*custody.Approval)) error {
	a.w.t.Helper()
	s := custody.NewApproval(p.Request, custody.ActWithdraw, a.name, a.w.approved, a.w.now)
	s.Because = "it was meant for another account"
	for _, c := range change {
		c(s)
	}
	_, err := a.w.rules().Withdraw(p, a.signs(s, p.Request))
	p.Withdrawn = p.Withdrawn || err == nil
	return err
}

func (a *actor) signs(approval *custody.Approval, r *custody.Request) *custody.Approval {
	a.w.t.Helper()
	if a.passkey != nil {
		approval.Method, approval.Signature = custody.MethodPasskey, a.passkey.assert(a.w.t, approval.Challenge(r))
		return approval
	}
	approval.Method, approval.Signature = custody.MethodSSH, armoured(a.w.t, a.signer, approval.Text(r), custody.Namespace)
	return approval
}

func armoured(t testing.TB, signer ssh.Signer, text []byte, namespace string) string {
	t.Helper()
	s, err := sshsig.Sign(bytes.NewReader(text), signer, sshsig.HashSHA512, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return string(sshsig.Armor(s))
}

// Does uses the request, if it may be used.
func (w *world) Does(p *custody.Pending) error {
	_, err := w.Decides(p)
	return err
}

// Decides is Does for who wants to know what came together.
func (w *world) Decides(p *custody.Pending) (*custody.Decision, error) {
	d, err := w.rules().Decide(p)
	if err == nil {
		w.used[p.Request.Hash()] = true
		for _, s := range d.Approved {
			w.counters[s.Key] = s.Counter
		}
	}
	return d, err
}

// softKey is a passkey in software (WebAuthn Level 2, 6).
type softKey struct {
	key          *ecdsa.PrivateKey
	id           []byte
	rpID, origin string
	flags        byte // 1 present, 4 verified
	counter      uint32
}

func newSoftKey(t testing.TB) *softKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &softKey{key: key, id: make([]byte, 20), rpID: "tidewater.example", origin: "https://approve.tidewater.example", flags: 5, counter: 7}
	_, _ = rand.Read(k.id)
	return k
}

// public is what the register has of it. The key is a COSE_Key (RFC 9053, 7.1.1).
func (k *softKey) public(t testing.TB) register.Passkey {
	t.Helper()
	point, err := k.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose := append([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33]...)
	cose = append(append(cose, 0x22, 0x58, 32), point[33:]...)
	return register.Passkey{RPID: k.rpID, Origin: k.origin, CredentialID: base64.RawURLEncoding.EncodeToString(k.id), PublicKey: base64.RawURLEncoding.EncodeToString(cose)}
}

// assert is what navigator.credentials.get gives for a challenge.
func (k *softKey) assert(t testing.TB, challenge string) string {
	t.Helper()
	client, err := json.Marshal(map[string]any{"type": "webauthn.get", "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	if err != nil {
		t.Fatal(err)
	}
	rp, hash := sha256.Sum256([]byte(k.rpID)), sha256.Sum256(client)
	auth := binary.BigEndian.AppendUint32(append(rp[:], k.flags), k.counter)
	digest := sha256.Sum256(append(bytes.Clone(auth), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	out, err := json.Marshal(map[string]any{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key",
		"response": map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
