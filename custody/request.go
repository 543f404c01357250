package custody

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"halligan/entra"
	"halligan/register"
)

// RequestVersion is the form of requests that this package reads and writes.
const RequestVersion = 1

// Limits of a request. People read it whole before they approve it.
const (
	lineMost    = 300
	whyMost     = 1000
	detailsMost = 16 << 10
	requestMost = 64 << 10
	// LifeMost is the longest time that a request may be open.
	LifeMost = 7 * 24 * time.Hour
)

// Request is what somebody asks others to approve. Its fields stand in the
// canonical form in this order.
type Request struct {
	Version int      `json:"request"`
	Tenant  entra.ID `json:"tenant"`
	Store   string   `json:"store"` // id of the evidence store: 32 hexadecimal digits
	What    Verb     `json:"what"`
	On      string   `json:"on"` // the object: an account, a policy, a seal
	Why     string   `json:"why"`
	// Details are of the verb, canonical JSON; nil when there are none.
	Details  json.RawMessage `json:"details,omitempty"`
	By       string          `json:"by"`       // name of the person who asks
	Register string          `json:"register"` // digest of the deciding part that was approved when it was made
	Made     time.Time       `json:"made"`     // UTC, whole seconds
	Expires  time.Time       `json:"expires"`
	Nonce    string          `json:"nonce"` // 32 hexadecimal digits by chance: no hash can be known before
}

// NewRequest completes a request: version, nonce from chance, whole seconds,
// canonical details. A request that ParseRequest would refuse is an error.
func NewRequest(chance io.Reader, r Request) (*Request, error) {
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(chance, nonce); err != nil {
		return nil, fmt.Errorf("make a request: read random bytes: %w", err)
	}
	r.Version, r.Nonce = RequestVersion, hex.EncodeToString(nonce)
	r.Made, r.Expires = r.Made.UTC().Truncate(time.Second), r.Expires.UTC().Truncate(time.Second)
	if len(r.Details) > 0 {
		details, err := entra.Canonical(r.Details)
		if err != nil {
			return nil, refuse(ReasonForm, "", "details are no JSON")
		}
		r.Details = escaped(string(details))
	}
	if err := r.form(); err != nil {
		return nil, err
	}
	return ParseRequest(r.Canonical())
}

// ParseRequest reads a request in its canonical form; any other is refused, so
// that one request has one hash.
func ParseRequest(text []byte) (*Request, error) {
	if len(text) > requestMost {
		return nil, refuse(ReasonForm, "", "%d bytes; at most %d are read", len(text), requestMost)
	}
	var r Request
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, refuse(ReasonForm, "", "this is no request")
	}
	if err := r.form(); err != nil {
		return nil, err
	}
	if !bytes.Equal(r.Canonical(), text) {
		return nil, refuse(ReasonForm, "", "not in canonical form")
	}
	return &r, nil
}

// form reports what no request has.
func (r *Request) form() error {
	life := r.Expires.Sub(r.Made)
	var details []byte
	var detailsErr error
	if len(r.Details) > 0 {
		details, detailsErr = entra.Canonical(r.Details)
	}
	for _, c := range []struct {
		wrong bool
		what  string
	}{
		{r.Version != RequestVersion, fmt.Sprintf("version %d: this program knows version %d", r.Version, RequestVersion)},
		{!r.Tenant.IsGUID(), "the tenant is no GUID"},
		{!isHex(r.Store, 32), "the store is no id"},
		{!isHex(r.Nonce, 32), "the nonce is none"},
		{!isDigest(r.Register), "the register's digest is none"},
		{r.What == "" || len(r.What) > 40, "nothing is asked for"},
		{!isLine(r.On, lineMost), fmt.Sprintf("on is empty, or has more than %d bytes", lineMost)},
		{!isLine(r.Why, whyMost), fmt.Sprintf("why is empty, or has more than %d bytes", whyMost)},
		{!isLine(r.By, lineMost), fmt.Sprintf("by is empty, or has more than %d bytes", lineMost)},
		{len(r.Details) > detailsMost, fmt.Sprintf("details have more than %d bytes", detailsMost)},
		{len(r.Details) > 0 && (detailsErr != nil || !bytes.Equal(escaped(string(details)), r.Details)), "details are not canonical"},
		{!isMoment(r.Made) || !isMoment(r.Expires), "a time is not in UTC and whole seconds"},
		{life <= 0, "it ends before it begins"},
		{life > LifeMost, fmt.Sprintf("it is open for more than %d days", int(LifeMost/(24*time.Hour)))},
	} {
		if c.wrong {
			return refuse(ReasonForm, "", "%s", c.what)
		}
	}
	return nil
}

