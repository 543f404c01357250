package seal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"halligan/custody"
)

// To is somebody to whom something is sealed.
type To struct {
	Name string
	// Key is the public key as text, Recipient what encrypts to it. Without a key the
	// holder has paper.
	Key       string
	Recipient age.Recipient
	Half      int // 1 or 2, in the form halves
}

// Plan is what is to be sealed, for whom.
type Plan struct {
	Form    Form
	Need    int
	Holders []To
	// Together says whether two holders may open together in the form pair; nil: any
	// two may.
	Together func(a, b string) bool
	// Account is the name to sign in with. It goes inside.
	Account, Label, What, Seal string
	Made                       time.Time
	Call                       []string
	// Announce are told of an opening. They go inside.
	Announce []Announce
	Voided   []Void
	Marks    []string
	// Combine is the second combiner, which goes into a file of shares.
	Combine []byte
}

// Paper is what one holder gets on paper. It is a secret.
type Paper struct {
	Holder, Set string
	Number      int
	Half        int // 0: a share
	// QR is the text of the code; of a half it is the half. Words are rows of words,
	// one to a line, empty for a half.
	QR, Words custody.Secret
}

// Sealed is a sealed file that was made.
type Sealed struct {
	Bytes    []byte
	Digest   string
	Manifest *Manifest
	Papers   []Paper
}

// work is a seal in the making.
type work struct {
	plan     *Plan
	chance   io.Reader
	manifest *Manifest
	members  map[string][]byte
	papers   []Paper
	// encrypt are what is encrypted once the manifest stands.
	encrypt []func(manifest string) error
}

// Seal seals a secret; in the form halves, the two halves of one. Afterwards the
// file is read as whoever opens it will.
func Seal(chance io.Reader, p *Plan, secret ...custody.Secret) (*Sealed, error) {
	if err := p.check(secret); err != nil {
		return nil, err
	}
	set := make([]byte, 8)
	if _, err := io.ReadFull(chance, set); err != nil {
		return nil, fmt.Errorf("seal: read random bytes: %w", err)
	}
	w := &work{plan: p, chance: chance, members: map[string][]byte{}, manifest: &Manifest{Version: Version, Set: hex.EncodeToString(set), Form: p.Form, Need: p.Need, Label: p.Label, What: p.What, Seal: p.Seal,
		Made: p.Made.UTC().Truncate(time.Second), Opens: opensClassic, Call: p.Call, Voided: p.Voided, Marks: p.Marks, Pages: map[string]string{}}}
	if p.hybrid() {
		w.manifest.Opens = opensHybrid
	}
	for i, h := range p.Holders {
		w.manifest.Holders = append(w.manifest.Holders, Holder{Number: i + 1, Name: h.Name, Kind: KindOf(h.Key), Key: Fingerprint(h.Key), Half: h.Half})
	}
	if err := builders[p.Form](w, secret); err != nil {
		return nil, err
	}
	return w.finish()
}

// builders lay out each form.
var builders = map[Form]func(*work, []custody.Secret) error{FormPair: (*work).pairs, FormShares: (*work).shares, FormHalves: (*work).halves}

// check is Check, and whether there is something to seal.
func (p *Plan) check(secret []custody.Secret) error {
	want := 1
	if p.Form == FormHalves {
		want = 2
	}
	if err := p.Check(); err != nil {
		return err
	}
	if len(secret) != want {
		return refuse(ReasonPlan, "%d secrets in the form %s", len(secret), p.Form)
	}
	for _, s := range secret {
		if err := CheckSecret(s); err != nil {
			return err
		}
	}
	return nil
}

// CheckSecret refuses what is no secret, or too long for one.
func CheckSecret(s custody.Secret) error {
	text := s.Reveal()
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return &Error{ReasonPlan, "there is no secret: nothing was given, or blanks alone", "give the secret itself"}
	case len(text) > SecretMost:
		return &Error{ReasonPlan, fmt.Sprintf("a secret of %d bytes; 1 to %d can be sealed", len(text), SecretMost), "give the secret alone, and nothing else"}
	}
	return nil
}

