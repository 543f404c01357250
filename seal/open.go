package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"halligan/custody"
)

// Key is a private key that somebody brings.
type Key struct {
	From     string // where it is from, for people
	Identity age.Identity
	// Public is its public key as text, "" where only trying tells.
	Public string
}

// Given is a share that somebody brings.
type Given struct {
	From string
	Text custody.Secret
}

// Opened is what was inside.
type Opened struct {
	Account, What, Set string
	// Secret is whole; of halves it is empty, and they are in Halves.
	Secret custody.Secret
	Halves []Half
	// Announce are to be told of it, as stands inside.
	Announce []Announce
	// Faulty is what is wrong with them.
	Faulty []string
	// Openers are the holders whose keys or shares opened it.
	Openers []string
	// Altered tells what is not as it was when it was sealed. The secret is what
	// was encrypted; names, telephone numbers and pages may be somebody else's.
	Altered []string
	// Unused is what was brought, cannot be used and was not needed, and why.
	Unused []error
}

// Half is one half of a password.
type Half struct {
	Number int
	Holder string
	Text   custody.Secret // empty: on paper with the holder
}

// Wipe clears the secret.
func (o *Opened) Wipe() {
	o.Secret.Wipe()
	for _, h := range o.Halves {
		h.Text.Wipe()
	}
}

// opening is an attempt to open a file.
type opening struct {
	*File
	keys   []Key
	shares []*Share
	// whose are the holders whose key each is, by number; 0 is not known.
	whose []int
	// bad is what cannot be used, and why.
	bad []error
}

// Open opens a sealed file with the keys and shares that its holders bring. What is
// superfluous and wrong keeps nobody from opening it and is in Unused; it is the
// error where the rest are too few.
func Open(f *File, keys []Key, shares []Given) (*Opened, error) {
	o := begin(f, keys, shares)
	out, err := ruleOf(f.Manifest.Form).open(o)
	if errors.Is(err, ReasonTooFew) && len(o.bad) > 0 {
		err = one(o.bad)
	}
	if err != nil && f.damaged != nil && !errors.Is(err, ReasonTooFew) {
		err = errors.Join(f.damaged, err)
	}
	if err != nil {
		return nil, err
	}
	out.Unused = o.bad
	if f.damaged != nil {
		out.Altered = append(out.Altered, f.damaged.Error()+"; what was encrypted is whole")
	}
	return out, nil
}

// Enough says from what is public, and without decrypting, why what was brought cannot
// open a file; nil where it can, or where only trying tells.
func Enough(f *File, keys []Key, shares []Given) error {
	o := begin(f, keys, shares)
	here := map[int]bool{}
	for _, whose := range o.whose {
		here[whose] = true
	}
	for _, s := range o.shares {
		here[s.Number] = true
	}
	if here[0] || ruleOf(f.Manifest.Form).enough(&f.Manifest, here) {
		return nil
	}
	if len(o.bad) > 0 {
		return one(o.bad)
	}
	return o.tooFew(here)
}

// one is several errors as one, and a single one as it is.
func one(all []error) error {
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// begin sorts what was brought by what is public: nothing is decrypted.
func begin(f *File, keys []Key, shares []Given) *opening {
	o := &opening{File: f}
	for _, k := range keys {
		whose := 0
		if k.Public != "" {
			mark := Fingerprint(k.Public)
			at := slices.IndexFunc(f.Manifest.Holders, func(h Holder) bool { return h.Key == mark })
			if at < 0 {
				e := refuse(ReasonStranger, "%s, %s; the holders are %s", k.From, mark, f.Manifest.names(nil))
				e.hint = hints[ReasonStranger] + f.Manifest.pages(nil)
				o.bad = append(o.bad, e)
				continue
			}
			whose = at + 1
		}
		o.keys, o.whose = append(o.keys, k), append(o.whose, whose)
	}
	for _, g := range shares {
		if err := o.bring(g); err != nil {
			o.bad = append(o.bad, err)
		}
	}
	return o
}

// bring adds a share that somebody brought.
func (o *opening) bring(g Given) error {
	if m := &o.Manifest; m.Form != FormShares {
		return &Error{Reason: ReasonNoShare, Detail: fmt.Sprintf("this file takes none: its form is %s", m.Form), hint: "give the key files of the holders: " + m.names(nil)}
	}
	s, err := ParseShare(g.Text)
	if err != nil {
		return fmt.Errorf("read the share from %s: %w", g.From, err)
	}
	return o.take(s, g.From)
}

// take adds a share, unless it is none of this set.
func (o *opening) take(s *Share, from string) error {
	m := &o.Manifest
	if s.Set != m.Set {
		for _, v := range m.Voided {
			if v.Set == s.Set {
				who := ""
				if s.Number <= len(v.Holders) {
					who = ", of " + v.Holders[s.Number-1]
				}
				return refuse(ReasonVoid, "%s: share %d of set %s%s, which is void since %s", from, s.Number, s.Set, who, v.On)
			}
		}
		return refuse(ReasonOtherSet, "%s: it is of set %s, and the file of set %s", from, s.Set, m.Set)
	}
	if s.Number > len(m.Holders) || s.Digest() != m.Holders[s.Number-1].Share {
		return refuse(ReasonAltered, "%s: share %d does not have the SHA-256 that the file has of it", from, s.Number)
	}
	if slices.ContainsFunc(o.shares, func(other *Share) bool { return other.Number == s.Number }) {
		return refuse(ReasonTwice, "%s: share %d, of %s", from, s.Number, m.Holder(s.Number).Name)
	}
	o.shares = append(o.shares, s)
	return nil
}

// decrypt decrypts a member with the keys of a holder, or with those of which it is
// not known whose they are. A key that fails leaves the others to be tried.
func (o *opening) decrypt(name string, data []byte, holder int) (text []byte, done bool) {
	for _, whose := range []int{holder, 0} { // first those of which it is known
		for i, k := range o.keys {
			if o.whose[i] != whose {
				continue
			}
			text, err := o.decryptBy(k.Identity, name, data, holder)
			if _, none := errors.AsType[*age.NoIdentityMatchError](err); none && whose == 0 {
				continue
			}
			if err == nil {
				return text, true
			}
			if _, told := errors.AsType[*Error](err); !told {
				err = refuse(ReasonKey, "%s, with the key of %s: %v", name, o.Manifest.Holder(holder).Name, err)
			}
			o.bad = append(o.bad, err)
		}
	}
	return nil, false
}

func (o *opening) decryptBy(key age.Identity, name string, data []byte, holder int) ([]byte, error) {
	in, err := age.Decrypt(bytes.NewReader(data), key)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(in, memberMost+1))
	if err != nil || len(text) > memberMost {
		clear(text)
		return nil, refuse(ReasonDamaged, "%s does not decrypt whole", name)
	}
	return text, nil
}

