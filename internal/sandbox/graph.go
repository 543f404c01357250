package sandbox

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// graph is the Graph side of a Server: what it remembers beside the State.
type graph struct {
	*Server
	routes *node
	who    func(*http.Request) (Caller, error) // Server.caller, but for tests
	late   func() (time.Duration, bool)        // fault 18: how long a new object is not visible

	mu sync.Mutex
	// challenges wait for a passkey to be registered on behalf of a user, by
	// challenge.
	challenges map[string]keyChallenge
}

// maxBody bounds what a caller may send.
const maxBody = 4 << 20

// graphRoutes serves Microsoft Graph.
func (s *Server) graphRoutes(mux *http.ServeMux) {
	g := newGraph(s)
	// With its host the pattern stands beside /{tenant}/… without conflict.
	host, _, _ := strings.Cut(s.config.Host, ":")
	for _, version := range []string{v1, beta} {
		mux.HandleFunc(host+"/"+version+"/", func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, version) })
	}
}

func newGraph(s *Server) *graph {
	g := &graph{Server: s, routes: routesOf(operationTable()), who: s.caller, challenges: map[string]keyChallenge{}}
	g.late = g.replication
	return g
}

// graphError is an error as Graph answers it.
type graphError struct {
	status  int
	code    string
	message string
}

func (e *graphError) Error() string { return e.code + ": " + e.message }

