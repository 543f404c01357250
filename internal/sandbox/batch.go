package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxBatch is how many requests a batch may hold (entra-docs json-batching).
const maxBatch = 20

// part is one request of a batch.
type part struct {
	id, method, url string
	headers         Object
	body            any
	after           []string
}

// batch answers POST /$batch: every part on its own, 200 for the whole. The
// answers come in another order than the requests, always the same one, because
// callers must go by the id.
func (g *graph) batch(r *http.Request, version string) (answer, error) {
	if r.Method != http.MethodPost {
		return answer{}, &graphError{405, "BadRequest", "Only POST is allowed for $batch."}
	}
	if _, err := g.who(r); err != nil {
		return answer{}, &graphError{401, "InvalidAuthenticationToken", err.Error()}
	}
	body, err := readBody(r)
	if err != nil {
		return answer{}, err
	}
	parts, err := batchParts(body)
	if err != nil {
		return answer{}, err
	}
	status := map[string]int{}
	var out []any
	for _, p := range parts {
		a := g.part(r, version, p, status)
		status[p.id] = a["status"].(int)
		out = append(out, a)
	}
	slices.Reverse(out)
	return answer{status: http.StatusOK, body: Object{"responses": out}}, nil
}

func batchParts(body Object) ([]part, error) {
	bad := func(why string) error { return &graphError{400, "BadRequest", "Invalid batch payload format: " + why} }
	list, ok := body["requests"].([]any)
	if !ok || len(list) == 0 {
		return nil, bad("requests is missing.")
	}
	if len(list) > maxBatch {
		return nil, &graphError{400, "MaximumValueExceeded", "Number of batch request steps exceeds the maximum value of 20."}
	}
	var parts []part
	known := map[string]bool{}
	for _, e := range list {
		o, _ := e.(Object)
		p := part{id: text(o, "id"), method: strings.ToUpper(text(o, "method")), url: text(o, "url"), body: o["body"], after: texts(o, "dependsOn")}
		p.headers, _ = o["headers"].(Object)
		switch {
		case p.id == "" || p.method == "" || p.url == "":
			return nil, bad("every request needs id, method and url.")
		case known[p.id]:
			return nil, bad("the request id '" + p.id + "' is not unique.")
		case p.body != nil && contentType(p.headers) == "":
			return nil, bad("the request '" + p.id + "' has a body and no Content-Type header.")
		}
		for _, dep := range p.after {
			if !known[dep] {
				return nil, bad("the request '" + p.id + "' depends on '" + dep + "', which does not stand before it.")
			}
		}
		known[p.id] = true
		parts = append(parts, p)
	}
	return parts, nil
}

func contentType(headers Object) string {
	for k := range headers {
		if strings.EqualFold(k, "Content-Type") {
			return text(headers, k)
		}
	}
	return ""
}

// part answers one request of a batch.
func (g *graph) part(outer *http.Request, version string, p part, status map[string]int) Object {
	out := Object{"id": p.id, "headers": Object{}}
	finish := func(a answer) Object {
		headers := Object{}
		for k := range a.header {
			headers[k] = a.header.Get(k)
		}
		out["status"] = a.status
		switch b := a.body.(type) {
		case nil:
		case string:
			headers["Content-Type"] = "text/plain"
			out["body"] = base64.StdEncoding.EncodeToString([]byte(b))
		default:
			headers["Content-Type"] = "application/json"
			out["body"] = b
		}
		out["headers"] = headers
		return out
	}
	ids := http.Header{"Request-Id": {graphID()}, "Client-Request-Id": {outer.Header.Get("client-request-id")}}
	fail := func(err error) Object { return finish(g.failed(err, ids)) }
	for _, dep := range p.after {
		if s := status[dep]; s < 200 || s > 299 {
			return fail(&graphError{424, "FailedDependency", "The request '" + dep + "', on which this one depends, failed."})
		}
	}
	inner, err := p.request(outer, version)
	if err != nil {
		return fail(err)
	}
	a, err := g.one(inner, version)
	if err != nil {
		return fail(err)
	}
	return finish(a)
}

func (p part) request(outer *http.Request, version string) (*http.Request, error) {
	address, err := url.Parse("/" + version + "/" + strings.TrimPrefix(p.url, "/"))
	if err != nil || strings.Contains(p.url, "://") || strings.EqualFold(address.Path, "/"+version+"/$batch") {
		return nil, &graphError{400, "BadRequest", "Invalid url of the request '" + p.id + "': it must be relative to the version."}
	}
	var body io.Reader = http.NoBody
	if p.body != nil {
		text, err := json.Marshal(p.body)
		if err != nil {
			return nil, badRequest("The body of the request '%s' cannot be read.", p.id)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(outer.Context(), p.method, address.String(), body)
	if err != nil {
		return nil, badRequest("The request '%s' is not valid.", p.id)
	}
	r.Host = outer.Host
	r.RemoteAddr, r.TLS = outer.RemoteAddr, outer.TLS
	for k := range p.headers {
		r.Header.Set(k, text(p.headers, k))
	}
	r.Header.Set("Authorization", outer.Header.Get("Authorization"))
	return r, nil
}
