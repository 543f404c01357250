package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// recorder writes what was said to Graph and what was answered, one object of
// JSON in a line:
//
//	time        when it was asked
//	method, url of the request, with its query
//	reqHeader   those headers of the request that say how to answer
//	reqBody     JSON as it stands, or text; null: none
//	status      of the answer
//	respHeader  those headers of the answer that Graph documents
//	respBody    as reqBody
//	fault       the fault that made the answer wrong on purpose, if any
//
// Tokens are in no header that is kept; what bodies hold of passwords, passes and
// secrets is replaced.
type recorder struct {
	mu  sync.Mutex
	to  io.Writer
	err error
}

// recordLine is one line of a record.
type recordLine struct {
	Time           time.Time       `json:"time"`
	Method         string          `json:"method"`
	URL            string          `json:"url"`
	RequestHeader  http.Header     `json:"reqHeader,omitempty"`
	RequestBody    json.RawMessage `json:"reqBody,omitempty"`
	Status         int             `json:"status"`
	ResponseHeader http.Header     `json:"respHeader,omitempty"`
	ResponseBody   json.RawMessage `json:"respBody,omitempty"`
	Fault          string          `json:"fault,omitempty"`
}

var (
	recordedOfRequests = []string{"Accept", "Client-Request-Id", "ConsistencyLevel", "Content-Type", "If-Match", "Prefer"}
	recordedOfAnswers  = []string{"Client-Request-Id", "Content-Type", "Location", "Request-Id", "Retry-After", faultHeader}
)

// secretKeys are the properties that hold what opens something (graph:
// passwordProfile, passwordCredential, temporaryAccessPassAuthenticationMethod,
// passwordAuthenticationMethod, hardwareOathTokenAuthenticationMethodDevice).
var secretKeys = map[string]bool{"password": true, "newpassword": true, "currentpassword": true, "secrettext": true,
	"temporaryaccesspass": true, "secretkey": true, "verificationcode": true}

// withheld stands for a secret.
const withheld = "(withheld)"

// mostRecorded is the most that is kept of one body.
const mostRecorded = 32 << 20

// newRecorder returns nil, which records nothing, for no writer.
func newRecorder(to io.Writer) *recorder {
	if to == nil {
		return nil
	}
	return &recorder{to: to}
}

// around returns a handler that answers as next does and records it.
func (c *recorder) around(next http.HandlerFunc) http.HandlerFunc {
	if c == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		line := recordLine{Time: time.Now().UTC(), Method: r.Method, URL: "https://" + r.Host + r.URL.RequestURI(), RequestHeader: someOf(r.Header, recordedOfRequests)}
		asked, err := io.ReadAll(r.Body)
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(asked), broken{err}), r.Body}
		line.RequestBody = recordedBody(asked, r.Header)
		kept := &overheard{ResponseWriter: w, status: http.StatusOK}
		// An answer that breaks off on purpose ends in a panic that net/http wants.
		defer func() {
			line.Status, line.ResponseHeader = kept.status, someOf(w.Header(), recordedOfAnswers)
			line.ResponseBody, line.Fault = recordedBody(kept.body.Bytes(), w.Header()), w.Header().Get(faultHeader)
			c.write(line)
		}()
		next(kept, r)
	}
}

func (c *recorder) write(line recordLine) {
	text, err := encode(line)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		_, err = c.to.Write(text)
	}
	if c.err == nil && err != nil {
		c.err = fmt.Errorf("record what was said to Graph: %w", err)
	}
}

// failure is why the record is not whole.
func (c *recorder) failure() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// overheard is an answer of which a copy is kept.
type overheard struct {
	http.ResponseWriter
	status int
	sent   bool
	body   bytes.Buffer
}

func (k *overheard) WriteHeader(status int) {
	if !k.sent && status >= 200 {
		k.status, k.sent = status, true
	}
	k.ResponseWriter.WriteHeader(status)
}

func (k *overheard) Write(data []byte) (int, error) {
	k.sent = true
	if k.body.Len() < mostRecorded {
		k.body.Write(data)
	}
	return k.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach what is wrapped.
func (k *overheard) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// broken hands on the error that ended a body early; without one it is empty.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	return 0, io.EOF
}

func someOf(all http.Header, names []string) http.Header {
	some := http.Header{}
	for _, name := range names {
		if values := all.Values(name); len(values) > 0 {
			some[http.CanonicalHeaderKey(name)] = values
		}
	}
	return some
}

// recordedBody is a body without its secrets. What is no JSON comes as text,
// except in requests: there it is not known what it holds.
func recordedBody(body []byte, header http.Header) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if !json.Valid(body) || d.Decode(&value) != nil {
		said := string(body)
		if header.Get("Authorization") != "" {
			said = fmt.Sprintf("(%d bytes that are no JSON)", len(body))
		}
		text, _ := json.Marshal(said) // a string
		return text
	}
	if !withhold(value) {
		return body
	}
	text, err := encode(value)
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(text)
}

// withhold replaces the secrets in a value and reports whether there was one.
func withhold(value any) bool {
	found := false
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, is := inner.(string); is && text != "" && secretKeys[strings.ToLower(name)] {
				v[name], found = withheld, true
				continue
			}
			found = withhold(inner) || found
		}
	case []any:
		for _, inner := range v {
			found = withhold(inner) || found
		}
	}
	return found
}