func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

func isDigest(s string) bool {
	rest, is := strings.CutPrefix(s, "sha256:")
	return is && isHex(rest, 64)
}

func isLine(s string, most int) bool {
	return strings.TrimSpace(s) != "" && len(s) <= most && utf8.ValidString(s)
}

func isMoment(t time.Time) bool {
	return t.Location() == time.UTC && t.Nanosecond() == 0 && t.Year() >= 2000 && t.Year() < 3000
}

// Canonical returns the request in the one form in which it is kept and hashed:
// one line of JSON, its keys in the order of the fields, what cannot be seen
// escaped.
func (r *Request) Canonical() []byte { return canonical(r) }

// canonical is one line of JSON without letters that cannot be seen. They stand
// within strings only, where \u says the same.
func canonical(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // details that are no JSON: form has refused them, and no text begins so
	}
	return escaped(strings.TrimSuffix(b.String(), "\n"))
}

// escaped is JSON in which everything can be seen.
func escaped(text string) []byte {
	var out bytes.Buffer
	for _, c := range text {
		switch {
		case c < 0x20 || !isHidden(c):
			out.WriteRune(c)
		case c <= 0xFFFF:
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			c -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+(c>>10), 0xDC00+(c&0x3FF))
		}
	}
	return out.Bytes()
}

// Hash returns the SHA-256 of the canonical form, as sha256: and 64 hexadecimal
// digits. It names the request.
func (r *Request) Hash() string { return register.DigestOf(r.Canonical()) }

// Shown is a request as a person reads it before deciding.
type Shown struct {
	Text string // lines, as they are signed
	Hash string
	// Odd is what cannot be seen or looks like something else; empty for an
	// honest request.
	Odd []string
}

// Shown returns the request for a person who decides by it.
func (r *Request) Shown() Shown {
	s := Shown{Text: r.lines(), Hash: r.Hash()}
	for _, f := range r.texts() {
		for _, odd := range append(Hidden(f.text), Alike(f.text)...) {
			s.Odd = append(s.Odd, f.key+": "+odd)
		}
	}
	return s
}

type textOf struct {
	key, text string
	name      bool // of something or somebody, where a look-alike would be believed
}

// texts are all texts that somebody chose.
func (r *Request) texts() []textOf {
	out := []textOf{{"what", string(r.What), true}, {"on", r.On, true}, {"by", r.By, true}, {"why", r.Why, false}}
	var details any
	if json.Unmarshal(r.Details, &details) == nil {
		out = appendTexts(out, details)
	}
	return out
}

func appendTexts(out []textOf, v any) []textOf {
	switch v := v.(type) {
	case string:
		out = append(out, textOf{"details", v, true})
	case []any:
		for _, e := range v {
			out = appendTexts(out, e)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = appendTexts(append(out, textOf{"details", k, true}), v[k])
		}
	}
	return out
}

// lines tell the request in plain words, one thing to a line.
func (r *Request) lines() string {
	var b strings.Builder
	line := func(key, value string) { fmt.Fprintf(&b, "%-9s %s\n", key, Visible(value)) }
	what := string(r.What)
	if right := RightOf(r.What); right != nil {
		what += ": " + right.Doc
	}
	line("what", what)
	line("on", r.On)
	line("why", r.Why)
	if len(r.Details) > 0 {
		line("details", string(r.Details))
	}
	line("by", r.By)
	line("tenant", r.Tenant.Key())
	line("store", r.Store)
	line("made", r.Made.Format(time.RFC3339))
	line("expires", r.Expires.Format(time.RFC3339))
	line("request", r.Hash())
	return b.String()
}
