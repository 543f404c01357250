package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	"github.com/wneessen/go-mail"

	"halligan/custody"
)

// mailFlags say how a mail is sent.
type mailFlags struct {
	to                 []string
	server, from, user string
}

func (f *mailFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.to, "mail", nil, "`ADDRESS` to mail it to; repeatable")
	flags.StringVar(&f.server, "mail-server", "", "`HOST:PORT` of the SMTP server; TLS is demanded, except of this machine itself")
	flags.StringVar(&f.from, "mail-from", "", "`ADDRESS` that it comes from")
	flags.StringVar(&f.user, "mail-user", "", "`NAME` to sign in to the server with; the password is asked for")
}

func (f *mailFlags) check() error {
	if len(f.to) == 0 {
		if f.server != "" || f.from != "" || f.user != "" {
			return misused("for example --mail auditor@contoso.example", "--mail-server, --mail-from and --mail-user go with --mail, which says to whom")
		}
		return nil
	}
	if f.server == "" || f.from == "" {
		return misused("for example --mail auditor@contoso.example --mail-server smtp.contoso.example:587 --mail-from halligan@contoso.example", "a mail needs --mail-server and --mail-from")
	}
	if _, _, err := f.address(); err != nil {
		return err
	}
	return f.envelope(mail.NewMsg()) // before anything goes anywhere
}

// envelope puts onto a mail from whom it is and to whom it goes.
func (f *mailFlags) envelope(m *mail.Msg) error {
	if err := m.From(f.from); err != nil {
		return misused("write --mail-from halligan@contoso.example", "no sender %q", f.from)
	}
	for _, to := range f.to {
		if err := m.AddTo(to); err != nil {
			return misused("write --mail auditor@contoso.example", "no address %q", to)
		}
	}
	return nil
}

func (f *mailFlags) address() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(f.server)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || host == "" || port < 1 || port > 65535 {
		return "", 0, misused("write --mail-server smtp.contoso.example:587", "no mail server %q", f.server)
	}
	return host, port, nil
}

const smtps = 465 // RFC 8314 3.3: TLS from the first byte

// secured demands TLS of a server, but for one on this machine.
func secured(host string, port int) mail.Option {
	ip := net.ParseIP(host)
	switch {
	case port == smtps:
		return mail.WithSSL()
	case host == "localhost" || ip != nil && ip.IsLoopback():
		return mail.WithTLSPolicy(mail.TLSOpportunistic)
	}
	return mail.WithTLSPolicy(mail.TLSMandatory)
}

// mailCheckpoint sends a checkpoint.
func (c *console) mailCheckpoint(ctx context.Context, f *mailFlags, size uint64, text string) error {
	fail := func(err error) error {
		return &fault{exitFailed, fmt.Errorf("mail the checkpoint through %s: %v", f.server, err), "try it with another server, or print it and send it by hand: halligan evidence checkpoint"}
	}
	host, port, err := f.address()
	if err != nil {
		return err
	}
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(30 * time.Second), secured(host, port)}
	if f.user != "" {
		typed, err := c.typed("Password of "+f.user+" at "+host+": ", "give the command on a terminal, or send through a server that takes mail from here without a password (no --mail-user)")
		if err != nil {
			return err
		}
		password := custody.NewSecret(typed)
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(f.user), mail.WithPassword(string(password.Reveal())))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return fail(err)
	}
	message := mail.NewMsg()
	if err := f.envelope(message); err != nil {
		return err
	}
	message.Subject("Halligan: checkpoint of " + plural(int(size), "entry", "entries"))
	message.SetBodyString(mail.TypeTextPlain, text)
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		return fail(err)
	}
	return nil
}
