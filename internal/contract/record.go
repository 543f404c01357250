package contract

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultHeader is the header of an answer that an emulated Graph made wrong on
// purpose; its value names the fault. Of such an exchange only the request is
// judged.
const FaultHeader = "X-Sandbox-Fault"

// mostBody is the most that is kept of a body, in bytes.
const mostBody = 32 << 20

// The headers that are recorded. No other is: credentials stay where they are.
var (
	requestHeaders  = []string{"Accept", "client-request-id", "ConsistencyLevel", "Content-Type", "If-Match", "Prefer"}
	responseHeaders = []string{"client-request-id", "Content-Type", "Location", "request-id", "Retry-After", FaultHeader}
)

// Recorder judges the exchanges that pass through it: those a handler answers
// and those a transport sends. What is no path of Graph or of Azure Resource
// Manager (sign-in, administration) passes unseen. It is safe for concurrent
// use.
type Recorder struct {
	contract *Contract
	mu       sync.Mutex
	log      io.Writer
	report   *Report
	lenient  bool
}

// NewRecorder returns a recorder that has seen nothing.
func (c *Contract) NewRecorder() *Recorder { return &Recorder{contract: c, report: newReport()} }

// LogTo makes the recorder write each exchange to w as well, as a line of JSON.
func (r *Recorder) LogTo(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = w
}

// AllowRefused is for the tests of a server, which ask wrongly on purpose: what
// is wrong with a request is no finding when the answer is 4xx. One that is
// accepted still is.
func (r *Recorder) AllowRefused() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lenient = true
}

// Report returns what has been seen so far.
func (r *Recorder) Report() *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	copied := newReport()
	copied.Merge(r.report)
	return copied
}

// Record judges an exchange and adds it to the report.
func (r *Recorder) Record(x Exchange) {
	version, _, _, err := address(x.URL)
	if err == nil && version == "" {
		return
	}
	v := r.contract.Judge(x)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lenient {
		v = v.forgive()
	}
	r.report.add(v)
	if r.log == nil {
		return
	}
	if line, err := json.Marshal(x); err == nil {
		_, err = r.log.Write(append(line, '\n'))
		if err != nil {
			r.report.Findings = append(r.report.Findings, Finding{Exchange: x.String(), Violation: Violation{Rule: "log", Where: "log", Text: err.Error()}})
		}
	}
}

// String names an exchange: "GET https://host/v1.0/users 200".
func (x Exchange) String() string { return fmt.Sprintf("%s %s %d", x.Method, x.URL, x.Status) }

// Handler returns a handler that answers as next does.
func (r *Recorder) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if version, _, _, err := address(req.URL.RequestURI()); err == nil && version == "" {
			next.ServeHTTP(w, req)
			return
		}
		began := time.Now()
		asked, err := io.ReadAll(io.LimitReader(req.Body, mostBody))
		if err != nil {
			asked = nil // the request broke off: what next makes of it is its own affair
		}
		rest := req.Body
		req.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(asked), rest), rest}
		scheme := "http"
		if req.TLS != nil {
			scheme = "https"
		}
		kept := &keeper{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(kept, req)
		r.Record(Exchange{
			Time: began.UTC(), Method: req.Method, URL: scheme + "://" + req.Host + req.URL.RequestURI(),
			RequestHeader: subset(req.Header, requestHeaders), RequestBody: asked,
			Status: kept.status, ResponseHeader: subset(w.Header(), responseHeaders),
			ResponseBody: unzip(w.Header(), kept.body.Bytes()), Fault: w.Header().Get(FaultHeader),
		})
	})
}

// Transport returns a transport that sends as next does. A request that gets no
// answer is not judged.
func (r *Recorder) Transport(next http.RoundTripper) http.RoundTripper {
	return transport(func(req *http.Request) (*http.Response, error) {
		began := time.Now()
		var asked []byte
		if req.Body != nil && req.Body != http.NoBody {
			var err error
			asked, err = io.ReadAll(req.Body)
			if closing := req.Body.Close(); err == nil {
				err = closing
			}
			if err != nil {
				return nil, fmt.Errorf("record the body of a request: %w", err)
			}
			req = req.Clone(req.Context())
			req.Body = io.NopCloser(bytes.NewReader(asked))
		}
		resp, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), failing{err}, resp.Body), resp.Body}
		r.Record(Exchange{
			Time: began.UTC(), Method: req.Method, URL: req.URL.String(),
			RequestHeader: subset(req.Header, requestHeaders), RequestBody: asked,
			Status: resp.StatusCode, ResponseHeader: subset(resp.Header, responseHeaders),
			ResponseBody: unzip(resp.Header, body), Fault: resp.Header.Get(FaultHeader),
		})
		return resp, nil
	})
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// failing hands on the error that ended a body early; without one it is empty.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// keeper keeps a copy of what a handler answers.
type keeper struct {
	http.ResponseWriter
	status int
	sent   bool
	body   bytes.Buffer
}

