package register

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"halligan/entra"
)

// deciding is the part of a register by which it is decided who may do what, who
// hears of it and what is watched. It changes only by an approved change; its
// digest stands in requests, approvals and evidence.
type deciding struct {
	Form     string            `json:"form"`
	People   []decidingPerson  `json:"people"`
	Quorum   decidingQuorum    `json:"quorum"`
	Silences []decidingSilence `json:"silences"`
	Channels []decidingChannel `json:"channels"`
	Watched  []decidingWatched `json:"watched"`
	Evidence *decidingEvidence `json:"evidence,omitempty"`
	Reached  *decidingReached  `json:"reached,omitempty"`
	Suppose  []string          `json:"suppose,omitempty"`
}

// decidingReached is the way to the tenant: whoever chooses both answers for it.
type decidingReached struct {
	Proxy    string `json:"proxy,omitempty"`
	CABundle string `json:"caBundle,omitempty"`
}

// decidingEvidence is where what was approved stands, and what would show that it
// was replaced.
type decidingEvidence struct {
	Store   string `json:"store,omitempty"`
	Witness string `json:"witness,omitempty"`
}

const decidingForm = "halligan register deciding v1"

type decidingPerson struct {
	Name string   `json:"name"`
	ID   entra.ID `json:"id,omitempty"`
	// Title and Reach say who shares a role and whom a loss cuts off: what survives
	// which loss rests on them.
	Title     string           `json:"title,omitempty"`
	Reach     []string         `json:"reach,omitempty"`
	Roles     []Role           `json:"roles"`
	Manager   string           `json:"manager,omitempty"`
	Signing   string           `json:"signing,omitempty"`
	Passkey   *decidingPasskey `json:"passkey,omitempty"`
	Receiving string           `json:"receiving,omitempty"`
}

type decidingPasskey struct {
	RPID         string `json:"rpId"`
	Origin       string `json:"origin"`
	CredentialID string `json:"credentialId"`
	PublicKey    string `json:"publicKey"`
}

type decidingQuorum struct {
	People    int    `json:"people,omitempty"`
	Approvals int    `json:"approvals"`
	Lines     Lines  `json:"lines"`
	Outside   string `json:"outside,omitempty"`
}

type decidingSilence struct {
	ID    entra.ID `json:"id"`
	From  Day      `json:"from"`
	Until Day      `json:"until"`
	Why   string   `json:"why"`
}

