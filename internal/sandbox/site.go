package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Site is a Server that listens on this machine.
type Site struct {
	*Server
	*Authority
	URL  string // https://localhost:PORT
	http *http.Server
	done chan error

	closing sync.Once
	closed  error // of the first Close
}

// Open serves a tenant on an address of this machine, "127.0.0.1:8443" or
// "127.0.0.1:0", until Close. Config.Host follows from the address.
func Open(ctx context.Context, config Config, address string) (*Site, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("open the sandbox on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, &refusedAddress{address}
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open the sandbox on %s: %w", address, err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	config.Host = "localhost:" + port
	server, err := New(config)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	// Certificates are for real clients, so they follow the real clock.
	authority, err := NewAuthority(time.Now())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	site := &Site{Server: server, Authority: authority, URL: "https://" + config.Host, done: make(chan error, 1)}
	site.http = &http.Server{Handler: server, TLSConfig: authority.server(), ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { site.done <- site.http.ServeTLS(listener, "", "") }() // ended by Close
	return site, nil
}

// Close ends the site: what is being answered is answered for at most a tenth of
// a second. A second call does nothing.
func (s *Site) Close() error {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		err := s.http.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.http.Close()
		}
		if ended := <-s.done; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		s.closed = errors.Join(err, s.saved(), s.record.failure())
	})
	return s.closed
}

type refusedAddress struct{ address string }

func (e *refusedAddress) Error() string {
	return fmt.Sprintf("open the sandbox on %q: it is no address of this machine alone", e.address)
}

func (e *refusedAddress) Hint() string {
	return "passwords of the sandbox are printed and its faults are open: it serves this machine only; use 127.0.0.1:8443"
}
