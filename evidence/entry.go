package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"halligan/entra"
)

// MaxLine is the most bytes that a line may have, without its newline.
const MaxLine = 64 << 10

// timeForm is how times stand in lines and checkpoints: UTC, milliseconds.
const timeForm = "2006-01-02T15:04:05.000Z"

// Hash is a hash of the tree (RFC 6962 2.1).
type Hash = tlog.Hash

// Entry is one entry of the log.
type Entry struct {
	Index      uint64          // its place, counted from 0
	Kind       Kind            // what it is about
	Tenant     entra.ID        // the tenant it concerns, if any
	Time       time.Time       // by our own clock; kept in UTC and whole milliseconds
	Source     time.Time       // by the clock of the other side; zero when it said nothing
	Skew       time.Duration   // estimate of our clock less the other; only with Source
	Who        []string        // persons by their name in the register, or os:NAME@HOST when nobody proved who it is
	What       string          // the verb
	On         string          // the object
	Why        string          // the reason given
	Before     string          // digest of what was, "sha256:HEX"
	After      string          // digest of what is, "sha256:HEX"
	RequestIDs []string        // request ids of the other side
	Subject    string          // digest of the request, approval or snapshot that this is about, "sha256:HEX"
	Refers     *uint64         // index of an earlier entry, as an outcome names its intent
	Marks      []string        // what a reader must know: "one person", "evidence late", "side log"
	Data       json.RawMessage // an object with the details of the kind; nil when there are none
}

// LeafHash returns the hash of a line as a leaf of the tree, RFC 6962 2.1. The
// newline is not part of the line.
func LeafHash(line []byte) Hash { return tlog.RecordHash(line) }

// Check reports why an entry must not be written: a kind that this version does
// not know, digests that are none, a reference to itself or to what is not there
// yet. Index must be set.
func (e *Entry) Check() error {
	if !e.Kind.Known() {
		return fmt.Errorf("write entry: unknown kind %q", e.Kind)
	}
	if (e.Kind == KindLogBegun) != (e.Index == 0) {
		return fmt.Errorf("write entry %d: %s is entry 0 and no other", e.Index, KindLogBegun)
	}
	if e.What == "" {
		return fmt.Errorf("write entry %d: it does not say what was done", e.Index)
	}
	for _, d := range []string{e.Before, e.After, e.Subject} {
		if d != "" && !isDigest(d) {
			return fmt.Errorf("write entry %d: %q is no digest", e.Index, d)
		}
	}
	if e.Refers != nil && *e.Refers >= e.Index {
		return fmt.Errorf("write entry %d: it refers to entry %d, which is not before it", e.Index, *e.Refers)
	}
	return nil
}

func isDigest(s string) bool {
	h, is := strings.CutPrefix(s, "sha256:")
	raw, err := hex.DecodeString(h)
	return is && err == nil && len(raw) == 32 && h == strings.ToLower(h)
}

// Line returns the one line that stands for the entry, without a newline. It is
// printable ASCII: whatever people or tenants put into texts is escaped, and what
// is no UTF-8 becomes U+FFFD. Times are cut to milliseconds. An entry that cannot
// be written in less than MaxLine is refused.
func (e *Entry) Line() ([]byte, error) {
	fail := func(why string) ([]byte, error) { return nil, fmt.Errorf("write entry %d: %s", e.Index, why) }
	if !e.Kind.spelled() {
		return fail("the kind is not lower-case words joined by hyphens")
	}
	if e.Time.IsZero() {
		return fail("no time")
	}
	for _, t := range []time.Time{e.Time, e.Source} {
		if y := t.UTC().Year(); y < 1 || y > 9999 {
			return fail("the year is not one of 1 to 9999")
		}
	}
	if e.Source.IsZero() && e.Skew != 0 {
		return fail("a skew of the clocks, but no time of the other side")
	}
	b := strconv.AppendUint([]byte(`{"index":`), e.Index, 10)
	b = appendText(b, "kind", string(e.Kind))
	b = appendText(b, "tenant", string(e.Tenant))
	b = appendTime(b, "time", e.Time)
	if !e.Source.IsZero() {
		b = appendTime(b, "source", e.Source)
		b = strconv.AppendInt(append(b, `,"skewMs":`...), e.Skew.Milliseconds(), 10)
	}
	b = appendTexts(b, "who", e.Who)
	b = appendText(b, "what", e.What)
	b = appendText(b, "on", e.On)
	b = appendText(b, "why", e.Why)
	b = appendText(b, "before", e.Before)
	b = appendText(b, "after", e.After)
	b = appendTexts(b, "requestIds", e.RequestIDs)
	b = appendText(b, "subject", e.Subject)
	if e.Refers != nil {
		b = strconv.AppendUint(append(b, `,"refers":`...), *e.Refers, 10)
	}
	b = appendTexts(b, "marks", e.Marks)
	if len(e.Data) > 0 {
		data, err := asciiJSON(e.Data)
		if err != nil {
			return fail("its data: " + err.Error())
		}
		b = append(append(b, `,"data":`...), data...)
	}
	if b = append(b, '}'); len(b) > MaxLine {
		return fail(fmt.Sprintf("%d bytes, more than %d", len(b), MaxLine))
	}
	return b, nil
}

