// Package notify tells people something on a channel: by mail, or at a webhook.
//
// A kind of channel is one file here and one line in the table below, and one line in
// register.ChannelKinds, by which its address is judged. Send tells one channel one
// message, and returns what the other side answered, and when. It ends in bounded
// time, whatever the other side does: it tries a few times, each for a few seconds,
// and never after the deadline of its context. A message has an id, which every try
// carries, so that a receiver can tell a repetition.
//
// Addresses and texts may be somebody else's. So it connects only to what the address
// names, directly and through no proxy; verifies TLS, which only this machine itself
// may do without; follows no redirect; refuses link-local addresses, where clouds keep
// credentials of machines, and this machine under a name of something else; reads a
// bounded part of what is answered, and shows none of its hidden letters. Addresses of
// a company's own network are taken: most relays are there. What it sends can mention
// nobody, link to nothing and begin no header; see Inert.
//
// A relay is used without signing in, and nothing secret is ever sent. The address of
// a webhook is a secret: errors and receipts name its host alone.
package notify

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/register"
)

// Channel is where to tell something.
type Channel struct {
	Name    string // what people call it, "" nothing
	Kind    string // of the table
	Address string
	// To and From are addresses of mail; From "" is made of the first of To.
	To   []string
	From string
}

// Severity says how much something matters.
type Severity string

// The severities.
const (
	SeverityUnknown Severity = ""
	SeverityInfo    Severity = "info"
	SeverityWarning Severity = "warning"
	SeverityAlarm   Severity = "alarm"
)

// Field is one thing that a message says, by name.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Message is what is told. It must not hold secrets.
type Message struct {
	ID       string // the same for every try and every channel
	Title    string // one line
	Text     string // what to do
	Severity Severity
	Fields   []Field
	At       time.Time
}

// Receipt is what came of telling a channel.
type Receipt struct {
	// Told are the recipients of mail that the relay took, or the host of a webhook.
	Told   []string
	Answer string // of the other side, in letters that can be seen
	Said   string // Answer, uncut
	At     time.Time
	Tries  int
}

// Sender tells channels. The zero value is ready.
type Sender struct {
	// Roots are the authorities that are believed; nil: those of the system.
	Roots *x509.CertPool
	// connect is how a test leads a name to this machine; nil: as the name says.
	connect func(ctx context.Context, network, address string) (net.Conn, error)
}

// kind is one kind of channel.
type kind struct {
	name string
	way  string // how people call it
	// send tries once. It returns who was told even with an error.
	send func(ctx context.Context, s *Sender, c *Channel, m *Message, not []string) (told []string, answer string, err error)
}

// kinds is the table of all.
var kinds = []kind{
	{"email", "mail", sendMail},
	{"webhook", "webhook", posting(plainBody, anyAnswer)},
	{"slack", "Slack", posting(plainBody, answersOK)},
	{"mattermost", "Mattermost", posting(plainBody, answersOK)},
	{"teams", "Teams", posting(cardBody, anyAnswer)},
}

// Kinds are the names of the kinds that can be told.
func Kinds() []string {
	var out []string
	for _, k := range kinds {
		out = append(out, k.name)
	}
	return out
}

func kindOf(name string) *kind {
	if i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name }); i >= 0 {
		return &kinds[i]
	}
	return nil
}

// Host is the host that is connected to, "" none.
func (c *Channel) Host() string {
	u, err := url.Parse(c.Address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// String is the channel in words: its kind, host and recipients, and no more of its
// address.
func (c *Channel) String() string {
	way := c.Kind
	if k := kindOf(c.Kind); k != nil {
		way = k.way
	}
	text := fmt.Sprintf("%.40s at %.100s", way, cmp.Or(c.Host(), "no host"))
	if len(c.To) > 0 {
		text = fmt.Sprintf("%.40s to %.300s via %.100s", way, strings.Join(c.To, ", "), cmp.Or(c.Host(), "no host"))
	}
	if c.Name != "" {
		text += fmt.Sprintf(" (%.80s)", c.Name)
	}
	return custody.Visible(text)
}

// Error is that a channel, or a recipient of it, was not told.
type Error struct {
	Channel string // as Channel.String has it
	Why     string
	// Said is what of Why is not in words of ours: what the other side answered, as it may
	// be shown and uncut. It may repeat the address.
	Said  string
	Tries int
	hint  string
}

func (e *Error) Error() string {
	tries := ""
	if e.Tries > 1 {
		tries = fmt.Sprintf(" (%d tries)", e.Tries)
	}
	return fmt.Sprintf("tell %s: %s%s", e.Channel, e.Why, tries)
}

// Hint says what to do next.
func (e *Error) Hint() string { return e.hint }

// setback is why one try failed.
type setback struct {
	why, hint string
	said      string // what of why the other side said
	// final: another try would end the same way.
	final bool
}

func (s *setback) Error() string { return s.why }

const (
	triesMost = 3
	tryTime   = 4 * time.Second
	sendTime  = 30 * time.Second // where the context has no deadline
	textShown = 200              // letters of what somebody else answered
)

// pauses are between one try and the next.
var pauses = []time.Duration{250 * time.Millisecond, time.Second}

// Send tells a channel something. The receipt is there with an error, too: some of the
// recipients may have been told. An error is an *Error.
func (s *Sender) Send(ctx context.Context, c *Channel, m *Message) (*Receipt, error) {
	r := &Receipt{}
	k := kindOf(c.Kind)
	if k == nil {
		return r, &Error{Channel: c.String(), Why: "this version does not know channels of this kind", hint: "tell them yourself; kinds: " + strings.Join(Kinds(), ", ")}
	}
	if err := register.CheckChannel(&register.Channel{Kind: c.Kind, Address: c.Address, Recipients: c.To, Sender: c.From}); err != nil || c.Address == "" {
		why, hint := "it has no address", "write address: into halligan.yaml"
		if wrong, is := errors.AsType[*register.ChannelError](err); is {
			why, hint = wrong.Error(), wrong.Hint()
		}
		return r, &Error{Channel: c.String(), Why: why, hint: hint}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	m = m.limited()
	for {
		r.Tries++
		told, answer, err := s.try(ctx, k, c, m, r.Told)
		r.Told = append(r.Told, told...)
		if len(told) > 0 {
			r.Answer, r.Said, r.At = shown(answer), visible(answer), time.Now().UTC()
		}
		if err == nil {
			return r, nil
		}
		back, is := errors.AsType[*setback](err)
		if !is {
			back = unknown(err)
		}
		if back.final || r.Tries == triesMost || !wait(ctx, pauses[r.Tries-1]) {
			return r, &Error{Channel: c.String(), Why: shown(back.why), Said: visible(back.said), Tries: r.Tries, hint: cmp.Or(back.hint, "tell them yourself, and try the channel when there is time")}
		}
	}
}

// try tries once. What the network says is put into words of ours.
func (s *Sender) try(ctx context.Context, k *kind, c *Channel, m *Message, not []string) ([]string, string, error) {
	within, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	told, answer, err := k.send(within, s, c, m, not)
	if err != nil {
		err = explained(within, err)
	}
	return told, answer, err
}

// wait waits, and reports whether there is time to go on.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// unknown is a setback for what this program has no words of: it may quote the other side.
func unknown(err error) *setback { return &setback{why: err.Error(), said: err.Error()} }

// shown is a short text of somebody else, as it may be shown.
func shown(text string) string { return cut(visible(text), textShown) }

func visible(text string) string {
	return custody.Visible(strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " "))
}