func (o *opening) pair() (*Opened, error) {
	here := map[int]bool{}
	for _, whose := range o.whose {
		here[whose] = true
	}
	known := func(p Pair) bool { return here[p.First] && here[p.Second] }
	var rest []Pair
	first := slices.DeleteFunc(slices.Clone(o.Manifest.Pairs), func(p Pair) bool { return !known(p) })
	if here[0] { // any pair may be meant; a plugin is asked only where it must be
		rest = slices.DeleteFunc(slices.Clone(o.Manifest.Pairs), known)
	}
	for _, p := range slices.Concat(first, rest) {
		middle, done := o.decrypt(p.File, o.members[p.File], p.Second)
		if !done {
			continue
		}
		here[p.Second] = true
		if inner, done := o.decrypt(p.File, middle, p.First); done {
			return o.opened(inner, p.First, p.Second)
		}
	}
	return nil, o.tooFew(here)
}

// tooFew says who is here and who else could come.
func (o *opening) tooFew(here map[int]bool) error {
	m := &o.Manifest
	var have []string
	for _, h := range m.Holders {
		if here[h.Number] {
			have = append(have, h.Name)
		}
	}
	who := "nobody is"
	switch {
	case len(have) == 1:
		who = have[0] + " is"
	case len(have) > 1:
		who = strings.Join(have, ", ") + " are"
	}
	e := refuse(ReasonTooFew, "%s here, and it takes %d of %s", who, m.Need, m.names(nil))
	if len(have) >= m.Need && m.Form == FormPair {
		e = refuse(ReasonTooFew, "%s here, and no two of them may open it together", who)
	}
	if len(have) < m.Need {
		e.hint = fmt.Sprintf("bring %d more of %s", m.Need-len(have), m.names(here)) + m.keys(here) + m.pages(here)
	}
	return e
}

// keys says how those bring their keys who have one, where nobody is here yet; it goes on
// with a hint.
func (m *Manifest) keys(here map[int]bool) string {
	if len(here) == 0 && slices.ContainsFunc(m.Holders, func(h Holder) bool { return h.Kind != KindPaper }) {
		return "; who has a key: -i KEY"
	}
	return ""
}

// pages says which holders have a page and no key, but those that are left out; it
// goes on with a hint.
func (m *Manifest) pages(out map[int]bool) string {
	var all []string
	for _, h := range m.Holders {
		if h.Kind == KindPaper && !out[h.Number] {
			all = append(all, h.Name)
		}
	}
	how := map[Form]string{FormShares: ": --share -", FormHalves: ", and needs no key: their half is typed by hand"}[m.Form]
	switch len(all) {
	case 0:
		return ""
	case 1:
		return "; " + all[0] + " has a page" + how
	}
	return "; " + strings.Join(all, ", ") + " have a page each" + how
}

// names are the holders but those that are left out.
func (m *Manifest) names(out map[int]bool) string {
	var all []string
	for _, h := range m.Holders {
		if !out[h.Number] {
			all = append(all, h.Name)
		}
	}
	return strings.Join(all, ", ")
}