func appendText(b []byte, key, text string) []byte {
	if text == "" {
		return b
	}
	b = append(append(append(b, `,"`...), key...), `":`...)
	return quote(b, text)
}

func appendTexts(b []byte, key string, texts []string) []byte {
	if len(texts) == 0 {
		return b
	}
	b = append(append(append(b, `,"`...), key...), `":`...)
	for i, text := range texts {
		b = quote(append(b, "[,"[min(i, 1)]), text)
	}
	return append(b, ']')
}

func appendTime(b []byte, key string, t time.Time) []byte {
	b = append(append(append(b, `,"`...), key...), `":"`...)
	return append(t.UTC().AppendFormat(b, timeForm), '"')
}

// lineForm is how a line decodes. ParseLine writes what it read again and
// compares, so nothing here needs to be strict.
type lineForm struct {
	Index      uint64          `json:"index"`
	Kind       Kind            `json:"kind"`
	Tenant     entra.ID        `json:"tenant"`
	Time       string          `json:"time"`
	Source     string          `json:"source"`
	SkewMs     int64           `json:"skewMs"`
	Who        []string        `json:"who"`
	What       string          `json:"what"`
	On         string          `json:"on"`
	Why        string          `json:"why"`
	Before     string          `json:"before"`
	After      string          `json:"after"`
	RequestIDs []string        `json:"requestIds"`
	Subject    string          `json:"subject"`
	Refers     *uint64         `json:"refers"`
	Marks      []string        `json:"marks"`
	Data       json.RawMessage `json:"data"`
}

// errLine is why ParseLine refuses what decodes but is spelled otherwise: there
// is one spelling of an entry, so that two readers never see two entries.
var errLine = errors.New("not in the one form of an entry (order, spelling, a field twice or unknown)")

// ParseLine reads a line that Line wrote. Any other text is refused: unknown or
// repeated fields, another order, another spelling of the same value. Writing the
// result gives the same line.
func ParseLine(line []byte) (Entry, error) {
	if len(line) > MaxLine {
		return Entry{}, fmt.Errorf("read entry: %d bytes, more than %d", len(line), MaxLine)
	}
	var f lineForm
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Entry{}, fmt.Errorf("read entry: %v", err)
	}
	e := Entry{
		Index: f.Index, Kind: f.Kind, Tenant: f.Tenant, Skew: time.Duration(f.SkewMs) * time.Millisecond,
		Who: f.Who, What: f.What, On: f.On, Why: f.Why, Before: f.Before, After: f.After,
		RequestIDs: f.RequestIDs, Subject: f.Subject, Refers: f.Refers, Marks: f.Marks, Data: f.Data,
	}
	var err error
	if e.Time, err = time.Parse(timeForm, f.Time); err != nil {
		return Entry{}, fmt.Errorf("read entry %d: its time: %v", f.Index, err)
	}
	if f.Source != "" {
		if e.Source, err = time.Parse(timeForm, f.Source); err != nil {
			return Entry{}, fmt.Errorf("read entry %d: its source time: %v", f.Index, err)
		}
	}
	again, err := e.Line()
	if err != nil {
		return Entry{}, fmt.Errorf("read entry %d: %v", f.Index, err)
	}
	if !bytes.Equal(again, line) {
		return Entry{}, fmt.Errorf("read entry %d: %w", f.Index, errLine)
	}
	return e, nil
}
