package seal_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"halligan/custody"
	"halligan/examples"
	"halligan/seal"
)

const (
	theSecret = "Hf7q-winter-9Kd2"
	upn       = "ea-north@tidewaterinstruments.onmicrosoft.com"
)

// person is somebody with a key.
type person struct {
	name, public string
	identity     age.Identity
	private      string // as a key file has it
}

func (p *person) key() seal.Key {
	return seal.Key{From: p.name + ".key", Identity: p.identity, Public: p.public}
}

// unknown is a key of which nobody can tell whose it is, as of a plugin.
func (p *person) unknown() seal.Key { return seal.Key{From: p.name, Identity: p.identity} }

func classic(t testing.TB, name string) *person {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return &person{name, i.Recipient().String(), i, i.String()}
}

func hybrid(t testing.TB, name string) *person {
	t.Helper()
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return &person{name, i.Recipient().String(), i, i.String()}
}

func withSSH(t testing.TB, name string) *person {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i, err := agessh.NewEd25519Identity(private)
	if err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return &person{name, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line))), i, ""}
}

func onPaper(name string) *person { return &person{name: name} }

func to(t testing.TB, p *person, half int) seal.To {
	t.Helper()
	out := seal.To{Name: p.name, Key: p.public, Half: half}
	if p.public != "" {
		var err error
		if out.Recipient, err = seal.ParseRecipient(p.public); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func plan(t testing.TB, form seal.Form, need int, people ...*person) *seal.Plan {
	t.Helper()
	combiner, err := examples.Combiner()
	if err != nil {
		t.Fatal(err)
	}
	p := &seal.Plan{Form: form, Need: need, Account: upn, Label: "first account", What: "the password", Seal: "4411", Made: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		Call: []string{"Operations centre (pager): shift lead"}, Combine: combiner}
	for i, h := range people {
		half := 0
		if form == seal.FormHalves {
			half = i%2 + 1
		}
		p.Holders = append(p.Holders, to(t, h, half))
	}
	return p
}

func secret(text string) custody.Secret { return custody.NewSecret([]byte(text)) }

func sealed(t testing.TB, p *seal.Plan, secrets ...string) *seal.Sealed {
	t.Helper()
	var all []custody.Secret
	for _, s := range secrets {
		all = append(all, secret(s))
	}
	out, err := seal.Seal(rand.Reader, p, all...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parsed(t testing.TB, s *seal.Sealed) *seal.File {
	t.Helper()
	f, err := seal.Parse(s.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func opens(t testing.TB, f *seal.File, keys []seal.Key, shares []seal.Given, by ...string) {
	t.Helper()
	o, err := seal.Open(f, keys, shares)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(o.Secret.Reveal()); got != theSecret || o.Account != upn || o.Set != f.Manifest.Set || len(o.Altered) > 0 || !slices.Equal(o.Openers, by) {
		t.Errorf("got %q for %s by %v, altered %v", got, o.Account, o.Openers, o.Altered)
	}
}

// refused expects a reason, words that must be in the error, and a hint.
func refused(t testing.TB, err error, reason seal.Reason, words ...string) {
	t.Helper()
	if !errors.Is(err, reason) {
		t.Fatalf("got %v, want %q", err, reason)
	}
	hinted, is := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !is || hinted.Hint() == "" {
		t.Errorf("%v has no hint", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error()+" "+hinted.Hint(), w) {
			t.Errorf("%v (%s) does not say %q", err, hinted.Hint(), w)
		}
	}
	if strings.Contains(err.Error(), theSecret) {
		t.Errorf("the error tells the secret: %v", err)
	}
}

func TestAnyTwoOfAPairOpenAndNobodyAlone(t *testing.T) {
	for name, make := range map[string]func(testing.TB, string) *person{"keys of age": classic, "post-quantum keys": hybrid, "SSH keys": withSSH} {
		t.Run(name, func(t *testing.T) {
			ana, ben, carl, eve := make(t, "Ana Weiss"), make(t, "Ben Ode"), make(t, "Carl Roe"), make(t, "Eve")
			s := sealed(t, plan(t, seal.FormPair, 2, ana, ben, carl), theSecret)
			f := parsed(t, s)
			opens(t, f, []seal.Key{ana.key(), ben.key()}, nil, "Ana Weiss", "Ben Ode")
			opens(t, f, []seal.Key{carl.key(), ana.key()}, nil, "Ana Weiss", "Carl Roe")
			opens(t, f, []seal.Key{carl.unknown(), ben.unknown()}, nil, "Ben Ode", "Carl Roe")
			_, err := seal.Open(f, []seal.Key{ben.key()}, nil)
			refused(t, err, seal.ReasonTooFew, "Ben Ode is here", "takes 2 of Ana Weiss, Ben Ode, Carl Roe", "bring 1 more of Ana Weiss, Carl Roe")
			_, err = seal.Open(f, []seal.Key{ben.unknown()}, nil)
			refused(t, err, seal.ReasonTooFew)
			_, err = seal.Open(f, nil, nil)
			refused(t, err, seal.ReasonTooFew, "nobody is here", "-i KEY")
			_, err = seal.Open(f, []seal.Key{ben.key(), eve.key()}, nil)
			refused(t, err, seal.ReasonStranger, "Eve.key")
			_, err = seal.Open(f, []seal.Key{ben.unknown(), eve.unknown()}, nil)
			refused(t, err, seal.ReasonTooFew)
			if strings.Contains(string(s.Bytes), "ea-north") {
				t.Error("the sign-in name stands outside")
			}
		})
	}
}

func TestPairsThatMayNotOpenTogetherCannot(t *testing.T) {
	ana, ben, carl := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), classic(t, "Carl Roe")
	p := plan(t, seal.FormPair, 2, ana, ben, carl)
	p.Together = func(a, b string) bool { return a == "Carl Roe" || b == "Carl Roe" }
	f := parsed(t, sealed(t, p, theSecret))
	_, err := seal.Open(f, []seal.Key{ana.key(), ben.key()}, nil)
	refused(t, err, seal.ReasonTooFew, "no two of them may open it together")
	opens(t, f, []seal.Key{carl.key(), ben.key()}, nil, "Ben Ode", "Carl Roe")
	p.Together = func(string, string) bool { return false }
	_, err = seal.Seal(rand.Reader, p, secret(theSecret))
	refused(t, err, seal.ReasonPlan)
}

// given are shares on paper as a person brings them.
func given(s *seal.Sealed, words bool, numbers ...int) (out []seal.Given) {
	for _, p := range s.Papers {
		if slices.Contains(numbers, p.Number) {
			text := p.QR
			if words {
				text = p.Words
			}
			out = append(out, seal.Given{From: "page " + fmt.Sprint(p.Number), Text: text})
		}
	}
	return out
}

func TestAnyKSharesOpenByKeyByCodeAndByWords(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), withSSH(t, "Ben Ode")
	s := sealed(t, plan(t, seal.FormShares, 3, ana, ben, onPaper("Carl Roe"), onPaper("Dora Ek"), onPaper("Emil Sand")), theSecret)
	f := parsed(t, s)
	if len(s.Papers) != 3 || s.Papers[0].Holder != "Carl Roe" || s.Papers[0].Set != f.Manifest.Set {
		t.Fatalf("%+v", s.Papers)
	}
	opens(t, f, []seal.Key{ana.key(), ben.key()}, given(s, true, 4), "Dora Ek", "Ana Weiss", "Ben Ode")
	opens(t, f, nil, given(s, false, 3, 4, 5), "Carl Roe", "Dora Ek", "Emil Sand")
	opens(t, f, []seal.Key{ben.unknown()}, given(s, true, 3, 5), "Carl Roe", "Emil Sand", "Ben Ode")
	_, err := seal.Open(f, []seal.Key{ana.key()}, given(s, true, 3))
	refused(t, err, seal.ReasonTooFew, "Ana Weiss, Carl Roe are here", "takes 3", "bring 1 more of Ben Ode, Dora Ek, Emil Sand")
}

func TestEveryNumberOfSharesIsEnoughOrNot(t *testing.T) {
	for n := 2; n <= 6; n++ {
		for k := 2; k <= n; k++ {
			var people []*person
			for i := range n {
				people = append(people, onPaper(fmt.Sprintf("Person %d", i+1)))
			}
			s := sealed(t, plan(t, seal.FormShares, k, people...), theSecret)
			f := parsed(t, s)
			for some := range 1 << n {
				var numbers []int
				for i := range n {
					if some>>i&1 == 1 {
						numbers = append(numbers, i+1)
					}
				}
				_, err := seal.Open(f, nil, given(s, some%2 == 0, numbers...))
				if (err == nil) != (len(numbers) >= k) {
					t.Fatalf("%d of %d with %v: %v", k, n, numbers, err)
				}
			}
		}
	}
}

func TestPostQuantumSharesOpenTheSameWay(t *testing.T) {
	ana, ben := hybrid(t, "Ana Weiss"), hybrid(t, "Ben Ode")
	s := sealed(t, plan(t, seal.FormShares, 2, ana, ben, onPaper("Carl Roe")), theSecret)
	f := parsed(t, s)
	if !strings.Contains(f.Manifest.Opens, "1.3") || !strings.HasPrefix(f.Manifest.Recipient, "age1pq1") {
		t.Errorf("opens with %s, %.20s", f.Manifest.Opens, f.Manifest.Recipient)
	}
	opens(t, f, []seal.Key{ben.key()}, given(s, true, 3), "Carl Roe", "Ben Ode")
}

// Everything that can be wrong with a share is told, and nothing else is learnt.
func TestWrongSharesAreNamed(t *testing.T) {
	people := []*person{onPaper("Ana Weiss"), onPaper("Ben Ode"), onPaper("Carl Roe")}
	s := sealed(t, plan(t, seal.FormShares, 2, people...), theSecret)
	f := parsed(t, s)
	other := sealed(t, plan(t, seal.FormShares, 2, people...), theSecret)
	next := plan(t, seal.FormShares, 2, people...)
	next.Voided = []seal.Void{{Set: f.Manifest.Set, On: "2026-12-01", Holders: []string{"Ana Weiss", "Ben Ode", "Carl Roe"}}}
	after := parsed(t, sealed(t, next, theSecret))

	good := given(s, false, 1)
	for name, c := range map[string]struct {
		f      *seal.File
		second []seal.Given
		reason seal.Reason
		words  []string
	}{
		"the same twice":        {f, given(s, true, 1), seal.ReasonTwice, []string{"share 1, of Ana Weiss"}},
		"of another set":        {f, given(other, false, 2), seal.ReasonOtherSet, []string{other.Manifest.Set, f.Manifest.Set}},
		"of a void set":         {after, given(s, false, 2), seal.ReasonVoid, []string{"share", "Ben Ode", "void since 2026-12-01"}},
		"no share":              {f, []seal.Given{{From: "x", Text: secret("nothing at all")}}, seal.ReasonTyped, nil},
		"a code that is short":  {f, []seal.Given{{From: "x", Text: secret("HALLIGAN-SHARE-1:AAAA")}}, seal.ReasonNoShare, nil},
		"a letter of the code":  {f, []seal.Given{{From: "page 2", Text: changed(given(s, false, 2)[0].Text, 60)}}, seal.ReasonAltered, []string{"page 2", "checksum"}},
		"forged, checksum good": {f, []seal.Given{{From: "page 2", Text: forged(t, given(s, false, 2)[0].Text)}}, seal.ReasonAltered, []string{"page 2", "share 2", "SHA-256"}},
	} {
		t.Run(name, func(t *testing.T) {
			first := good
			if c.f == after {
				first = nil
			}
			_, err := seal.Open(c.f, nil, slices.Concat(first, c.second))
			refused(t, err, c.reason, c.words...)
		})
	}
}

// changed has another letter at a place of the text.
func changed(s custody.Secret, at int) custody.Secret {
	text := bytes.Clone(s.Reveal())
	text[at] = "AB"[b2i(text[at] == 'A')]
	return custody.NewSecret(text)
}

func b2i(is bool) int {
	if is {
		return 1
	}
	return 0
}

// forged flips a bit of the value and makes the checksum right again, as somebody
// would who wants the others to fail.
func forged(t *testing.T, s custody.Secret) custody.Secret {
	t.Helper()
	raw := rawShare(t, s)
	raw[20] ^= 1
	sum := sha256.Sum256(raw[:44])
	copy(raw[44:], sum[:4])
	return codeOf(raw)
}

func TestHalvesAreHeldApart(t *testing.T) {
	ana, ben, carl := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), onPaper("Carl Roe")
	s := sealed(t, plan(t, seal.FormHalves, 2, ana, ben), "Hf7qwinter9Kd2xy", "Lm3npqrsTu4vwxyz")
	o, err := seal.Open(parsed(t, s), []seal.Key{ana.key(), ben.key()}, nil)
	if err != nil || len(o.Halves) != 2 || string(o.Halves[0].Text.Reveal()) != "Hf7qwinter9Kd2xy" || string(o.Halves[1].Text.Reveal()) != "Lm3npqrsTu4vwxyz" || o.Halves[1].Holder != "Ben Ode" || o.Account != upn || !o.Secret.Empty() {
		t.Fatalf("%+v %v", o, err)
	}
	_, err = seal.Open(parsed(t, s), []seal.Key{ana.key()}, nil)
	refused(t, err, seal.ReasonTooFew, "Ana Weiss is here", "bring 1 more of Ben Ode")

	s = sealed(t, plan(t, seal.FormHalves, 2, ana, carl), "Hf7qwinter9Kd2xy", "Lm3npqrsTu4vwxyz")
	if len(s.Papers) != 1 || s.Papers[0].Half != 2 || string(s.Papers[0].QR.Reveal()) != "Lm3npqrsTu4vwxyz" {
		t.Fatalf("%+v", s.Papers)
	}
	o, err = seal.Open(parsed(t, s), []seal.Key{ana.key()}, nil)
	if err != nil || len(o.Halves) != 2 || !o.Halves[1].Text.Empty() || o.Halves[1].Holder != "Carl Roe" {
		t.Fatalf("%+v %v", o, err)
	}
}

func TestWhatOnePersonCouldOpenIsNotSealed(t *testing.T) {
	ana, ben, carl, pq := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), classic(t, "Carl Roe"), hybrid(t, "Piet")
	again, copied := classic(t, " ana  WEISS"), *ana
	copied.name = "Copy"
	six := []*person{ana, ben, carl, classic(t, "D"), classic(t, "E"), classic(t, "F")}
	for name, p := range map[string]*seal.Plan{
		"one is enough":             plan(t, seal.FormShares, 1, ana, ben),
		"one holder":                plan(t, seal.FormPair, 2, ana),
		"the same person twice":     plan(t, seal.FormPair, 2, ana, again),
		"one key under two names":   plan(t, seal.FormPair, 2, ana, &copied),
		"more than there are":       plan(t, seal.FormShares, 3, ana, ben),
		"pairs of three":            plan(t, seal.FormPair, 3, ana, ben, carl),
		"pairs among six":           plan(t, seal.FormPair, 2, six...),
		"a pair with paper":         plan(t, seal.FormPair, 2, ana, onPaper("Paul")),
		"some keys post-quantum":    plan(t, seal.FormPair, 2, ana, pq),
		"a form that nobody knows":  plan(t, "box", 2, ana, ben),
		"a name with a line of its": plan(t, seal.FormPair, 2, ana, &person{"Ben\nOde", ben.public, nil, ""}),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.Seal(rand.Reader, p, secret(theSecret))
			refused(t, err, seal.ReasonPlan)
		})
	}
	p := plan(t, seal.FormHalves, 2, ana, ben)
	p.Holders[1].Half = 1
	if _, err := seal.Seal(rand.Reader, p, secret("a"), secret("b")); !errors.Is(err, seal.ReasonPlan) {
		t.Errorf("nobody holds the second half: %v", err)
	}
	for _, text := range []string{"", " ", strings.Repeat("x", seal.SecretMost+1)} {
		if _, err := seal.Seal(rand.Reader, plan(t, seal.FormPair, 2, ana, ben), secret(text)); !errors.Is(err, seal.ReasonPlan) {
			t.Errorf("a secret of %d bytes: %v", len(text), err)
		}
	}
	if _, err := seal.Seal(io.LimitReader(rand.Reader, 10), plan(t, seal.FormShares, 2, ana, ben), secret(theSecret)); err == nil {
		t.Error("sealed without chance")
	}
}

func TestASecretComesOutAsItWentIn(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	for _, text := range []string{"x", " blanks around ", "line\nbreak", "\nsecret:\n", "Zoë–Åse", "\x00\xff\n", strings.Repeat("long", 2000)} {
		s := sealed(t, plan(t, seal.FormPair, 2, ana, ben), text)
		o, err := seal.Open(parsed(t, s), []seal.Key{ana.key(), ben.key()}, nil)
		if err != nil || string(o.Secret.Reveal()) != text {
			t.Errorf("%.20q: got %.20q, %v", text, o.Secret.Reveal(), err)
		}
	}
}