func badRequest(format string, args ...any) error {
	return &graphError{400, "Request_BadRequest", fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &graphError{400, "Request_UnsupportedQuery", fmt.Sprintf(format, args...)}
}

func notFound(id string) error {
	return &graphError{404, "Request_ResourceNotFound", "Resource '" + id + "' does not exist or one of its queried reference-property objects are not present."}
}

func denied() error {
	return &graphError{403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."}
}

// answer is what a handler answers.
type answer struct {
	status int
	body   any // nil none
	header http.Header
}

// call is one request on its way through a handler.
type call struct {
	*graph
	r       *http.Request
	version string
	op      *operation
	args    map[string]string
	query   options
	body    Object
	caller  Caller
	now     time.Time
	header  http.Header // of the answer
}

// serve answers one request, or one batch.
func (g *graph) serve(w http.ResponseWriter, r *http.Request, version string) {
	w.Header().Set("request-id", graphID())
	if id := r.Header.Get("client-request-id"); id != "" && len(id) <= 64 {
		w.Header().Set("client-request-id", id)
	} else {
		w.Header().Set("client-request-id", w.Header().Get("request-id"))
	}
	w.Header().Set("x-ms-ags-diagnostic", `{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"SANDBOX00"}}`)
	var a answer
	var err error
	if strings.EqualFold(strings.TrimPrefix(r.URL.Path, "/"+version), "/$batch") {
		a, err = g.batch(r, version)
	} else {
		a, err = g.one(r, version)
	}
	if err != nil {
		a = g.failed(err, w.Header())
	}
	write(w, a)
}

// failed is the answer that an error makes.
func (g *graph) failed(err error, h http.Header) answer {
	e, ok := errors.AsType[*graphError](err)
	if !ok {
		e = &graphError{500, "UnknownError", "the sandbox failed: " + err.Error()}
	}
	a := answer{status: e.status, header: http.Header{}, body: Object{"error": Object{
		"code": e.code, "message": e.message, "innerError": Object{
			"date":              g.now().UTC().Format("2006-01-02T15:04:05"),
			"request-id":        h.Get("request-id"),
			"client-request-id": h.Get("client-request-id"),
		}}}}
	if e.status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://`+g.config.Host+`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
	}
	return a
}

func write(w http.ResponseWriter, a answer) {
	maps.Copy(w.Header(), a.header)
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	if text, ok := a.body.(string); ok { // $count
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, text)
		return
	}
	text, err := encode(a.body)
	if err != nil {
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	w.Header().Set("OData-Version", "4.0")
	w.WriteHeader(a.status)
	_, _ = w.Write(text)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// one answers one request, in a batch or alone.
func (g *graph) one(r *http.Request, version string) (answer, error) {
	caller, err := g.who(r)
	if err != nil {
		if e, ok := errors.AsType[*graphError](err); ok {
			return answer{}, e
		}
		return answer{}, &graphError{401, "InvalidAuthenticationToken", err.Error()}
	}
	if isARM(caller.Audience) {
		return answer{}, &graphError{401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience."}
	}
	segments, err := g.segments(r, version, caller)
	if err != nil {
		return answer{}, err
	}
	op, args, err := g.routes.find(r.Method, version, segments)
	if err != nil {
		return answer{}, err
	}
	c := &call{graph: g, r: r, version: version, op: op, args: args, caller: caller, now: g.now().UTC(), header: http.Header{}}
	if c.query, err = parseOptions(r); err != nil {
		return answer{}, err
	}
	if err := c.allowed(); err != nil {
		return answer{}, err
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPatch || r.Method == http.MethodPut {
		if c.body, err = readBody(r); err != nil {
			return answer{}, err
		}
	}
	a, err := op.do(c)
	if err != nil {
		return answer{}, err
	}
	if a.header == nil {
		a.header = c.header
	} else {
		maps.Copy(a.header, c.header)
	}
	a.header.Set("x-ms-resource-unit", fmt.Sprint(c.cost()))
	return a, nil
}

// segments are the decoded segments of the path, /me being the caller.
func (g *graph) segments(r *http.Request, version string, caller Caller) ([]string, error) {
	path := strings.Trim(strings.TrimPrefix(r.URL.EscapedPath(), "/"+version), "/")
	var out []string
	for _, s := range strings.Split(path, "/") {
		text, err := url.PathUnescape(s)
		if err != nil || text == "" {
			return nil, &graphError{400, "BadRequest", "The request URI is not valid."}
		}
		out = append(out, text)
	}
	if strings.EqualFold(out[0], "me") {
		if !caller.Delegated() {
			return nil, &graphError{400, "BadRequest", "/me request is only valid with delegated authentication flow."}
		}
		out = append([]string{"users", caller.UserID}, out[1:]...)
	}
	return out, nil
}

func readBody(r *http.Request) (Object, error) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, badRequest("The request body could not be read.")
	}
	if len(text) > maxBody {
		return nil, &graphError{413, "RequestEntityTooLarge", "The request body is too large."}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return Object{}, nil
	}
	// The words are those of the gateway (microsoft-graph-docs-contrib issue 6215,
	// msgraph-sample-pythondjangoapp issue 22).
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/json":
	case "":
		return nil, &graphError{400, "BadRequest", "Write requests (excluding DELETE) must contain the Content-Type header declaration."}
	default:
		return nil, &graphError{400, "BadRequest", "Entity only allows writes with a JSON Content-Type header."}
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, &graphError{400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."}
	}
	o, ok := v.(Object)
	if !ok {
		return nil, &graphError{400, "BadRequest", "Unable to read JSON request payload: an object was expected."}
	}
	return o, nil
}

// context is an @odata.context.
func (c *call) context(of string) string {
	return "https://" + c.config.Host + "/" + c.version + "/$metadata#" + of
}

// contextSelected adds the selected properties to a context.
func contextSelected(of string, selected []string) string {
	if selected == nil {
		return of
	}
	return of + "(" + strings.Join(selected, ",") + ")"
}

// entity is the answer with one object.
func (c *call) entity(status int, of string, o Object) answer {
	out := Object{"@odata.context": c.context(of)}
	maps.Copy(out, o)
	return answer{status: status, body: out}
}

var noContent = answer{status: http.StatusNoContent}

// token is the opaque $skiptoken: where in the set the next page begins.
func token(at int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("sandbox-page:%d", at)))
}

func position(token string) (int, error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	at := 0
	if err == nil {
		_, err = fmt.Sscanf(string(text), "sandbox-page:%d", &at)
	}
	if err != nil || at < 0 {
		return 0, &graphError{400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request."}
	}
	return at, nil
}

// nextLink is the address of the next page: the same request with another
// $skiptoken.
func (c *call) nextLink(at int) string {
	q := url.Values{}
	for k, v := range c.query.raw {
		if t := strings.ToLower(k); t != "$skiptoken" && t != "$skip" {
			q[k] = v
		}
	}
	q.Set("$skiptoken", token(at))
	path := strings.TrimPrefix(c.r.URL.EscapedPath(), "/"+c.version)
	text := q.Encode()
	text = strings.ReplaceAll(text, "%24", "$")
	return "https://" + c.config.Host + "/" + c.version + path + "?" + text
}

func graphID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return idOf(b[:])
}

// idOf writes sixteen bytes as a GUID.
func idOf(b []byte) string {
	h := hex.EncodeToString(b)
	if len(h) != 32 {
		return ""
	}
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// text reads a string of an object; "" when it is none.
func text(o Object, path ...string) string {
	s, _ := dig(o, path...).(string)
	return s
}

func dig(o Object, path ...string) any {
	var at any = o
	for _, p := range path {
		inner, ok := at.(Object)
		if !ok {
			return nil
		}
		at = inner[p]
	}
	return at
}

func flag(o Object, path ...string) bool {
	b, _ := dig(o, path...).(bool)
	return b
}

// texts reads a list of strings; what is no string is left out.
func texts(o Object, path ...string) []string {
	list, _ := dig(o, path...).([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func objects(o Object, path ...string) []Object {
	list, _ := dig(o, path...).([]any)
	var out []Object
	for _, e := range list {
		if m, ok := e.(Object); ok {
			out = append(out, m)
		}
	}
	return out
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}

// copied is a deep copy of a JSON value.
func copied[T any](v T) T { return copyValue(any(v)).(T) }

func copyValue(v any) any {
	switch v := v.(type) {
	case Object:
		out := make(Object, len(v))
		for k, e := range v {
			out[k] = copyValue(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copyValue(e)
		}
		return out
	}
	return v
}

func isARM(audience string) bool {
	return strings.Contains(audience, "management.") || strings.Contains(audience, "797f4846-ba00-4fd7-ba43-dac1f8f63013")
}

// node is one segment of the routes.
type node struct {
	static map[string]*node
	param  *node
	name   string // of the parameter
	ops    map[string]*operation
}

func routesOf(table []operation) *node {
	root := &node{}
	for i := range table {
		op := &table[i]
		at := root
		for _, s := range strings.Split(strings.Trim(op.path, "/"), "/") {
			at = at.child(s)
		}
		if at.ops == nil {
			at.ops = map[string]*operation{}
		}
		for _, v := range op.versions() {
			at.ops[op.method+" "+v] = op
		}
	}
	return root
}

func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.param == nil {
			n.param = &node{name: strings.Trim(segment, "{}")}
		}
		return n.param
	}
	if n.static == nil {
		n.static = map[string]*node{}
	}
	segment = strings.ToLower(segment)
	if n.static[segment] == nil {
		n.static[segment] = &node{}
	}
	return n.static[segment]
}

// spelling brings a segment to the form of the table: without microsoft. before a
// cast, without (), and with the key of name(key='value') apart.
func spelling(segment string) (plain, value string) {
	plain = strings.ToLower(segment)
	if strings.HasPrefix(plain, "microsoft.graph.") {
		plain = strings.TrimPrefix(plain, "microsoft.")
	}
	name, rest, bracket := strings.Cut(segment, "(")
	if !bracket || !strings.HasSuffix(rest, ")") || strings.HasPrefix(plain, "graph.") {
		return plain, ""
	}
	rest = strings.TrimSuffix(rest, ")")
	if rest == "" {
		return strings.ToLower(name), ""
	}
	k, v, named := strings.Cut(rest, "=")
	if !named || strings.HasPrefix(rest, "'") {
		k, v = "", rest
	}
	v = strings.ReplaceAll(strings.Trim(v, "'"), "''", "'")
	return strings.ToLower(name + "(" + k + ")"), v
}

func (n *node) find(method, version string, segments []string) (*operation, map[string]string, error) {
	args := map[string]string{}
	at := n
	for _, s := range segments {
		plain, value := spelling(s)
		name, by, bracket := strings.Cut(plain, "()")
		if bracket && by == "" && value != "" { // users('id')
			if at = at.static[name]; at != nil {
				at = at.param
				s = value
			}
			if at != nil {
				args[at.name] = s
			}
		} else if next := at.static[plain]; next != nil {
			at = next
			if value != "" {
				args["key"] = value
			}
		} else if at = at.param; at != nil {
			args[at.name] = s
		}
		if at == nil {
			return nil, nil, &graphError{400, "BadRequest", "Resource not found for the segment '" + s + "'."}
		}
	}
	if op := at.ops[method+" "+version]; op != nil {
		return op, args, nil
	}
	for k := range at.ops {
		if strings.HasSuffix(k, " "+version) {
			return nil, nil, &graphError{405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."}
		}
	}
	return nil, nil, &graphError{400, "BadRequest", "Resource not found for the segment '" + segments[len(segments)-1] + "'."}
}

// keys are the keys of a map in order.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
