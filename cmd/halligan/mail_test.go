package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wneessen/go-mail"
)

// postOffice is a mail server of this machine. It takes one mail a connection, for
// everybody but those whom it does not know.
type postOffice struct {
	address string
	mails   chan string // as they came in, with the envelope
}

func newPostOffice(t *testing.T, unknown string) *postOffice {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &postOffice{l.Addr().String(), make(chan string, 8)}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	all.Go(func() { // ended by the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() { p.take(c, unknown) })
		}
	})
	return p
}

// take speaks SMTP (RFC 5321) as far as a mail needs it.
func (p *postOffice) take(c net.Conn, unknown string) {
	defer c.Close()
	in := bufio.NewScanner(c)
	var got strings.Builder
	say := func(text string) { fmt.Fprint(c, text+"\r\n") }
	say("220 post.example ESMTP")
	for in.Scan() {
		switch word, rest, _ := strings.Cut(in.Text(), " "); strings.ToUpper(word) {
		case "EHLO":
			say("250 post.example")
		case "MAIL", "RCPT":
			if unknown != "" && strings.Contains(rest, unknown) {
				say("550 5.1.1 no such user here")
				continue
			}
			got.WriteString(rest + "\n")
			say("250 ok")
		case "DATA":
			say("354 go on")
			for in.Scan() && in.Text() != "." {
				got.WriteString(in.Text() + "\n")
			}
			p.mails <- got.String()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// A checkpoint that is mailed comes in whole: what the mail says verifies the log.
func TestCheckpointIsMailed(t *testing.T) {
	_, run := passkeyHouse(t)
	post := newPostOffice(t, "")
	run(0, "evidence", "checkpoint", "--mail", "auditor@contoso.example", "--mail", "board@contoso.example", "--mail-server", post.address, "--mail-from", "halligan@contoso.example")
	got := <-post.mails
	for _, want := range []string{"<halligan@contoso.example>", "<auditor@contoso.example>", "<board@contoso.example>", "Subject: Halligan: checkpoint of 1 entry"} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail has no %q:\n%s", want, got)
		}
	}
	if out := run(0, "evidence", "log", "--kind", "checkpoint-given", "--format", "json"); !strings.Contains(out, `"mail to board@contoso.example"`) {
		t.Errorf("the log says %s", out)
	}
	body := filepath.Join(t.TempDir(), "mail.txt")
	must(t, writeNew(body, []byte(got))) // as a mail program keeps it, encoding and all
	printed := filepath.Join(t.TempDir(), "printed.txt")
	must(t, writeNew(printed, []byte(run(0, "evidence", "checkpoint"))))
	run(0, "evidence", "export", "-o", "export")
	if out := run(0, "evidence", "verify", "export", "--key", printed, "--checkpoint", body); strings.Contains(out, "warning") {
		t.Errorf("verify says %s", out)
	}
}

// What a server refuses has not been given, and the log does not say so.
func TestRefusedMailIsNotRecorded(t *testing.T) {
	_, run := passkeyHouse(t)
	post := newPostOffice(t, "nobody@")
	out := run(1, "evidence", "checkpoint", "--mail", "nobody@contoso.example", "--mail-server", post.address, "--mail-from", "halligan@contoso.example")
	if !strings.Contains(out, "error: mail the checkpoint through "+post.address) || !strings.Contains(out, "no such user here") || !strings.Contains(out, "hint: ") {
		t.Errorf("got %s", out)
	}
	if out := run(0, "evidence", "log", "--kind", "checkpoint-given"); strings.Contains(out, "checkpoint-given") {
		t.Errorf("the log says %s", out)
	}
	out = run(2, "evidence", "checkpoint", "--mail", "auditor@contoso.example", "--mail-server", post.address, "--mail-from", "halligan@contoso.example", "--mail-user", "ana")
	if !strings.Contains(out, "hint: give the command on a terminal") {
		t.Errorf("a password without a terminal: %s", out)
	}
}

// A server elsewhere that offers no TLS gets no mail; one of this machine may do
// without.
func TestMailElsewhereTakesTLS(t *testing.T) {
	post := newPostOffice(t, "")
	host, text, err := net.SplitHostPort(post.address)
	must(t, err)
	var port int
	_, err = fmt.Sscan(text, &port)
	must(t, err)
	send := func(policyOf string) error {
		client, err := mail.NewClient(host, mail.WithPort(port), secured(policyOf, 587))
		must(t, err)
		m := mail.NewMsg()
		must(t, (&mailFlags{from: "halligan@contoso.example", to: []string{"auditor@contoso.example"}}).envelope(m))
		m.SetBodyString(mail.TypeTextPlain, "x")
		return client.DialAndSendWithContext(t.Context(), m)
	}
	for _, here := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := send(here); err != nil {
			t.Errorf("%s: %v", here, err)
		}
	}
	for _, elsewhere := range []string{"smtp.contoso.example", "10.0.0.1", "localhost.attacker.example", "127.0.0.1.attacker.example"} {
		if err := send(elsewhere); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
			t.Errorf("%s: got %v, want no mail without STARTTLS", elsewhere, err)
		}
	}
	var b bytes.Buffer
	for len(post.mails) > 0 {
		b.WriteString(<-post.mails)
	}
	if n := strings.Count(b.String(), "<halligan@contoso.example>"); n < 3 {
		t.Errorf("%d mails came in, want 3", n)
	}
}
