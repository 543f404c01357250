package register

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ChannelKind is a kind of channel on which Halligan itself can tell something. A
// channel of another kind is known to people alone.
type ChannelKind struct {
	Name    string
	Schemes []string // of its address
	// Recipients: it needs addresses of mail in Channel.Recipients, and may have a
	// sender.
	Recipients bool
}

// ChannelKinds is the table of the kinds that can have an address.
var ChannelKinds = []ChannelKind{
	{"email", []string{"smtp", "smtps"}, true},
	{"webhook", []string{"https", "http"}, false},
	{"slack", []string{"https", "http"}, false},
	{"mattermost", []string{"https", "http"}, false},
	{"teams", []string{"https", "http"}, false},
}

// plain are the schemes that are not encrypted, and are for this machine alone.
// Over smtp, TLS is demanded by STARTTLS (RFC 3207).
var plain = []string{"http"}

// ChannelError says what is wrong with how a channel is reached. It never repeats
// an address: whoever knows that of a webhook can write there.
type ChannelError struct{ Key, what, hint string }

func (e *ChannelError) Error() string { return e.what }

// Hint says what to do next.
func (e *ChannelError) Hint() string { return e.hint }

const (
	channelAddressMost = 1500
	recipientsMost     = 16
)

// mailAddress is what an address of mail may be here (RFC 5321 4.1.2, Dot-string).
// Others would have to be written otherwise in a mail than they stand here.
var mailAddress = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$")

func isMailAddress(text string) bool { return len(text) <= 254 && mailAddress.MatchString(text) }

// CheckChannel reports what is wrong with the address of a channel, and with what
// that needs: a *ChannelError. A channel without an address is told by people.
func CheckChannel(c *Channel) error {
	no := func(key, hint, format string, args ...any) error {
		return &ChannelError{key, fmt.Sprintf(format, args...), hint}
	}
	if c.Address == "" {
		if c.Sender != "" && c.AddressFile == "" {
			return no("sender", "add address: with the relay, or remove sender", "a sender without an address")
		}
		return nil
	}
	at := slices.IndexFunc(ChannelKinds, func(k ChannelKind) bool { return k.Name == c.Kind })
	if at < 0 {
		return no("address", "kinds with an address: "+strings.Join(channelKindNames(), ", "), "a channel of kind %s takes no address", shown(c.Kind))
	}
	kind := &ChannelKinds[at]
	if err := kind.address(c.Address); err != nil {
		return err
	}
	if !kind.Recipients {
		if c.Sender != "" {
			return no("sender", "remove sender: whoever receives at the address decides what it is shown as", "a channel of kind %s has no sender", c.Kind)
		}
		return nil
	}
	if len(c.Recipients) == 0 || len(c.Recipients) > recipientsMost {
		return no("recipients", fmt.Sprintf("write 1 to %d addresses of mail", recipientsMost), "mail to %d recipients", len(c.Recipients))
	}
	for i, r := range c.Recipients {
		if !isMailAddress(r) {
			return no(fmt.Sprintf("recipients[%d]", i), "write it as security@example.com, without a name", "the recipient is no address of mail")
		}
	}
	if c.Sender != "" && !isMailAddress(c.Sender) {
		return no("sender", "write it as halligan@example.com, without a name", "the sender is no address of mail")
	}
	return nil
}

func channelKindNames() []string {
	var out []string
	for _, k := range ChannelKinds {
		out = append(out, k.Name)
	}
	return out
}

// address judges the address of a channel of one kind (RFC 3986).
func (k *ChannelKind) address(text string) error {
	hint := "write it as https://hooks.example.com/path"
	if k.Recipients {
		hint = "write it as smtp://relay.example.com:25 (with STARTTLS) or smtps://relay.example.com"
	}
	no := func(what, hint string) error { return &ChannelError{"address", what, hint} }
	u, err := url.Parse(text)
	switch {
	case len(text) > channelAddressMost || strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return no(fmt.Sprintf("the address is longer than %d letters, or has some that an address cannot have", channelAddressMost), hint)
	case err != nil || u.Opaque != "" || u.Hostname() == "" || !slices.Contains(k.Schemes, u.Scheme) || !isPort(u.Port()):
		return no("the address is none of a channel of kind "+k.Name, hint)
	case u.User != nil:
		return no("the address holds a name or a password", "leave them out: a relay is used without signing in, and a webhook is told by its path")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return no("the address has a part behind #", "leave it out")
	case k.Recipients && (u.Path != "" || u.RawQuery != "" || u.ForceQuery):
		return no("the address of a relay is more than a host and a port", hint)
	case slices.Contains(plain, u.Scheme) && !IsLoopback(u.Hostname()):
		return no("the address is not encrypted", hint)
	}
	return nil
}

// fixedWord is a path that says what is there, and lets nobody in.
var fixedWord = regexp.MustCompile(`^/?[a-z]{0,12}/?$`)

// tellingPath reports whether the address of a webhook has more behind its host than
// one short word, by which nobody else could write there.
func tellingPath(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.RawQuery != "" || u.ForceQuery || !fixedWord.MatchString(u.EscapedPath()))
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return text == "" || err == nil && n >= 1 && n <= 65535
}

// IsLoopback reports whether a host, as an address names it, is this machine.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// channels judges how each channel is reached. An address by which anybody could
// write there is a secret, and belongs into a file of its own.
func (d *decoder) channels(r *Register) {
	for i := range r.Channels {
		c := &r.Channels[i]
		path := fmt.Sprintf("channels[%d]", i)
		at := func(key string) (spot, string) {
			if where, is := d.at[path+"."+key]; is {
				return where, path + "." + key
			}
			return d.at[path], path
		}
		report := func(key, hint, what string) {
			where, full := at(key)
			d.report(where, full, hint, "%s", what)
		}
		known := slices.Contains(channelKindNames(), c.Kind)
		switch err := CheckChannel(c); {
		case c.Address != "" && c.AddressFile != "":
			report("addressFile", "keep one of the two", "address and addressFile exclude each other")
		case c.AddressFile != "" && !known:
			report("addressFile", "kinds with an address: "+strings.Join(channelKindNames(), ", "), "a channel of this kind takes no address")
		case err != nil:
			e := err.(*ChannelError)
			report(e.Key, e.hint, e.what)
		case randomIn(c.Address), tellingPath(c.Address):
			report("address", "behind the host stands more than one short word: put it into a file, mode 0600, and write addressFile: with its path. The address stood here, so have the receiver give you a new one", "whoever knows this address could write to the channel")
		}
	}
}
