package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// batchLimit is the most requests a batch may hold (graph: json-batching).
const batchLimit = 20

type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      rawBody           `json:"body"`
	DependsOn []string          `json:"dependsOn"`
	Status    int               `json:"status"`
}

// batch judges the parts of a batch as exchanges of their own.
func (j *judge) batch() {
	var asked struct {
		Requests []batchPart `json:"requests"`
	}
	var answered struct {
		Responses []batchPart `json:"responses"`
	}
	if err := unmarshal(j.x.RequestBody, &asked); err != nil {
		j.report("batch", "request", "%v", err)
		return
	}
	if err := unmarshal(j.x.ResponseBody, &answered); err != nil {
		j.report("batch", "response", "%v", err)
		return
	}
	if n := len(asked.Requests); n == 0 || n > batchLimit {
		j.report("batch", "request /requests", "%d requests, want 1 to %d", n, batchLimit)
	}
	answers := map[string]batchPart{}
	for _, a := range answered.Responses {
		if _, twice := answers[a.ID]; twice {
			j.report("batch", "response", "request %q is answered twice", a.ID)
		}
		answers[a.ID] = a
	}
	known := map[string]bool{}
	for _, r := range asked.Requests {
		if known[r.ID] {
			j.report("batch", "request", "the id %q stands twice", r.ID)
		}
		known[r.ID] = true
	}
	for _, r := range asked.Requests {
		j.part(r, answers, known)
	}
	for id := range answers {
		if !known[id] {
			j.report("batch", "response", "%q answers no request", id)
		}
	}
}

func (j *judge) part(r batchPart, answers map[string]batchPart, known map[string]bool) {
	a, is := answers[r.ID]
	if !is {
		j.report("batch", "response", "request %q is not answered", r.ID)
	}
	for _, other := range r.DependsOn {
		if !known[other] || other == r.ID {
			j.report("batch", "request", "request %q depends on %q, which is not there", r.ID, other)
		}
	}
	outer, err := url.Parse(j.x.URL)
	if err != nil || !strings.HasPrefix(r.URL, "/") {
		j.report("batch", "request", "the address %q does not begin with /", r.URL)
		return
	}
	x := Exchange{
		Method: r.Method, URL: outer.Scheme + "://" + outer.Host + "/" + j.version + r.URL,
		RequestHeader: header(r.Headers), RequestBody: r.Body,
		Status: a.Status, ResponseBody: a.Body, part: true,
	}
	if j.x.ResponseHeader != nil {
		x.ResponseHeader = header(a.Headers)
	}
	if len(r.Body) > 0 && !strings.HasPrefix(x.RequestHeader.Get("Content-Type"), "application/json") {
		j.report("batch", "request", "request %q has a body and no Content-Type", r.ID)
	}
	if !is {
		x.Fault = "not answered"
	}
	j.verdict.Parts = append(j.verdict.Parts, j.c.Judge(x))
}

func header(pairs map[string]string) http.Header {
	h := http.Header{}
	for name, value := range pairs {
		h.Set(name, value)
	}
	return h
}

func unmarshal(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read a batch: %w", err)
	}
	return nil
}
