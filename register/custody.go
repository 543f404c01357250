package register

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"halligan/entra"
)

// PartNames returns how each of the parts is named, in their order: by its name, or
// after its kind and key, with a number where several would be called the same. No
// two are equal.
func (r *Register) PartNames() []string {
	r = r.Or()
	out := make([]string, len(r.Parts))
	taken := map[string]bool{}
	for i, p := range r.Parts {
		if p.Name != "" {
			out[i] = p.Name
			taken[foldName(p.Name)] = true
		}
	}
	next := map[string]int{}
	for i := range r.Parts {
		if out[i] != "" {
			continue
		}
		plain := plainName(&r.Parts[i])
		for out[i] == "" || taken[foldName(out[i])] {
			next[plain]++
			if out[i] = plain; next[plain] > 1 {
				out[i] = plain + "-" + strconv.Itoa(next[plain])
			}
		}
		taken[foldName(out[i])] = true
	}
	return out
}

// plainName is made of what a part is, not of where it lies or who has it: it stays
// when the part moves.
func plainName(p *Part) string {
	var b strings.Builder
	for _, word := range []string{string(p.Kind), p.Key, p.Opens} {
		if word == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		for i, c := range word {
			switch {
			case unicode.IsUpper(c) && i > 0 && unicode.IsLower(rune(word[i-1])):
				b.WriteString("-" + string(unicode.ToLower(c)))
			case unicode.IsLetter(c) || unicode.IsDigit(c):
				b.WriteRune(unicode.ToLower(c))
			case !strings.HasSuffix(b.String(), "-"):
				b.WriteByte('-')
			}
		}
	}
	return cmp.Or(strings.Trim(b.String(), "-"), "part")
}

// NoPartError is for a name that no part has.
type NoPartError struct{ Name, Near string }

// Error returns what was looked for.
func (e *NoPartError) Error() string {
	return fmt.Sprintf("find part %s: the register has none", shown(e.Name))
}

// Hint returns what was probably meant.
func (e *NoPartError) Hint() string {
	if e.Near != "" {
		return fmt.Sprintf("did you mean %s? halligan custody list", shown(e.Near))
	}
	return "halligan custody list shows the names"
}

// FindPart returns the place of a part in Parts by its name (PartNames). Case and
// blanks make no difference.
func (r *Register) FindPart(name string) (int, error) {
	names := r.PartNames()
	if i := slices.IndexFunc(names, func(n string) bool { return foldName(n) == foldName(name) }); i >= 0 && strings.TrimSpace(name) != "" {
		return i, nil
	}
	return -1, &NoPartError{name, Nearest(name, names)}
}

// inCustody is the part of a register that says who holds what where, and how the
// accounts are opened by it.
type inCustody struct {
	Form     string           `json:"form"`
	Accounts []custodyAccount `json:"accounts,omitempty"`
	Parts    []custodyPart    `json:"parts"`
	Places   []custodyPlace   `json:"places"`
}

// The forms: the second has accounts, the first none. A text has the first form where
// it has nothing to say of accounts, as logs hold it from before.
const (
	custodyForm1 = "halligan register custody v1"
	custodyForm2 = "halligan register custody v2"
)

// custodyAccount is what decides how an account is opened.
type custodyAccount struct {
	ID       entra.ID     `json:"id"`
	Name     string       `json:"name,omitempty"`
	Pattern  Pattern      `json:"pattern,omitempty"`
	Password Password     `json:"password,omitempty"`
	Keys     []custodyKey `json:"keys,omitempty"`
}

// custodyKey has the fields of Key in their order.
type custodyKey struct {
	ID     string `json:"id,omitempty"`
	Label  string `json:"label,omitempty"`
	AAGUID string `json:"aaguid,omitempty"`
	Model  string `json:"model,omitempty"`
	Serial string `json:"serial,omitempty"`
}

// custodyPart and custodyPlace have the fields of Part and Place in their order.
type custodyPart struct {
	Name    string   `json:"name"`
	Account entra.ID `json:"account,omitempty"`
	Kind    PartKind `json:"kind"`
	Key     string   `json:"key,omitempty"`
	Opens   string   `json:"opens,omitempty"`
	Needed  int      `json:"needed,omitempty"`
	Set     string   `json:"set,omitempty"`
	Holder  string   `json:"holder,omitempty"`
	Place   string   `json:"place,omitempty"`
	Seal    string   `json:"seal,omitempty"`
	Since   Day      `json:"since,omitempty"`
}

