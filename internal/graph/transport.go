package graph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
)

// quiet takes away the listener that azcore sets up when AZURE_SDK_GO_LOGGING is
// in the environment: it would write addresses and names to stderr unasked.
var quiet = sync.OnceFunc(func() { azlog.SetListener(nil) })

// network is what a connection is made from.
type network struct {
	proxy *url.URL
	roots *x509.CertPool
	wrap  func(http.RoundTripper) http.RoundTripper
	off   map[Defence]bool
}

func (c Config) network() network {
	roots := c.Roots
	if roots == nil {
		roots = c.Cloud.Roots
	}
	return network{c.Proxy, roots, c.Wrap, c.Without}
}

// doer sends requests. It follows no redirect, and knows no proxy but the one
// it was given.
type doer struct {
	client *http.Client
	hosts  []string // the only addresses it may send to
	limit  int64    // bytes of an answer that are read; zero leaves it to the caller
	off    map[Defence]bool
}

// newDoer makes a transport of its own: http.DefaultTransport would take its
// proxy from the environment.
func newDoer(n network) (*doer, error) {
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.roots},
		TLSHandshakeTimeout:    15 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
	if n.proxy != nil {
		if err := checkProxy(n.proxy); err != nil {
			return nil, err
		}
		transport.Proxy = http.ProxyURL(n.proxy)
	}
	var rt http.RoundTripper = transport
	if n.wrap != nil {
		rt = n.wrap(rt)
	}
	client := &http.Client{Transport: rt}
	if !n.off[DefenceRedirects] {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &doer{client: client, off: n.off}, nil
}

func checkProxy(u *url.URL) error {
	if (u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5") || u.Host == "" {
		return &ConfigError{What: fmt.Sprintf("use proxy %q: it is no address of a proxy", clean(u.Redacted(), 120)), Cure: "Write it as http://proxy.example:8080."}
	}
	return nil
}

// only returns a doer for one address.
func (d *doer) only(base string) *doer {
	return &doer{client: d.client, hosts: []string{base}, off: d.off}
}

// outKey marks the context of a request that wants to know whether it has left:
// a write that waited for a token in vain was surely not carried out.
type outKey struct{}

// lostKey marks the context of a sign-in, which wants to know why there was no
// answer: Microsoft's library keeps only a text of it.
type lostKey struct{}

// withLost returns a context that notes why the last request had no answer.
func withLost(ctx context.Context) (context.Context, *atomic.Pointer[error]) {
	lost := new(atomic.Pointer[error])
	return context.WithValue(ctx, lostKey{}, lost), lost
}

// Do implements policy.Transporter. It is the last gate before the network: a
// request to another place than the configured one ends here.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" || req.URL.User != nil {
		return nil, &SecurityError{Operation: "send a request", Why: "the address is not https, or holds a user name"}
	}
	if !d.off[DefenceLinks] && !slices.ContainsFunc(d.hosts, func(base string) bool { return sameHost(req.URL, base) }) {
		return nil, &SecurityError{Operation: "send a request", Why: fmt.Sprintf("%s is none of %s", clean(req.URL.Host, 80), strings.Join(d.hosts, ", "))}
	}
	if out, is := req.Context().Value(outKey{}).(*atomic.Bool); is {
		out.Store(true)
	}
	resp, err := d.client.Do(req)
	if lost, is := req.Context().Value(lostKey{}).(*atomic.Pointer[error]); is {
		if lost.Store(nil); err != nil {
			lost.Store(&err)
		}
	}
	if err == nil && d.limit > 0 {
		resp.Body = &limited{resp.Body, d.limit}
	}
	return resp, err
}

// limited ends with an error where an answer is larger than it may be.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, ErrTooLarge
	}
	n, err := l.ReadCloser.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// sameHost compares scheme, host and port exactly; a port left out is 443.
func sameHost(u *url.URL, base string) bool {
	b, err := url.Parse(base)
	return err == nil && u.Scheme == b.Scheme && strings.EqualFold(u.Hostname(), b.Hostname()) && portOf(u) == portOf(b)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return "443"
}

// hostFor names the host of a link in an error: no path, no query.
func hostFor(link string) string {
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return "an address that cannot be read"
	}
	if u.Host == "" {
		return "the same host"
	}
	return clean(u.Scheme+"://"+u.Host, 120)
}

// isCertificate reports whether an error says that TLS was not agreed on.
func isCertificate(err error) bool {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		header  tls.RecordHeaderError
	)
	return errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &verify) || errors.As(err, &header)
}