// unsealShares gets the shares of those whose keys are here, until there are enough;
// a plugin is asked only where it must be.
func (o *opening) unsealShares() {
	for _, sure := range []bool{true, false} {
		for _, h := range o.Manifest.Holders {
			has := slices.ContainsFunc(o.shares, func(s *Share) bool { return s.Number == h.Number })
			if h.File == "" || has || len(o.shares) >= o.Manifest.Need || slices.Contains(o.whose, h.Number) != sure {
				continue
			}
			text, done := o.decrypt(h.File, o.members[h.File], h.Number)
			if !done {
				continue
			}
			s, err := ParseShare(custody.NewSecret(text))
			clear(text)
			if err != nil {
				err = fmt.Errorf("read %s: %w", h.File, err)
			} else {
				err = o.take(s, h.File)
			}
			if err != nil {
				o.bad = append(o.bad, err)
			}
		}
	}
}

func (o *opening) byShares() (*Opened, error) {
	m := &o.Manifest
	o.unsealShares()
	here := map[int]bool{}
	for _, s := range o.shares {
		here[s.Number] = true
	}
	if len(o.shares) < m.Need {
		return nil, o.tooFew(here)
	}
	use := o.shares[:m.Need]
	identity, err := join(use, m.Recipient)
	if err != nil {
		return nil, err
	}
	in, err := age.Decrypt(bytes.NewReader(o.members[secretName]), identity)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(in, memberMost))
	}
	if err != nil {
		return nil, refuse(ReasonDamaged, "%s: %v", secretName, err)
	}
	var who []int
	for _, s := range use {
		who = append(who, s.Number)
	}
	return o.opened(text, who...)
}

// join makes the key again of which the shares are. They are of one set and
// distinct.
func join(shares []*Share, recipient string) (age.Identity, error) {
	for _, s := range shares {
		if s.Hybrid != shares[0].Hybrid || s.Need > len(shares) {
			return nil, refuse(ReasonAltered, "the shares do not say the same of their set")
		}
	}
	key := together(shares)
	defer clear(key[:])
	identity, public, err := identityOf(shares[0].Hybrid, &key)
	if err != nil {
		return nil, err
	}
	if fmt.Sprint(public) != recipient {
		return nil, refuse(ReasonAltered, "together they do not make the key of the set")
	}
	return identity, nil
}

func (o *opening) byHalves() (*Opened, error) {
	m := &o.Manifest
	out := &Opened{}
	here := map[int]bool{}
	for half := 1; half <= 2; half++ {
		found, err := o.half(half)
		if err != nil {
			return nil, err
		}
		if found == nil {
			i := slices.IndexFunc(m.Holders, func(h Holder) bool { return h.Half == half && h.Kind == KindPaper })
			if i < 0 {
				continue
			}
			out.Halves = append(out.Halves, Half{Number: half, Holder: m.Holders[i].Name})
			continue
		}
		h := m.Holder(slices.IndexFunc(m.Holders, func(h Holder) bool { return h.Name == found.Openers[0] }) + 1)
		here[h.Number] = true
		out.Account, out.What, out.Set, out.Altered = found.Account, found.What, found.Set, append(out.Altered, found.Altered...)
		out.tell(found)
		out.Openers = append(out.Openers, h.Name)
		out.Halves = append(out.Halves, Half{half, h.Name, found.Secret})
	}
	if len(out.Halves) < 2 || len(here) == 0 {
		out.Wipe()
		return nil, o.tooFew(here)
	}
	return out, nil
}

// tell adds those whom the other half names.
func (o *Opened) tell(half *Opened) {
	for _, a := range half.Announce {
		if !slices.ContainsFunc(o.Announce, func(b Announce) bool { return a.Line() == b.Line() }) {
			o.Announce = append(o.Announce, a)
		}
	}
	for _, wrong := range half.Faulty {
		if !slices.Contains(o.Faulty, wrong) {
			o.Faulty = append(o.Faulty, wrong)
		}
	}
}

// half opens one half, or returns nil when nobody is here who holds it.
func (o *opening) half(number int) (*Opened, error) {
	for _, h := range o.Manifest.Holders {
		if h.Half != number || h.File == "" {
			continue
		}
		if text, done := o.decrypt(h.File, o.members[h.File], h.Number); done {
			return o.opened(text, h.Number)
		}
	}
	return nil, nil
}

// opened reads what was decrypted and compares it with what stands outside.
func (o *opening) opened(text []byte, who ...int) (*Opened, error) {
	p, err := parsePayload(text)
	if err != nil {
		return nil, err
	}
	m := &o.Manifest
	if p.set != m.Set {
		p.secret.Wipe()
		return nil, refuse(ReasonPayload, "it is of set %s, and the file says %s", p.set, m.Set)
	}
	out := &Opened{Account: p.account, What: p.what, Set: p.set, Secret: p.secret, Announce: p.announce, Faulty: p.wrong}
	if m.Form == FormHalves && p.half != m.Holder(who[0]).Half {
		p.secret.Wipe()
		return nil, refuse(ReasonPayload, "it is half %d, and the file says %d", p.half, m.Holder(who[0]).Half)
	}
	if p.manifest != digest(o.members[manifestName]) {
		out.Altered = append(out.Altered, "the manifest is not the one that was sealed: do not believe the names, telephone numbers and pages that stand in the file")
	}
	for _, n := range who {
		out.Openers = append(out.Openers, m.Holder(n).Name)
	}
	return out, nil
}