type custodyPlace struct {
	Name               string   `json:"name"`
	Kind               string   `json:"kind,omitempty"`
	Site               string   `json:"site,omitempty"`
	Fireproof          bool     `json:"fireproof,omitempty"`
	OffSite            bool     `json:"offSite,omitempty"`
	Access             []string `json:"access,omitempty"`
	CombinationChanged Day      `json:"combinationChanged,omitempty"`
	Put                []string `json:"put,omitempty"`
	Get                []string `json:"get,omitempty"`
}

// Custody returns the custody part of the register as canonical JSON
// (entra.Canonical), and its digest: the parts, each with the name of PartNames, the
// places, and of the accounts their names, patterns, passwords and keys. Where there
// are neither parts nor places, accounts say nothing of custody and are left out. The
// order of the parts makes no difference where they have names. It decides nothing,
// but it must not change unseen: evidence keeps its digest.
func (r *Register) Custody() (text []byte, digest string) {
	r = r.Or()
	c := inCustody{Form: custodyForm1, Parts: []custodyPart{}, Places: []custodyPlace{}}
	for i, name := range r.PartNames() {
		p := custodyPart(r.Parts[i])
		p.Name, p.Account = name, entra.ID(p.Account.Key())
		c.Parts = append(c.Parts, p)
	}
	for _, p := range r.Places {
		p.Access = slices.Sorted(slices.Values(p.Access))
		c.Places = append(c.Places, custodyPlace(p))
	}
	if len(c.Parts)+len(c.Places) > 0 {
		c.Accounts = r.inCustody()
	}
	if len(c.Accounts) > 0 {
		c.Form = custodyForm2
	}
	slices.SortFunc(c.Parts, func(a, b custodyPart) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Places, func(a, b custodyPlace) int { return cmp.Compare(a.Name, b.Name) })
	return canonicalOf(c)
}

// inCustody are the accounts as custody has them. The order of keys stays: where two
// have no label, custody counts them.
func (r *Register) inCustody() []custodyAccount {
	var out []custodyAccount
	for _, a := range r.Accounts {
		one := custodyAccount{ID: entra.ID(a.ID.Key()), Name: a.Name, Pattern: a.Pattern, Password: a.Password}
		for _, k := range a.Keys {
			one.Keys = append(one.Keys, custodyKey(k))
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b custodyAccount) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// FromCustody returns a register of which only the custody part is known, as Custody
// wrote it. A text that Custody would not have written is an error. One of before
// accounts were part of it has none.
func FromCustody(text []byte) (*Register, error) {
	var c inCustody
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("read the custody part of a register: %v", err)
	}
	if c.Form != custodyForm1 && c.Form != custodyForm2 {
		return nil, fmt.Errorf("read the custody part of a register: the form is %s, neither %q nor %q", shown(c.Form), custodyForm1, custodyForm2)
	}
	r := &Register{Version: Version}
	for _, a := range c.Accounts {
		one := Account{ID: a.ID, Name: a.Name, Pattern: a.Pattern, Password: a.Password}
		for _, k := range a.Keys {
			one.Keys = append(one.Keys, Key(k))
		}
		r.Accounts = append(r.Accounts, one)
	}
	for _, p := range c.Parts {
		if p.Name == "" {
			return nil, errors.New("read the custody part of a register: a part has no name")
		}
		r.Parts = append(r.Parts, Part(p))
	}
	for _, p := range c.Places {
		r.Places = append(r.Places, Place(p))
	}
	if again, _ := r.Custody(); !bytes.Equal(again, text) {
		return nil, errors.New("read the custody part of a register: it is not in the one form in which it is written")
	}
	return r, nil
}

// Digest returns the digest of the register that stands on paper: the first 16
// hexadecimal digits of the SHA-256 of all that is in it, as canonical JSON. What
// dates itself makes no difference to a printed copy, and none here: attestations,
// accepted risks, silences, and the lists of other tools. Comments and the form of
// the text make none either.
func (r *Register) Digest() string {
	known := *r.Or()
	known.Attestations, known.Accepted, known.Silences, known.Neighbours = nil, nil, nil, Neighbours{}
	_, digest := canonicalOf(plainly(reflect.ValueOf(known)))
	digest = strings.TrimPrefix(digest, "sha256:")
	return digest[:min(16, len(digest))]
}

// plainly is a value of a register with the keys of halligan.yaml; what is not
// written there is left out.
func plainly(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			if key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); !isNone(v.Field(i)) {
				out[key] = plainly(v.Field(i))
			}
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plainly(v.Index(i))
		}
		return out
	}
	return v.Interface()
}
