package graph

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
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
	client  *http.Client
	hosts   []string // the only addresses it may send to
	limit   int64    // bytes of an answer that are read; zero leaves it to the caller
	refusal int64    // the same of an answer that is a refusal
	off     map[Defence]bool
}

// newDoer makes a transport of its own: http.DefaultTransport would take its
// proxy from the environment.
func newDoer(n network) (*doer, error) {
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.roots},
		TLSHandshakeTimeout:    15 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    atOnce, // a proxy may not speak HTTP/2, and the next round wants them again
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
	if n.proxy != nil {
		if err := checkProxy(n.proxy); err != nil {
			return nil, err
		}
		transport.Proxy = http.ProxyURL(n.proxy)
	}
	var rt http.RoundTripper = &opener{inner: transport, hosts: map[string]chan struct{}{}}
	if n.wrap != nil {
		rt = n.wrap(rt)
	}
	client := &http.Client{Transport: rt}
	if !n.off[DefenceRedirects] {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &doer{client: client, off: n.off}, nil
}

// opener lets one request to a host go ahead until there is a connection, or for
// a second. Thirty requests that begin together would make thirty, and use one:
// HTTP/2 carries them all.
type opener struct {
	inner http.RoundTripper

	mu    sync.Mutex
	hosts map[string]chan struct{} // closed when the first request is on its way, or has failed
}

// openingTime is how long the others wait for the first.
const openingTime = time.Second

// RoundTrip implements http.RoundTripper.
func (o *opener) RoundTrip(req *http.Request) (*http.Response, error) {
	o.mu.Lock()
	opened, others := o.hosts[req.URL.Host]
	if !others {
		opened = make(chan struct{})
		o.hosts[req.URL.Host] = opened
	}
	o.mu.Unlock()
	if !others {
		return o.first(req, opened)
	}
	select {
	case <-opened: // the most usual
	default:
		timer := time.NewTimer(openingTime)
		defer timer.Stop()
		select {
		case <-opened:
		case <-timer.C:
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
	return o.inner.RoundTrip(req)
}

// first makes the connection. One that failed is forgotten: whoever comes later
// opens another.
func (o *opener) first(req *http.Request, opened chan struct{}) (*http.Response, error) {
	open := sync.OnceFunc(func() { close(opened) })
	defer open()
	trace := &httptrace.ClientTrace{WroteHeaders: open}
	resp, err := o.inner.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.hosts, req.URL.Host)
	}
	return resp, err
}

func checkProxy(u *url.URL) error {
	if (u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5") || u.Host == "" {
		return &ConfigError{What: fmt.Sprintf("use proxy %q: it is no address of a proxy", clean(u.Redacted(), 120)), Cure: "Write it as http://proxy.example:8080."}
	}
	return nil
}

// only returns a doer for one address, which reads one byte more than
// refusal of an answer that is one; zero reads all.
func (d *doer) only(base string, refusal int64) *doer {
	return &doer{client: d.client, hosts: []string{base}, refusal: refusal, off: d.off}
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
		switch lost.Store(nil); {
		case err != nil:
			lost.Store(&err)
		case resp.StatusCode >= 400 && resp.StatusCode < 500:
			if why := refusalOf(resp); why != nil {
				lost.Store(&why)
			}
		}
	}
	if err == nil && d.limit > 0 {
		resp.Body = &limited{resp.Body, d.limit}
	}
	if err == nil && d.refusal > 0 && resp.StatusCode >= http.StatusBadRequest {
		// azcore reads refusals by itself, whole; what is over the limit is judged behind it.
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, d.refusal+1), resp.Body}
	}
	return resp, err
}

// answered is a refusal of the token endpoint: its error words, which Microsoft's
// library reads and throws away.
type answered struct{ text string }

func (a *answered) Error() string { return "the sign-in service refused" }

// refusalOf reads the refusal in an answer and puts the answer together again.
func refusalOf(resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), resp.Body), resp.Body}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err != nil || json.Unmarshal(data, &body) != nil || body.Error == "" {
		return nil
	}
	return &answered{body.Error + " " + aadsts.FindString(body.Description)}
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
