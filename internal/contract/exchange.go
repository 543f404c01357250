package contract

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Exchange is one request with its answer. It is also the line of a log
// (Recorder, ValidateLog). Credentials are no part of it.
type Exchange struct {
	Time          time.Time   `json:"time,omitzero"`
	Method        string      `json:"method"`
	URL           string      `json:"url"`
	RequestHeader http.Header `json:"reqHeader,omitempty"`
	RequestBody   rawBody     `json:"reqBody,omitempty"`
	Status        int         `json:"status"`
	// ResponseHeader is nil when the headers are not known, as in the examples of
	// the documentation: then nothing is asked of them.
	ResponseHeader http.Header `json:"respHeader,omitempty"`
	ResponseBody   rawBody     `json:"respBody,omitempty"`
	// Fault names the fault that was switched on for this answer (header
	// FaultHeader): then the request alone is judged.
	Fault string `json:"fault,omitempty"`

	part bool // a part of a batch, whose headers are those of the batch
}

// rawBody is a body as it was on the wire. In a log it is JSON as it stands when
// it is JSON, and text when it is not.
type rawBody []byte

func (b rawBody) MarshalJSON() ([]byte, error) {
	if len(b) == 0 {
		return []byte("null"), nil
	}
	if stdjson.Valid(b) && b[0] != '"' {
		return b, nil
	}
	return stdjson.Marshal(string(b))
}

func (b *rawBody) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*b = nil
		return nil
	}
	if len(text) > 0 && text[0] == '"' {
		var s string
		if err := stdjson.Unmarshal(text, &s); err != nil {
			return fmt.Errorf("read a body: %w", err)
		}
		*b = rawBody(s)
		return nil
	}
	*b = bytes.Clone(text)
	return nil
}

// Verdict is what is said of one exchange.
type Verdict struct {
	Exchange Exchange
	// Operation is nil when the request addresses nothing that is described.
	Operation *Operation
	// Exceptions names the rows of the two tables that were needed.
	Exceptions []string
	Violations []Violation
	// Parts are the verdicts of the parts of a batch.
	Parts []Verdict
}

// All lists the violations of an exchange and of the parts of its batch.
func (v Verdict) All() []Violation {
	all := slices.Clone(v.Violations)
	for i, part := range v.Parts {
		for _, violation := range part.All() {
			violation.Where = fmt.Sprintf("batch part %d (%s %s), %s", i, part.Exchange.Method, part.Exchange.URL, violation.Where)
			all = append(all, violation)
		}
	}
	return all
}

// Check lists how an exchange differs from the description.
func (c *Contract) Check(x Exchange) []Violation { return c.Judge(x).All() }

// judge holds the state of one judgement.
type judge struct {
	c       *Contract
	x       Exchange
	version string
	op      *Operation
	types   index
	query   url.Values
	used    map[*PropertyException]bool
	verdict *Verdict
}

func (j *judge) report(rule, where, format string, args ...any) {
	j.verdict.Violations = append(j.verdict.Violations, Violation{Rule: rule, Where: where, Text: fmt.Sprintf(format, args...)})
}

// Judge holds one exchange against the description.
func (c *Contract) Judge(x Exchange) Verdict {
	v := Verdict{Exchange: x}
	j := &judge{c: c, x: x, verdict: &v, used: map[*PropertyException]bool{}}
	version, path, query, err := address(x.URL)
	if err == nil && version == "" {
		err = fmt.Errorf("%s is no address of Graph: it begins with /v1.0 or /beta", x.URL)
	}
	if err == nil {
		v.Operation, err = c.Find(x.Method, version, path)
	}
	if err != nil {
		j.report("path", "request", "%v", err)
		return v
	}
	j.version, j.op, j.types = version, v.Operation, c.types[version]
	if x := j.op.Exception; x != nil {
		v.Exceptions = append(v.Exceptions, x.String())
	}
	j.options(query)
	j.requestBody()
	if x.Fault == "" {
		j.answer()
	}
	if strings.HasSuffix(j.op.Path, "/$batch") && x.Fault == "" && x.Status == http.StatusOK {
		j.batch()
	}
	for p := range j.used {
		v.Exceptions = append(v.Exceptions, p.String())
	}
	slices.Sort(v.Exceptions)
	return v
}

// decode reads a body strictly: a name that stands twice, text that is not
// UTF-8, or anything behind the value is refused.
func decode(body []byte) (any, error) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, err
	}
	return v, nil
}

// body holds a body against both witnesses.
func (j *judge) body(where string, body []byte, expression, pointer string) any {
	v, err := decode(body)
	if err != nil {
		j.report("body", where, "not JSON: %v", err)
		return nil
	}
	w := &walker{types: j.types, where: where, version: j.version, used: j.used}
	w.value(v, expression, "")
	j.verdict.Violations = append(j.verdict.Violations, w.found...)
	if pointer == "" {
		return v
	}
	if err := j.c.schemas[j.version].check(pointer, v); err != nil {
		j.report("schema", where, "%s", strings.Join(strings.Fields(err.Error()), " "))
	}
	return v
}

func (j *judge) requestBody() {
	body := bytes.TrimSpace(j.x.RequestBody)
	switch {
	case len(body) == 0 && j.op.bodyRequired:
		j.report("body", "request", "a body is required")
		return
	case len(body) == 0:
		return
	case j.op.request == "":
		if string(body) != "{}" {
			j.report("body", "request", "no body is described")
		}
		return
	}
	if kind, _, err := mime.ParseMediaType(j.x.RequestHeader.Get("Content-Type")); j.x.ResponseHeader != nil && (err != nil || kind != "application/json") {
		j.report("header", "request Content-Type", "%q, want application/json", j.x.RequestHeader.Get("Content-Type"))
	}
	v := j.body("request", body, j.op.request, j.op.requestRef)
	if object, is := v.(map[string]any); is && strings.HasSuffix(j.op.request, "referenceCreate") && !isLink(object["@odata.id"]) {
		j.report("body", "request /@odata.id", "%s is no address of an object", kindOf(object["@odata.id"]))
	}
}

func (j *judge) answer() {
	body := bytes.TrimSpace(j.x.ResponseBody)
	if j.x.ResponseHeader != nil && j.version != ARM && !j.x.part {
		j.headers(len(body) > 0)
	}
	if j.x.Status >= 400 {
		j.failure(body)
		return
	}
	if want := j.op.codes(); !want[j.x.Status] {
		j.report("status", "response", "%d, want %v", j.x.Status, slices.Sorted(maps.Keys(want)))
	}
	switch {
	case j.x.Status == http.StatusNoContent:
		if len(body) > 0 {
			j.report("body", "response", "204 has no body")
		}
		return
	case j.op.plain:
		if _, err := strconv.ParseUint(strings.TrimPrefix(string(body), "\ufeff"), 10, 63); err != nil {
			j.report("type", "response", "%q is no count", body)
		}
		return
	case j.op.response == "":
		if len(body) > 0 {
			j.report("body", "response", "no body is described")
		}
		return
	case len(body) == 0:
		// 202 says where the result will be; a documented answer may be left out.
		if j.x.Status != http.StatusAccepted && j.x.ResponseHeader != nil {
			j.report("body", "response", "a body is described, and none was sent")
		}
		return
	}
	v := j.body("response", body, j.op.response, j.op.responseRef)
	if object, is := v.(map[string]any); is && j.version != ARM && !strings.HasSuffix(j.op.Path, "/$batch") {
		j.envelope(object)
	}
}

// codes lists the success codes of an operation: those of the examples, else
// what the description says.
func (o *Operation) codes() map[int]bool {
	want := map[int]bool{}
	for _, code := range o.success {
		want[code] = true
	}
	if len(want) > 0 {
		return want
	}
	for _, code := range o.declared {
		if n, err := strconv.Atoi(code); err == nil {
			want[n] = true
			continue
		}
		for _, n := range usual[o.Method] {
			want[n] = true
		}
	}
	return want
}

// usual lists the success codes of a method where no example shows the exact one
// (graph: "Microsoft Graph error responses", "Use the Microsoft Graph API").
var usual = map[string][]int{
	"GET":    {200},
	"POST":   {200, 201, 202, 204},
	"PATCH":  {200, 204},
	"PUT":    {200, 201, 204},
	"DELETE": {204},
}

// silentThrottle matches what is throttled without Retry-After (graph:
// throttling-limits, "Identity protection and conditional access service limits").
var silentThrottle = regexp.MustCompile(`^/(identity/conditionalAccess/(policies|namedLocations)|identityProtection/(riskyUsers|riskDetections))`)

// headers asks for what every answer of Graph carries (graph: "Microsoft Graph
// error responses", section HTTP headers; best practices).
func (j *judge) headers(body bool) {
	for _, name := range []string{"request-id", "client-request-id"} {
		if j.x.ResponseHeader.Get(name) == "" {
			j.report("header", "response "+name, "is missing")
		}
	}
	if j.x.Status == http.StatusTooManyRequests && j.x.ResponseHeader.Get("Retry-After") != "" && silentThrottle.MatchString(j.op.Path) {
		j.report("header", "response Retry-After", "Conditional Access and Identity Protection send none")
	}
	if !body {
		return
	}
	kind, _, err := mime.ParseMediaType(j.x.ResponseHeader.Get("Content-Type"))
	want := "application/json"
	if j.op.plain && j.x.Status < 400 {
		want = "text/plain"
	}
	if err != nil || kind != want {
		j.report("header", "response Content-Type", "%q, want %s", j.x.ResponseHeader.Get("Content-Type"), want)
	}
}

