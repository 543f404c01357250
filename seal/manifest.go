package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Version is the form of sealed files that this package writes and reads.
const Version = 1

// Limits of what is read and written.
const (
	FileMost    = 1 << 20 // bytes of a sealed file
	SecretMost  = 16 << 10
	holdersMost = 16
	pairMost    = 5
	lineMost    = 300
	linesMost   = 64
	memberMost  = 128 << 10
	membersMost = 64
)

// Form is how a secret is sealed.
type Form string

// The forms.
const (
	FormPair   Form = "pair"
	FormShares Form = "shares"
	FormHalves Form = "halves"
)

// Manifest is what everybody may know of a sealed file. It names no account by its
// sign-in name: that is inside.
type Manifest struct {
	Version int    `json:"sealed"`
	Set     string `json:"set"` // 16 hexadecimal digits by chance
	Form    Form   `json:"form"`
	Need    int    `json:"need"` // how many holders open it
	// Label is what the account is called outside, What what is sealed of it, Seal
	// the number of the seal on the envelope or the place, if there is one.
	Label   string    `json:"label"`
	What    string    `json:"what"`
	Seal    string    `json:"seal,omitempty"`
	Made    time.Time `json:"made"` // UTC, whole seconds
	Opens   string    `json:"opens"`
	Holders []Holder  `json:"holders"`
	Pairs   []Pair    `json:"pairs,omitempty"`
	// Recipient is the public key of the fresh key that was split.
	Recipient string `json:"recipient,omitempty"`
	// Call is whom to tell when it is opened, one to a line.
	Call   []string `json:"call,omitempty"`
	Voided []Void   `json:"voided,omitempty"`
	Marks  []string `json:"marks,omitempty"`
	// Pages are the SHA-256 of the pages and programs in the archive.
	Pages map[string]string `json:"pages"`
}

// Holder is somebody who holds a part of a set.
type Holder struct {
	Number int    `json:"number"` // from 1, as they stand in the list
	Name   string `json:"name"`
	Kind   Kind   `json:"kind"`
	Key    string `json:"key,omitempty"`   // Fingerprint
	Half   int    `json:"half,omitempty"`  // 1 or 2, in the form halves
	File   string `json:"file,omitempty"`  // with their share or half
	Share  string `json:"share,omitempty"` // SHA-256 of it
}

// Pair is a file that two holders open together: it is encrypted to the first, and
// then to the second.
type Pair struct {
	First  int    `json:"first"`
	Second int    `json:"second"`
	File   string `json:"file"`
}

// Void is a set that is void since this one was made.
type Void struct {
	Set     string   `json:"set"`
	On      string   `json:"on"` // day
	Holders []string `json:"holders"`
}

// The programs that open a file by hand.
const (
	opensClassic = "age 1.1.1 or newer"
	opensHybrid  = "age 1.3 or newer (post-quantum keys)"
)

// text is the one form in which a manifest is written.
func (m *Manifest) text() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(m)
	return b.Bytes(), err
}

// parseManifest reads a manifest in its one form, and checks that it can be one.
func parseManifest(text []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, refuse(ReasonForm, "%s cannot be read", manifestName)
	}
	// One form: also what is not known would be missing in what is written again.
	if again, err := m.text(); err != nil || !bytes.Equal(again, text) {
		return nil, refuse(ReasonForm, "%s is not written as it must be", manifestName)
	}
	if wrong := m.wrong(); wrong != "" {
		return nil, refuse(ReasonForm, "%s: %s", manifestName, wrong)
	}
	return &m, nil
}

// wrong says what no manifest has, "" nothing.
func (m *Manifest) wrong() string {
	for _, c := range []struct {
		is   bool
		what string
	}{
		{m.Version != Version, fmt.Sprintf("version %d; this program reads version %d", m.Version, Version)},
		{!isSet(m.Set), "the set is none"},
		{m.Need < 2 || m.Need > len(m.Holders), fmt.Sprintf("%d of %d holders", m.Need, len(m.Holders))},
		{len(m.Holders) > holdersMost, fmt.Sprintf("%d holders; at most %d", len(m.Holders), holdersMost)},
		{len(m.Call) > linesMost || len(m.Voided) > linesMost || len(m.Marks) > linesMost || len(m.Pages) > linesMost, fmt.Sprintf("a list of more than %d", linesMost)},
		{!isMoment(m.Made), "the time is not in UTC and whole seconds"},
		{m.Opens != opensClassic && m.Opens != opensHybrid, "what opens it is not known"},
	} {
		if c.is {
			return c.what
		}
	}
	for _, t := range slices.Concat([]string{m.Label, m.What}, m.Call, m.Marks) {
		if !isLine(t) {
			return fmt.Sprintf("%.60q is no line of at most %d bytes that can be seen", t, lineMost)
		}
	}
	if m.Seal != "" && !isLine(m.Seal) {
		return "the seal's number is no line"
	}
	for _, v := range m.Voided {
		if !isSet(v.Set) || v.Set == m.Set || len(v.Holders) > holdersMost || slices.ContainsFunc(append([]string{v.On}, v.Holders...), func(t string) bool { return !isLine(t) }) {
			return "a void set is none"
		}
	}
	names := map[string]bool{}
	for i := range m.Holders {
		h := &m.Holders[i]
		if h.Number != i+1 || !isLine(h.Name) || names[fold(h.Name)] || (h.Kind == KindPaper) != (h.Key == "") || !slices.Contains([]Kind{KindAge, KindHybrid, KindSSH, KindPlugin, KindPaper}, h.Kind) {
			return fmt.Sprintf("holder %d is none", i+1)
		}
		names[fold(h.Name)] = true
	}
	return ruleOf(m.Form).wrong(m)
}

