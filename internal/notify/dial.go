package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"halligan/register"
)

// answerMost is how many bytes the other side may send over a connection.
const answerMost = 64 << 10

// dialer connects to a host that an address names; what it connects to ends with
// life. What a name leads to is judged when it is connected to, so that no second
// answer of a resolver comes in between.
func (s *Sender) dialer(life context.Context) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		d := net.Dialer{ControlContext: func(_ context.Context, _, to string, _ syscall.RawConn) error {
			return allowed(host, to)
		}}
		connect := d.DialContext
		if s.connect != nil {
			connect = s.connect
		}
		c, err := connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		b := &bounded{Conn: c, left: answerMost}
		b.stop = context.AfterFunc(life, func() { _ = c.Close() }) // ends what waits for an answer
		return b, nil
	}
}

// allowed refuses what no channel is: this machine under another name, and addresses
// that mean something else on every network, such as the one at which a cloud gives a
// machine its credentials.
func allowed(host, to string) error {
	at, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback() && !register.IsLoopback(host):
		return &setback{why: "its name leads to this machine itself", hint: "correct the address, or the name in the directory of names", final: true}
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast(), ip.IsInterfaceLocalMulticast():
		return &setback{why: fmt.Sprintf("it leads to %s, where no receiver can be", ip), hint: "correct the address, or the name in the directory of names", final: true}
	}
	return nil
}

// bounded is a connection that gives a bounded number of bytes and ends with its
// context.
type bounded struct {
	net.Conn
	mu   sync.Mutex
	left int
	stop func() bool
}

var errTooMuch = &setback{why: "it answered more than a receiver does", hint: "correct the address: something else answers there", final: true}

func (b *bounded) Read(p []byte) (int, error) {
	b.mu.Lock()
	left := b.left
	b.mu.Unlock()
	if left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), left)])
	b.mu.Lock()
	b.left -= n
	b.mu.Unlock()
	return n, err
}

func (b *bounded) Close() error {
	b.stop()
	return b.Conn.Close()
}

func (s *Sender) tls(host string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots, ServerName: host}
}

// explained puts what a network says into words, without the address.
func explained(ctx context.Context, err error) error {
	if back, is := errors.AsType[*setback](err); is {
		return back
	}
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		why := "its certificate is not one that this machine believes"
		if _, name := errors.AsType[x509.HostnameError](err); name {
			why = "its certificate is of another name"
		}
		return &setback{why: why, hint: "if it is yours, have its authority installed on this machine; else somebody may stand in between: tell them yourself", final: true}
	}
	var resolving *net.DNSError
	var refused *net.OpError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &setback{why: "it was skipped", hint: "tell them yourself", final: true}
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &setback{why: "it did not answer in time"}
	case errors.As(err, &resolving):
		if resolving.IsTimeout {
			return &setback{why: "nothing answered what its name means: this machine may have no network"}
		}
		return &setback{why: "its name is not known here: this machine may have no network"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &setback{why: "nothing takes connections there"}
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return &setback{why: "no network leads there"}
	case errors.As(err, &refused) && refused.Op != "dial":
		return &setback{why: "the connection broke: " + refused.Err.Error()}
	}
	return unknown(err)
}