func (k *keeper) WriteHeader(status int) {
	if !k.sent && status >= 200 {
		k.status, k.sent = status, true
	}
	k.ResponseWriter.WriteHeader(status)
}

func (k *keeper) Write(p []byte) (int, error) {
	k.sent = true
	if k.body.Len() < mostBody {
		k.body.Write(p)
	}
	return k.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

func subset(all http.Header, names []string) http.Header {
	kept := http.Header{}
	for _, name := range names {
		if values := all.Values(name); len(values) > 0 {
			kept[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	return kept
}

func unzip(h http.Header, body []byte) []byte {
	if h.Get("Content-Encoding") != "gzip" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	plain, err := io.ReadAll(io.LimitReader(z, mostBody))
	if err != nil {
		return body
	}
	return plain
}

// Finding is a violation with the exchange it was found in.
type Finding struct {
	Exchange  string
	Violation Violation
}

// Report is what a run said and was answered.
type Report struct {
	Exchanges int
	// Operations counts the exchanges of each operation, by Operation.String.
	Operations map[string]int
	// Exceptions counts how often each row of the two tables was needed.
	Exceptions map[string]int
	Faults     map[string]int
	Findings   []Finding
}

func newReport() *Report {
	return &Report{Operations: map[string]int{}, Exceptions: map[string]int{}, Faults: map[string]int{}}
}

func (r *Report) add(v Verdict) {
	r.Exchanges++
	if v.Operation != nil {
		r.Operations[v.Operation.String()]++
	}
	for _, name := range v.Exceptions {
		r.Exceptions[name]++
	}
	if v.Exchange.Fault != "" {
		r.Faults[v.Exchange.Fault]++
	}
	for _, violation := range v.Violations {
		r.Findings = append(r.Findings, Finding{v.Exchange.String(), violation})
	}
	for _, part := range v.Parts {
		r.add(part)
	}
}

// forgive leaves out what is wrong with a request that was refused.
func (v Verdict) forgive() Verdict {
	if v.Exchange.Status >= 400 && v.Exchange.Status < 500 {
		v.Violations = slices.DeleteFunc(slices.Clone(v.Violations), func(f Violation) bool { return strings.HasPrefix(f.Where, "request") })
	}
	v.Parts = slices.Clone(v.Parts)
	for i := range v.Parts {
		v.Parts[i] = v.Parts[i].forgive()
	}
	return v
}

// Merge adds what another run saw.
func (r *Report) Merge(other *Report) {
	r.Exchanges += other.Exchanges
	for into, from := range map[*map[string]int]map[string]int{&r.Operations: other.Operations, &r.Exceptions: other.Exceptions, &r.Faults: other.Faults} {
		for name, n := range from {
			(*into)[name] += n
		}
	}
	r.Findings = append(r.Findings, other.Findings...)
}

// Unused lists the rows of Exceptions and PropertyExceptions that nothing
// needed. Ask it once all runs are merged.
func (r *Report) Unused() []string {
	var unused []string
	for i := range Exceptions {
		if name := Exceptions[i].String(); r.Exceptions[name] == 0 {
			unused = append(unused, name)
		}
	}
	for i := range PropertyExceptions {
		if name := PropertyExceptions[i].String(); r.Exceptions[name] == 0 {
			unused = append(unused, name)
		}
	}
	return unused
}

var position = regexp.MustCompile(`/\d+\b`)

// Lines says each difference once, whatever the position in its list, with the first exchange that showed it and
// how often it was seen.
func (r *Report) Lines() []string {
	type seen struct {
		first string
		n     int
	}
	all := map[string]*seen{}
	for _, f := range r.Findings {
		key := position.ReplaceAllString(f.Violation.String(), "/*")
		if all[key] == nil {
			all[key] = &seen{first: f.Exchange}
		}
		all[key].n++
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		lines = append(lines, fmt.Sprintf("%s: %s (%d times)", all[key].first, key, all[key].n))
	}
	return lines
}

// ValidateLog judges the exchanges that a process wrote: a file of lines, or a
// folder of such files (*.jsonl). A log without a single exchange is an error: it
// would prove nothing.
func (c *Contract) ValidateLog(path string) (*Report, error) {
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.jsonl")); err != nil {
			return nil, fmt.Errorf("read the exchanges in %s: %w", path, err)
		}
	}
	r := c.NewRecorder()
	for _, file := range files {
		if err := r.replay(file); err != nil {
			return nil, err
		}
	}
	if r.report.Exchanges == 0 {
		return nil, fmt.Errorf("read the exchanges in %s: there is none", path)
	}
	return r.report, nil
}

func (r *Recorder) replay(file string) error {
	text, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read the exchanges in %s: %w", file, err)
	}
	defer text.Close()
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 2*mostBody)
	for n := 1; lines.Scan(); n++ {
		var x Exchange
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			return fmt.Errorf("read the exchanges in %s: line %d: %w", file, n, err)
		}
		if x.ResponseHeader == nil {
			x.ResponseHeader = http.Header{} // a log knows the headers, so none means none
		}
		r.Record(x)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the exchanges in %s: %w", file, err)
	}
	return nil
}