// formRule is what one form asks of a manifest and its archive.
type formRule struct {
	// wrongIn says what is wrong with the manifest of this form.
	wrongIn func(*Manifest) string
	// members are the encrypted files, in their order.
	members func(*Manifest) []string
	open    func(*opening) (*Opened, error)
	guide   func(*Manifest, *strings.Builder)
	// enough says whether those who are here, by number, can open it.
	enough func(m *Manifest, here map[int]bool) bool
}

func (r formRule) wrong(m *Manifest) string {
	if r.wrongIn == nil {
		return fmt.Sprintf("the form %.20q is not known", string(m.Form))
	}
	if wrong := r.wrongIn(m); wrong != "" {
		return wrong
	}
	seen := map[string]bool{}
	for _, name := range slices.Concat(r.members(m), slices.Sorted(maps.Keys(m.Pages))) {
		if !isMember(name) || name == manifestName || name == sumsName || seen[name] {
			return fmt.Sprintf("%.60q is no name of a member", name)
		}
		seen[name] = true
	}
	return ""
}

func pairWrong(m *Manifest) string {
	if m.Need != 2 || len(m.Holders) > pairMost || len(m.Pairs) == 0 || m.Recipient != "" {
		return "this is no set of pairs"
	}
	seen := map[[2]int]bool{}
	for _, p := range m.Pairs {
		if p.First < 1 || p.Second > len(m.Holders) || p.First >= p.Second || seen[[2]int{p.First, p.Second}] {
			return fmt.Sprintf("%d and %d are no pair", p.First, p.Second)
		}
		seen[[2]int{p.First, p.Second}] = true
	}
	for _, h := range m.Holders {
		if h.Kind == KindPaper || h.Half != 0 || h.File != "" || h.Share != "" {
			return fmt.Sprintf("holder %d is none of pairs", h.Number)
		}
	}
	return ""
}

func sharesWrong(m *Manifest) string {
	if len(m.Pairs) > 0 || m.Recipient == "" || !isLine(m.Recipient[:min(len(m.Recipient), lineMost)]) || len(m.Recipient) > 4<<10 {
		return "this is no set of shares"
	}
	for _, h := range m.Holders {
		if !isDigest(h.Share) || h.Half != 0 || (h.File == "") != (h.Kind == KindPaper) {
			return fmt.Sprintf("holder %d is none of shares", h.Number)
		}
	}
	return ""
}

func halvesWrong(m *Manifest) string {
	held := [3]int{}
	for _, h := range m.Holders {
		if h.Half < 1 || h.Half > 2 || h.Share != "" || (h.File == "") != (h.Kind == KindPaper) {
			return fmt.Sprintf("holder %d is none of halves", h.Number)
		}
		held[h.Half]++
	}
	if len(m.Pairs) > 0 || m.Recipient != "" || m.Need != 2 || held[1] == 0 || held[2] == 0 {
		return "this is no set of halves"
	}
	return ""
}

// members of the archive that are encrypted.
func pairFiles(m *Manifest) (out []string) {
	for _, p := range m.Pairs {
		out = append(out, p.File)
	}
	return out
}

func holderFiles(m *Manifest) (out []string) {
	for _, h := range m.Holders {
		if h.File != "" {
			out = append(out, h.File)
		}
	}
	return out
}

func shareFiles(m *Manifest) []string { return append([]string{secretName}, holderFiles(m)...) }

// Holder returns a holder by number.
func (m *Manifest) Holder(number int) *Holder { return &m.Holders[number-1] }

func isSet(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == 8 && s == strings.ToLower(s)
}

func isDigest(s string) bool {
	rest, is := strings.CutPrefix(s, "sha256:")
	raw, err := hex.DecodeString(rest)
	return is && err == nil && len(raw) == 32 && s == strings.ToLower(s)
}

// isLine reports whether a text is one line that a person can read whole.
func isLine(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= lineMost && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) })
}

func isMoment(t time.Time) bool {
	return t.Location() == time.UTC && t.Nanosecond() == 0 && t.Year() >= 2000 && t.Year() < 3000
}

// fold is a name as two of them are compared.
func fold(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }
