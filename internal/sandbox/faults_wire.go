package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// wire is one request to Graph on its way through the faults.
type wire struct {
	s *Server
	w http.ResponseWriter
	r *http.Request
}

// serveGraph answers a request to Graph or Resource Manager: quotas first, then
// what goes wrong, then who asks.
func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	s.setDate(w)
	x := &wire{s, w, r}
	if strings.HasSuffix(r.URL.Path, "/$batch") {
		x.batch()
		return
	}
	if reply := s.instead(x, r.Method, r.URL); reply != nil {
		x.send(reply)
		return
	}
	authenticated, ok := s.authenticated(w, r)
	if !ok {
		return
	}
	x.r = authenticated
	s.tellUnits(w, x.r)
	x.single()
}

// setDate tells the tenant's time.
func (s *Server) setDate(w http.ResponseWriter) {
	w.Header().Set("Date", s.now().Format(http.TimeFormat))
}

// instead is what a request gets in place of an answer: from a quota or a fault.
func (s *Server) instead(x *wire, method string, u *url.URL) *faultReply {
	if reply := s.throttled(x.r, method, u); reply != nil {
		return reply
	}
	for _, a := range s.faults.list(u.Path) {
		if a.variant.reply == nil {
			continue
		}
		if reply := a.variant.reply(x.under(a, method, u)); reply != nil {
			return reply
		}
	}
	return nil
}

func (x *wire) under(a *armedFault, method string, u *url.URL) *exchange {
	e := &exchange{wire: x, fault: a.Fault, armed: a, method: method, path: u.Path, url: u}
	if token, ours := strings.CutPrefix(u.Query().Get("$skiptoken"), fmt.Sprintf("fault%d.", a.N)); ours {
		e.page, _ = strconv.Atoi(token)
	}
	return e
}

// strikes counts the request and reports whether the fault strikes. The pages
// that a fault made up belong to the strike that made them.
func (x *exchange) strikes() bool {
	if x.page == 0 {
		return x.takes()
	}
	x.mark()
	return true
}

// takes counts the request and reports whether the fault strikes.
func (x *exchange) takes() bool {
	if !x.s.faults.take(x.fault) {
		return false
	}
	x.mark()
	return true
}

// faultHeader names the fault of an answer that is wrong on purpose, so that
// whoever records what was said can tell it from the sandbox's own mistakes.
const faultHeader = "X-Sandbox-Fault"

func (x *exchange) mark() {
	x.w.Header().Set(faultHeader, strings.TrimSuffix(fmt.Sprintf("%d=%s", x.fault.N, x.fault.Variant), "="))
}

// single answers one request that nothing replaced.
func (x *wire) single() {
	u := *x.r.URL
	for _, a := range x.s.faults.list(u.Path) {
		if a.variant.whole != nil && a.variant.whole(x.under(a, x.r.Method, &u)) {
			return
		}
	}
	var edits []*armedFault
	for _, a := range x.s.faults.list(u.Path) {
		if a.variant.edit != nil && x.r.Method == http.MethodGet {
			edits = append(edits, a)
		}
	}
	if len(edits) == 0 {
		x.s.mux.ServeHTTP(x.w, x.r)
		return
	}
	got := x.record()
	if body, is := got.object(); is && got.status < 300 {
		got.setObject(x.edited(edits, &u, body))
	}
	got.send(x.w)
}

func (x *wire) edited(edits []*armedFault, u *url.URL, body Object) Object {
	for _, a := range edits {
		body = a.variant.edit(x.under(a, http.MethodGet, u), body)
	}
	return body
}

// record runs the request and keeps the answer. A made-up page is asked for as
// the first page, which is what there is.
func (x *wire) record() *recording {
	r := x.r
	if strings.HasPrefix(r.URL.Query().Get("$skiptoken"), "fault") {
		query := r.URL.Query()
		query.Del("$skiptoken")
		r = r.Clone(r.Context())
		r.URL.RawQuery = query.Encode()
	}
	got := &recording{header: http.Header{}, status: http.StatusOK}
	x.s.mux.ServeHTTP(got, r)
	return got
}

func (x *wire) send(reply *faultReply) {
	for name, value := range reply.header {
		x.w.Header().Set(name, value)
	}
	if x.w.Header().Get("Content-Type") == "" {
		x.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	x.w.WriteHeader(reply.status)
	_, _ = x.w.Write(reply.body)
}

// graphReply is an error as Graph writes it.
func (x *wire) graphReply(status int, code, message string) *faultReply {
	body, _ := json.Marshal(x.s.graphErrorBody(x.r, code, message)) // strings
	return &faultReply{status: status, header: map[string]string{}, body: body}
}

// recording is an answer that is not sent yet.
type recording struct {
	header http.Header
	status int
	body   bytes.Buffer
	wrote  bool
}

func (g *recording) Header() http.Header { return g.header }

func (g *recording) WriteHeader(status int) {
	if !g.wrote {
		g.status, g.wrote = status, true
	}
}

func (g *recording) Write(data []byte) (int, error) {
	g.wrote = true
	return g.body.Write(data)
}

func (g *recording) object() (Object, bool) {
	d := json.NewDecoder(bytes.NewReader(g.body.Bytes()))
	d.UseNumber()
	var body Object
	return body, d.Decode(&body) == nil && body != nil
}

func (g *recording) setObject(body Object) {
	data, err := json.Marshal(body)
	if err != nil {
		return // what came in as JSON goes out as JSON
	}
	g.body.Reset()
	_, _ = g.body.Write(data)
}

func (g *recording) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), g.header)
	w.Header().Del("Content-Length")
	w.WriteHeader(g.status)
	_, _ = w.Write(g.body.Bytes())
}

// batch answers $batch: each part is throttled and goes wrong by itself (graph
// json-batching, "batch size limitations" and "throttling and batching"). Parts
// that get something else in place of an answer never reach the directory.
func (x *wire) batch() {
	s := x.s
	if reply := s.batchInstead(x); reply != nil {
		x.send(reply)
		return
	}
	authenticated, ok := s.authenticated(x.w, x.r)
	if !ok {
		return
	}
	x.r = authenticated
	s.tellUnits(x.w, x.r)
	version := strings.TrimSuffix(x.r.URL.Path, "/$batch")
	raw, err := io.ReadAll(x.r.Body)
	if err != nil {
		s.writeGraphError(x.w, x.r, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request is too large.")
		return
	}
	var whole struct {
		Requests []Object `json:"requests"`
	}
	broken := json.Unmarshal(raw, &whole) != nil || len(whole.Requests) == 0 || len(whole.Requests) > 20
	var made []Object
	if !broken {
		made, raw = x.splitBatch(version, whole.Requests)
	}
	got := x.rest(raw)
	body, is := got.object()
	if broken || !is || got.status >= 300 {
		got.send(x.w)
		return
	}
	parts := append(x.editBatch(version, whole.Requests, propList(body, "responses")), made...)
	for _, a := range s.faults.list(x.r.URL.Path) {
		if e := x.under(a, http.MethodPost, x.r.URL); a.variant.batch != nil && e.takes() {
			parts = a.variant.batch(e, parts)
		}
	}
	body["responses"] = parts
	got.setObject(body)
	got.send(x.w)
}

// rest asks the directory for what is left of a batch; nothing, when nothing is.
func (x *wire) rest(raw []byte) *recording {
	if raw == nil {
		got := &recording{header: http.Header{"Content-Type": {"application/json"}}, status: http.StatusOK}
		got.setObject(Object{"responses": []any{}})
		return got
	}
	next := x.r.Clone(x.r.Context())
	next.Body, next.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return (&wire{x.s, x.w, next}).record()
}

// batchInstead is what a whole batch gets in place of an answer.
func (s *Server) batchInstead(x *wire) *faultReply {
	for _, a := range s.faults.list(x.r.URL.Path) {
		// A fault without a path strikes the parts, not the whole.
		if a.variant.reply != nil && strings.Contains(a.Path, "$batch") {
			if reply := a.variant.reply(x.under(a, http.MethodPost, x.r.URL)); reply != nil {
				return reply
			}
		}
	}
	return nil
}

// splitBatch makes the answers of the parts that something happens to, and
// returns the batch of the others.
func (x *wire) splitBatch(version string, parts []Object) (made []Object, rest []byte) {
	var left []Object
	gone := map[string]bool{}
	for _, part := range parts {
		u, err := url.Parse(version + propText(part, "url"))
		if err != nil {
			left = append(left, part)
			continue
		}
		id := propText(part, "id")
		for _, on := range propTexts(part, "dependsOn") {
			if gone[on] {
				gone[id] = true
				made = append(made, partOf(id, x.graphReply(http.StatusFailedDependency, "FailedDependency", "The request depends on one that failed.")))
			}
		}
		if gone[id] {
			continue
		}
		if reply := x.s.instead(x, propText(part, "method"), u); reply != nil {
			gone[id] = true
			made = append(made, partOf(id, reply))
			continue
		}
		left = append(left, part)
	}
	if len(left) == 0 {
		return made, nil
	}
	rest, _ = json.Marshal(Object{"requests": left}) // it was JSON before
	return made, rest
}

// editBatch applies the faults that change answers to the parts.
func (x *wire) editBatch(version string, requests, parts []Object) []Object {
	urls := map[string]*url.URL{}
	for _, q := range requests {
		if u, err := url.Parse(version + propText(q, "url")); err == nil && strings.EqualFold(propText(q, "method"), http.MethodGet) {
			urls[propText(q, "id")] = u
		}
	}
	for _, part := range parts {
		u := urls[propText(part, "id")]
		body := propObject(part, "body")
		if u == nil || body == nil || body["error"] != nil {
			continue
		}
		var edits []*armedFault
		for _, a := range x.s.faults.list(u.Path) {
			if a.variant.edit != nil {
				edits = append(edits, a)
			}
		}
		part["body"] = x.edited(edits, u, body)
	}
	return parts
}

// partOf is a made-up answer as a part of a batch.
func partOf(id string, reply *faultReply) Object {
	headers := Object{"Content-Type": "application/json"}
	for name, value := range reply.header {
		headers[name] = value
	}
	part := Object{"id": id, "status": reply.status, "headers": headers}
	var body any
	if json.Unmarshal(reply.body, &body) == nil {
		part["body"] = body
	} else {
		part["body"] = base64.StdEncoding.EncodeToString(reply.body)
	}
	return part
}