// Check refuses what one person could open, or nobody.
func (p *Plan) Check() error {
	papers, hybrids, keys := 0, 0, map[string]string{}
	names := map[string]bool{}
	for _, h := range p.Holders {
		kind := KindOf(h.Key)
		switch {
		case !isLine(h.Name):
			return refuse(ReasonPlan, "a holder without a name that can be read")
		case names[fold(h.Name)]:
			return refuse(ReasonPlan, "%s is there twice", h.Name)
		case kind == KindUnknown || (kind == KindPaper) != (h.Recipient == nil):
			return refuse(ReasonPlan, "the key of %s is none that can be encrypted to", h.Name)
		case kind != KindPaper && keys[Fingerprint(h.Key)] != "":
			return refuse(ReasonPlan, "%s and %s have one key: that is one person", keys[Fingerprint(h.Key)], h.Name)
		}
		names[fold(h.Name)], keys[Fingerprint(h.Key)] = true, h.Name
		if kind == KindPaper {
			papers++
			delete(keys, "")
		}
		if kind == KindHybrid {
			hybrids++
		}
	}
	n := len(p.Holders)
	for _, c := range []struct {
		wrong bool
		what  string
	}{
		{builders[p.Form] == nil, fmt.Sprintf("the form %.20q is not known", string(p.Form))},
		{n < 2 || n > holdersMost, fmt.Sprintf("%d holders; 2 to %d can be", n, holdersMost)},
		{p.Need < 2 || p.Need > n, fmt.Sprintf("%d of %d holders", p.Need, n)},
		{p.Form == FormPair && (p.Need != 2 || n > pairMost || papers > 0), fmt.Sprintf("pairs are two of at most %d holders, each with a key", pairMost)},
		{p.Form == FormHalves && p.Need != 2, "a password has two halves"},
		{hybrids > 0 && hybrids+papers < n, "some holders have post-quantum keys and others have not: then it would be no stronger than the weakest. Give all of them such keys, or none"},
		{p.Form == FormShares && len(p.Combine) == 0, "a file of shares carries the second combiner"},
	} {
		if c.wrong {
			return refuse(ReasonPlan, "%s", c.what)
		}
	}
	for _, t := range []string{p.Account, p.Label, p.What} {
		if !isLine(t) {
			return refuse(ReasonPlan, "account, label and what are lines of at most %d bytes", lineMost)
		}
	}
	return p.checkAnnounce()
}

// hybrid reports whether every key is post-quantum; paper shares are proof against
// any computer.
func (p *Plan) hybrid() bool {
	return slices.ContainsFunc(p.Holders, func(h To) bool { return KindOf(h.Key) == KindHybrid })
}

func (w *work) pairs(secret []custody.Secret) error {
	m := w.manifest
	for i := range w.plan.Holders {
		for j := i + 1; j < len(w.plan.Holders); j++ {
			a, b := &w.plan.Holders[i], &w.plan.Holders[j]
			if w.plan.Together != nil && !w.plan.Together(a.Name, b.Name) {
				continue
			}
			file := fmt.Sprintf("pair-%d-%d-%s-%s.age", i+1, j+1, slug(a.Name), slug(b.Name))
			m.Pairs = append(m.Pairs, Pair{i + 1, j + 1, file})
			w.encrypt = append(w.encrypt, func(manifest string) error {
				return w.put(file, w.payload(manifest, secret[0], 0), a.Recipient, b.Recipient)
			})
		}
	}
	if len(m.Pairs) == 0 {
		return refuse(ReasonPlan, "no two of the holders may open together")
	}
	return nil
}