// failure holds the body of an error against the documented shape (graph:
// "Microsoft Graph error responses and resource types").
func (j *judge) failure(body []byte) {
	if j.version == ARM {
		j.armFailure(body)
		return
	}
	v := j.body("response", body, "microsoft.graph.ODataErrors.ODataError", "#/components/schemas/microsoft.graph.ODataErrors.ODataError")
	object, _ := v.(map[string]any)
	e, is := object["error"].(map[string]any)
	if !is {
		j.report("error", "response", "an error has an object named error")
		return
	}
	for _, name := range []string{"code", "message"} {
		if text, is := e[name].(string); !is || text == "" && name == "code" {
			j.report("error", "response /error/"+name, "is missing")
		}
	}
	inner, is := e["innerError"].(map[string]any)
	if !is {
		if j.x.ResponseHeader != nil {
			j.report("error", "response /error/innerError", "is missing")
		}
		return
	}
	for _, name := range []string{"date", "request-id", "client-request-id"} {
		if !isText(inner[name]) {
			j.report("error", "response /error/innerError/"+name, "is missing")
		}
	}
}

func (j *judge) armFailure(body []byte) {
	v, err := decode(body)
	object, _ := v.(map[string]any)
	e, is := object["error"].(map[string]any)
	if err != nil || !is || !isText(e["code"]) || !isText(e["message"]) {
		j.report("error", "response", "an error of Azure Resource Manager has error.code and error.message")
	}
}

// envelope checks what surrounds the answer: where it comes from, where it goes
// on, and that it holds no more than was asked for.
func (j *judge) envelope(object map[string]any) {
	context, is := object["@odata.context"].(string)
	switch {
	case !is && j.x.ResponseHeader == nil: // the documentation shortens
	case !is:
		j.report("context", "response /@odata.context", "is missing")
	case !strings.Contains(context, "/"+j.version+"/$metadata#"):
		j.report("context", "response /@odata.context", "%q is no context of %s", context, j.version)
	}
	asked, err := url.Parse(j.x.URL)
	if err != nil {
		return
	}
	for _, name := range []string{"@odata.nextLink", "@odata.deltaLink"} {
		text, is := object[name].(string)
		if !is {
			continue
		}
		link, err := url.Parse(text)
		if err != nil || asked.Host != "" && link.Host != asked.Host {
			j.report("link", "response /"+name, "%q leads to another host", text)
			continue
		}
		if version, path, _, err := address(text); err != nil || version != j.version {
			j.report("link", "response /"+name, "%q leads out of %s", text, j.version)
		} else if o, err := j.c.Find(http.MethodGet, version, path); err != nil || o != j.op && j.op.Method == http.MethodGet {
			j.report("link", "response /"+name, "%q leads to another operation", text)
		}
	}
	if _, counted := object["@odata.count"]; j.op.List && j.query.Get("$count") == "true" && !counted && j.x.ResponseHeader != nil && j.query.Get("$skiptoken") == "" {
		j.report("query", "response /@odata.count", "is missing, and $count=true asks for it")
	}
	items := []any{object}
	if j.op.List {
		items, _ = object["value"].([]any)
	}
	for i, item := range items {
		if o, is := item.(map[string]any); is && i < 1000 {
			j.selected(o, i)
		}
	}
}

// selected checks that an object holds what $select and $expand asked for, and
// of the rest only its key.
func (j *judge) selected(object map[string]any, n int) {
	if j.op.Item == "" {
		return
	}
	names := list(j.query.Get("$select"))
	expanded := expansions(j.query.Get("$expand"))
	entity := j.types.derives(j.op.Item, "microsoft.graph.directoryObject")
	for key := range object {
		if strings.Contains(key, "@") || key == "id" || slices.Contains(expanded, key) || slices.Contains(expanded, "*") {
			continue
		}
		_, navigation := j.navigation(object, key)
		if entity && navigation && !strings.HasSuffix(j.op.Path, "/delta()") {
			j.report("query", fmt.Sprintf("response /value/%d/%s", n, escape(key)), "comes with $expand only")
		}
		top := func(name string) bool { return name == key || strings.HasPrefix(name, key+"/") }
		if len(names) > 0 && !navigation && !slices.ContainsFunc(names, top) {
			j.report("select", fmt.Sprintf("response /value/%d/%s", n, escape(key)), "was not asked for by $select")
		}
	}
}

func (j *judge) navigation(object map[string]any, key string) (string, bool) {
	name := j.op.Item
	if text, is := object["@odata.type"].(string); is {
		name = strings.TrimPrefix(text, "#")
	}
	e, navigation, _ := j.types.property(name, key)
	return e, navigation
}