type decidingChannel struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`
	InTenant   bool     `json:"inTenant"`
	Recipients []string `json:"recipients"`
	// An address by which anybody could write there is in a file, and not in the log.
	Address     string `json:"address,omitempty"`
	AddressFile string `json:"addressFile,omitempty"`
	Sender      string `json:"sender,omitempty"`
}

type decidingWatched struct {
	Kind string   `json:"kind"` // account or group
	ID   entra.ID `json:"id"`
	Use  GroupUse `json:"use,omitempty"`
	// Suppose is what proofs take as true of the account.
	Suppose []string `json:"suppose,omitempty"`
}

// Deciding returns the deciding part of the register as canonical JSON
// (entra.Canonical), and its digest, sha256: and the SHA-256 of that text in
// hexadecimal digits. It is who there is, with titles, roles, managers, keys and ways
// to reach them; the quorum; silences; channels; the ids of accounts and groups, and what
// is supposed of them; where the evidence is kept; and by which way the tenant is reached.
// The order of a list, the comment of a key, the case of an id and every other part of
// the register make no difference.
func (r *Register) Deciding() (text []byte, digest string) {
	r = r.Or()
	d := deciding{Form: decidingForm, People: []decidingPerson{}, Silences: []decidingSilence{}, Channels: []decidingChannel{}, Watched: []decidingWatched{},
		Quorum: decidingQuorum{People: r.Quorum.People, Approvals: r.Quorum.Needed(), Lines: cmp.Or(r.Quorum.Lines, LinesWarn), Outside: r.Quorum.Outside}}
	for _, p := range r.People {
		one := decidingPerson{Name: p.Name, ID: entra.ID(p.ID.Key()), Title: p.Title, Reach: sorted(p.Reach), Roles: sorted(p.Roles), Manager: p.Manager, Signing: sshBody(p.Signing), Receiving: sshBody(p.Receiving)}
		if one.Roles == nil {
			one.Roles = []Role{}
		}
		if p.Passkey != (Passkey{}) {
			one.Passkey = (*decidingPasskey)(&p.Passkey)
		}
		d.People = append(d.People, one)
	}
	for _, s := range r.Silences {
		d.Silences = append(d.Silences, decidingSilence{entra.ID(s.ID.Key()), s.From, s.Until, s.Why})
	}
	for _, c := range r.Channels {
		d.Channels = append(d.Channels, decidingChannel{c.Name, c.Kind, c.InTenant, append([]string{}, c.Recipients...), c.Address, c.AddressFile, c.Sender})
	}
	for _, a := range r.Accounts {
		d.Watched = append(d.Watched, decidingWatched{Kind: "account", ID: entra.ID(a.ID.Key()), Suppose: sorted(a.Suppose)})
	}
	for _, g := range r.Groups {
		d.Watched = append(d.Watched, decidingWatched{Kind: "group", ID: entra.ID(g.ID.Key()), Use: g.Use})
	}
	if r.Evidence != (Evidence{}) {
		d.Evidence = (*decidingEvidence)(&r.Evidence)
	}
	if way := (decidingReached{r.Proxy, r.CABundle}); way != (decidingReached{}) {
		d.Reached = &way
	}
	d.Suppose = sorted(r.Suppose)
	slices.SortFunc(d.People, func(a, b decidingPerson) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(d.Silences, func(a, b decidingSilence) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.From, b.From), cmp.Compare(a.Until, b.Until), cmp.Compare(a.Why, b.Why))
	})
	slices.SortFunc(d.Channels, func(a, b decidingChannel) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Watched, func(a, b decidingWatched) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return canonicalOf(d)
}

// sorted is a list in its order, each element once.
func sorted[T cmp.Ordered](list []T) []T { return slices.Compact(slices.Sorted(slices.Values(list))) }

// canonicalOf is a value as canonical JSON, and its digest.
func canonicalOf(v any) ([]byte, string) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// Strings, numbers and lists of them: neither of the two can fail, and if one
	// did, the digest of nothing would match no register.
	err := e.Encode(v)
	text, failed := entra.Canonical(b.Bytes())
	if err != nil || failed != nil {
		return nil, ""
	}
	return text, DigestOf(text)
}

// DigestOf returns the digest of a text as it stands in evidence: sha256: and 64
// hexadecimal digits.
func DigestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// FromDeciding returns a register of which only the deciding part is known, as
// Deciding wrote it: the rules that held when it was approved. A text that
// Deciding would not have written is an error.
func FromDeciding(text []byte) (*Register, error) {
	var d deciding
	e := json.NewDecoder(bytes.NewReader(text))
	e.DisallowUnknownFields()
	if err := e.Decode(&d); err != nil {
		return nil, fmt.Errorf("read the deciding part of a register: %v", err)
	}
	if d.Form != decidingForm {
		return nil, fmt.Errorf("read the deciding part of a register: the form is %s, not %q", shown(d.Form), decidingForm)
	}
	r := &Register{Version: Version, Quorum: Quorum{People: d.Quorum.People, Approvals: d.Quorum.Approvals, Lines: d.Quorum.Lines, Outside: d.Quorum.Outside}}
	for _, p := range d.People {
		one := Person{Name: p.Name, ID: p.ID, Title: p.Title, Reach: p.Reach, Roles: p.Roles, Manager: p.Manager, Signing: p.Signing, Receiving: p.Receiving}
		if p.Passkey != nil {
			one.Passkey = Passkey(*p.Passkey)
		}
		r.People = append(r.People, one)
	}
	for _, s := range d.Silences {
		r.Silences = append(r.Silences, Silence(s))
	}
	for _, c := range d.Channels {
		r.Channels = append(r.Channels, Channel(c))
	}
	for _, w := range d.Watched {
		if w.Kind == "account" {
			r.Accounts = append(r.Accounts, Account{ID: w.ID, Suppose: w.Suppose})
			continue
		}
		r.Groups = append(r.Groups, Group{ID: w.ID, Use: w.Use})
	}
	if d.Evidence != nil {
		r.Evidence = Evidence(*d.Evidence)
	}
	if d.Reached != nil {
		r.Proxy, r.CABundle = d.Reached.Proxy, d.Reached.CABundle
	}
	r.Suppose = d.Suppose
	if again, _ := r.Deciding(); !bytes.Equal(again, text) {
		return nil, errors.New("read the deciding part of a register: it is not in the one form in which it is written")
	}
	return r, nil
}
