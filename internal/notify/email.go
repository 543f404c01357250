package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"halligan/register"
)

const (
	portSMTP  = 25
	portSMTPS = 465 // RFC 8314 3.3
)

// sendMail gives a relay one mail for each recipient who has none yet, so that one
// whom it does not know keeps none from the others.
func sendMail(ctx context.Context, s *Sender, c *Channel, m *Message, not []string) (told []string, answer string, err error) {
	u, err := url.Parse(c.Address)
	if err != nil {
		return nil, "", errors.New("the address is none")
	}
	client, err := s.relay(ctx, u)
	if err != nil {
		return nil, "", err
	}
	var mails []*mail.Msg
	var to []string
	for i, one := range c.To {
		if slices.Contains(not, one) {
			continue
		}
		written, err := letter(c, m, one, i+1)
		if err != nil {
			return nil, "", err
		}
		mails, to = append(mails, written), append(to, one)
	}
	over, err := client.DialToSMTPClientWithContext(ctx)
	if err == nil {
		err = client.SendWithSMTPClient(over, mails...)
		_ = client.CloseWithSMTPClient(over) // that the relay hangs up badly is its own affair
	}
	for i, one := range mails {
		if one.IsDelivered() {
			told, answer = append(told, to[i]), one.ServerResponse()
		}
	}
	if len(told) == len(mails) {
		return told, answer, nil
	}
	return told, answer, ofMail(mails, to, err)
}

// relay is a client of the relay that an address names.
func (s *Sender) relay(ctx context.Context, u *url.URL) (*mail.Client, error) {
	host, port, secret := u.Hostname(), portSMTP, s.tls(u.Hostname())
	if u.Scheme == "smtps" {
		port = portSMTPS
	}
	if text := u.Port(); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		port = n
	}
	left := tryTime
	if end, has := ctx.Deadline(); has {
		left = time.Until(end)
	}
	dial := s.dialer(ctx)
	how := []mail.Option{mail.WithPort(port), mail.WithTimeout(max(left, time.Millisecond)), mail.WithTLSConfig(secret)}
	switch {
	case u.Scheme == "smtps":
		// The client takes a connection as it is given; so it is given one that is
		// encrypted from the first byte.
		how = append(how, mail.WithSSL(), mail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			over := tls.Client(c, secret)
			if err := over.HandshakeContext(ctx); err != nil {
				return nil, errors.Join(err, c.Close())
			}
			return over, nil
		}))
	case register.IsLoopback(host):
		how = append(how, mail.WithTLSPolicy(mail.NoTLS), mail.WithDialContextFunc(dial))
	default:
		how = append(how, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithDialContextFunc(dial))
	}
	return mail.NewClient(host, how...)
}

// letter is the mail for one recipient.
func letter(c *Channel, m *Message, to string, number int) (*mail.Msg, error) {
	_, domain, _ := strings.Cut(c.To[0], "@")
	out := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := out.From(cmp.Or(c.From, "halligan@"+domain)); err != nil {
		return nil, errors.New("the sender is no address of mail")
	}
	if err := out.To(to); err != nil {
		return nil, errors.New("the recipient is no address of mail")
	}
	out.Subject(Inert(m.Title))
	out.SetDateWithValue(m.At)
	out.SetMessageIDWithValue(fmt.Sprintf("%s.%d@halligan.invalid", m.ID, number)) // RFC 2606 2
	out.SetGenHeader("Auto-Submitted", "auto-generated")                           // RFC 3834 5
	if m.Severity == SeverityAlarm {
		out.SetImportance(mail.ImportanceHigh)
	}
	out.SetBodyString(mail.TypeTextPlain, m.lines())
	return out, nil
}

// ofMail is why some had no mail.
func ofMail(mails []*mail.Msg, to []string, err error) error {
	var without []string
	var why error
	final := true
	for i, one := range mails {
		if one.IsDelivered() {
			continue
		}
		without = append(without, to[i])
		refused, is := errors.AsType[*mail.SendError](one.SendError())
		if !is {
			final = false // it did not come so far
			continue
		}
		final = final && refused.ErrorCode() >= 500
		why = cmp.Or(why, error(refused))
	}
	if why == nil { // the relay itself
		if code, is := errors.AsType[*textproto.Error](err); is {
			return &setback{said: code.Error(), why: "the relay answers " + code.Error(), hint: "this relay takes no mail from here without signing in, or not from this sender", final: code.Code >= 500}
		}
		return err
	}
	return &setback{said: answerOf(why), why: fmt.Sprintf("no mail for %s: the relay answers %s", strings.Join(without, ", "), answerOf(why)), hint: "correct the recipients, or the sender; a relay may take mail only from certain machines and senders", final: final}
}

// answerOf is what a relay answered, without what the client adds.
func answerOf(err error) string {
	refused, is := errors.AsType[*mail.SendError](err)
	if !is {
		return err.Error()
	}
	if id := refused.MessageID(); id != "" {
		text, _, _ := strings.Cut(refused.Error(), ", affected ")
		return text
	}
	return refused.Error()
}
