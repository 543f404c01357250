package notify_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"halligan/internal/notify"
)

// manner is how the other side behaves.
type manner string

const (
	takes     manner = "takes it"
	busy      manner = "is busy once, and then takes it"
	refuses   manner = "refuses it"
	floods    manner = "answers without end"
	hangs     manner = "takes the connection and says nothing"
	hangsUp   manner = "hangs up"
	redirects manner = "redirects to another host"
	partly    manner = "takes one, and is busy once for the other"
	shrugs    manner = "answers with success and another text"
)

// side is the other side of a channel.
type side struct {
	channel notify.Channel
	roots   *x509.CertPool
	mu      sync.Mutex
	heard   bytes.Buffer
	tries   int
	begun   chan struct{} // closed when somebody has come
	done    chan struct{} // closed when the test ends
}

func (s *side) hears(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard.Write(p)
}

func (s *side) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard.String()
}

// try counts, and reports whether it is the first.
func (s *side) try() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.tries == 1 && s.begun != nil {
		close(s.begun)
	}
	return s.tries == 1
}

// other is the other side of a channel of a kind.
func other(t *testing.T, kind string, how manner) *side {
	t.Helper()
	s := &side{begun: make(chan struct{}), done: make(chan struct{}), channel: notify.Channel{Name: "the channel", Kind: kind}}
	if kind == "email" {
		s.relay(t, how, false)
	} else {
		s.receiver(t, how)
	}
	t.Cleanup(func() { close(s.done) })
	return s
}

// receiver is a webhook with TLS.
func (s *side) receiver(t *testing.T, how manner) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var raw bytes.Buffer
		_ = r.Write(&raw)
		s.hears(raw.Bytes())
		first := s.try()
		switch {
		case how == busy && first:
			w.WriteHeader(http.StatusServiceUnavailable)
		case how == refuses:
			w.WriteHeader(http.StatusGone)
			fmt.Fprint(w, "no_service\x1b[2J")
		case how == floods:
			for {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 32<<10)); err != nil {
					return
				}
			}
		case how == hangs:
			select {
			case <-s.done:
			case <-r.Context().Done():
			}
		case how == hangsUp:
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				c.Close()
			}
		case how == redirects:
			http.Redirect(w, r, "https://evil.example/"+r.URL.Path, http.StatusTemporaryRedirect)
		case how == shrugs:
			fmt.Fprint(w, "invalid_token")
		default:
			fmt.Fprint(w, "ok")
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	s.channel.Address = server.URL + "/services/hidden-part"
	s.roots = x509.NewCertPool()
	s.roots.AddCert(server.Certificate())
}

// certificate is one for 127.0.0.1 and example.com, and who vouches for it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &tls.Config{Certificates: server.TLS.Certificates}, roots
}

// relay takes mail (RFC 5321), from the first byte in TLS or not.
func (s *side) relay(t *testing.T, how manner, encrypted bool) {
	secret, roots := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.roots = roots
	s.channel.Address, s.channel.To = "smtp://"+l.Addr().String(), []string{"security@example.com", "cio@example.com"}
	if encrypted {
		s.channel.Address = "smtps://" + l.Addr().String()
	}
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
			all.Go(func() {
				defer c.Close()
				over := c
				if encrypted {
					over = tls.Server(c, secret)
				}
				s.converse(over, secret, how)
			})
		}
	})
}

func (s *side) converse(c net.Conn, secret *tls.Config, how manner) {
	first := s.try()
	in := bufio.NewReader(c)
	say := func(text string) { fmt.Fprint(c, text+"\r\n") }
	switch {
	case how == hangs:
		_, _ = io.Copy(io.Discard, c) // until the other hangs up
		return
	case how == hangsUp:
		return
	case how == floods:
		for {
			if _, err := c.Write(bytes.Repeat([]byte("220-x"), 8<<10)); err != nil {
				return
			}
		}
	}
	say("220 relay.example ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		s.hears([]byte(line))
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(word) {
		case "EHLO":
			say("250-relay.example")
			say("250 STARTTLS")
		case "STARTTLS":
			say("220 go on")
			over := tls.Server(c, secret)
			c, in = over, bufio.NewReader(over)
			s.hears([]byte("[TLS]\n"))
		case "RCPT":
			switch {
			case how == refuses:
				say("550 5.1.1 no such user\x1b[2J here")
			case how == shrugs && strings.Contains(rest, "cio@"):
				say("550 5.1.1 no such user here")
			case how == busy && first, how == partly && first && strings.Contains(rest, "cio@"):
				say("451 4.3.0 later")
			default:
				say("250 ok")
			}
		case "DATA":
			say("354 go on")
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				s.hears([]byte(line))
				if line == ".\r\n" {
					break
				}
			}
			say("250 2.0.0 taken as 4711")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