func (w *work) shares(secret []custody.Secret) error {
	m := w.manifest
	var key [secretSize]byte
	defer clear(key[:])
	if _, err := io.ReadFull(w.chance, key[:]); err != nil {
		return fmt.Errorf("seal: read random bytes: %w", err)
	}
	hybrid := w.plan.hybrid()
	_, recipient, err := identityOf(hybrid, &key)
	if err != nil {
		return err
	}
	m.Recipient = fmt.Sprint(recipient)
	values, err := split(w.chance, &key, w.plan.Need, len(w.plan.Holders))
	if err != nil {
		return err
	}
	w.encrypt = append(w.encrypt, func(manifest string) error {
		return w.put(secretName, w.payload(manifest, secret[0], 0), recipient)
	})
	for i, to := range w.plan.Holders {
		s := &Share{Hybrid: hybrid, Set: m.Set, Need: w.plan.Need, Of: len(values), Number: i + 1, value: values[i]}
		clear(values[i][:])
		m.Holders[i].Share = s.Digest()
		if to.Recipient == nil {
			w.papers = append(w.papers, Paper{Holder: to.Name, Set: m.Set, Number: i + 1, QR: s.QR(), Words: s.Words()})
			s.wipe()
			continue
		}
		file := fmt.Sprintf("share-%d-%s.age", i+1, slug(to.Name))
		m.Holders[i].File = file
		w.encrypt = append(w.encrypt, func(string) error {
			defer s.wipe()
			return w.put(file, append(s.QR().Reveal(), '\n'), to.Recipient)
		})
	}
	return nil
}

func (w *work) halves(secret []custody.Secret) error {
	held := [3]bool{}
	for i, to := range w.plan.Holders {
		if to.Half < 1 || to.Half > 2 {
			return refuse(ReasonPlan, "%s has neither half 1 nor half 2", to.Name)
		}
		held[to.Half] = true
		half := secret[to.Half-1]
		if to.Recipient == nil {
			w.papers = append(w.papers, Paper{Holder: to.Name, Set: w.manifest.Set, Number: i + 1, Half: to.Half, QR: custody.NewSecret(bytes.Clone(half.Reveal()))})
			continue
		}
		file := fmt.Sprintf("half-%d-%d-%s.age", to.Half, i+1, slug(to.Name))
		w.manifest.Holders[i].File = file
		w.encrypt = append(w.encrypt, func(manifest string) error {
			return w.put(file, w.payload(manifest, half, to.Half), to.Recipient)
		})
	}
	if !held[1] || !held[2] {
		return refuse(ReasonPlan, "somebody holds each of the two halves")
	}
	return nil
}

// put encrypts a text to one recipient after the other and makes a member of it.
// The text is cleared.
func (w *work) put(name string, text []byte, to ...age.Recipient) error {
	for _, r := range to {
		var b bytes.Buffer
		out, err := age.Encrypt(&b, r)
		if err == nil {
			_, err = out.Write(text)
		}
		if err == nil {
			err = out.Close()
		}
		clear(text)
		if err != nil {
			return fmt.Errorf("encrypt %s: %w", name, err)
		}
		text = b.Bytes()
	}
	w.members[name] = text
	return nil
}

// finish writes the archive, and reads it as whoever opens it will.
func (w *work) finish() (*Sealed, error) {
	m := w.manifest
	pages := map[string][]byte{guideName: guide(m)}
	if m.Form == FormShares {
		pages[combineName] = w.plan.Combine
	}
	for name, text := range pages {
		w.members[name], m.Pages[name] = text, digest(text)
	}
	text, err := m.text()
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	w.members[manifestName] = text
	for _, encrypt := range w.encrypt {
		if err := encrypt(digest(text)); err != nil {
			return nil, err
		}
	}
	order := m.order()
	w.members[sumsName] = sums(order, w.members)
	data, err := archive(order, w.members)
	if err != nil {
		return nil, err
	}
	f, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read back what was sealed: %w", err)
	}
	return &Sealed{Bytes: data, Digest: f.Digest, Manifest: m, Papers: w.papers}, nil
}

// slug is a name as it may stand in the name of a member.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	out := b.String()
	return strings.Trim(out[:min(len(out), 20)], "-") + strings.Repeat("x", ifZero(strings.Trim(out, "-")))
}

func ifZero(s string) int {
	if s == "" {
		return 1
	}
	return 0
}

// identityOf is the key of age that 32 bytes make.
func identityOf(hybrid bool, key *[secretSize]byte) (age.Identity, age.Recipient, error) {
	if hybrid {
		i, err := age.ParseHybridIdentity(ageKey(true, key))
		if err != nil {
			return nil, nil, fmt.Errorf("make a key of age: %w", err)
		}
		return i, i.Recipient(), nil
	}
	i, err := age.ParseX25519Identity(ageKey(false, key))
	if err != nil {
		return nil, nil, fmt.Errorf("make a key of age: %w", err)
	}
	return i, i.Recipient(), nil
}
