package graph

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxParts is how many requests one envelope may hold (graph-docs "Combine
// multiple requests in one HTTP call using JSON batching").
const maxParts = 20

// Result is what one request of a batch brought.
type Result struct {
	Answer *Answer // nil when Err is set or the request is Paged
	List   *List   // of a Paged request; incomplete when Err is set
	Err    error
}

// Batch sends requests in as few envelopes as possible and returns their results
// in the order of the requests. A part that fails for a moment is sent again
// alone if it is a read. Requests of a lane that is paced go alone as well: an
// envelope would throttle itself.
func (c *Client) Batch(ctx context.Context, requests []Request) []Result {
	results := make([]Result, len(requests))
	envelopes := map[Version][]part{}
	var alone []part
	for i, r := range requests {
		checked, err := c.checkRequest(r)
		if err != nil {
			results[i].Err = err
			continue
		}
		p := part{at: i, r: checked}
		if (checked.Version != V1 && checked.Version != Beta) || c.lanes.lane(checked.Family, c.config.Tenant).isPaced() {
			alone = append(alone, p)
			continue
		}
		envelopes[checked.Version] = append(envelopes[checked.Version], p)
	}
	var wg sync.WaitGroup
	for version, parts := range envelopes {
		for group := range slices.Chunk(parts, maxParts) {
			wg.Go(func() { c.envelope(ctx, version, group, results) })
		}
	}
	for _, p := range alone {
		wg.Go(func() { results[p.at] = c.single(ctx, p.r, nil, nil) })
	}
	wg.Wait()
	return results
}

// part is one request of an envelope, and where its result belongs.
type part struct {
	at int
	r  Request
}

// batchRequest and batchResponse are the forms of JSON batching.
type batchRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

type batchResponse struct {
	ID      json.RawMessage            `json:"id"`
	Status  int                        `json:"status"`
	Headers map[string]json.RawMessage `json:"headers"`
	Body    json.RawMessage            `json:"body"`
}

// envelope sends up to 20 parts and sees to each of them.
func (c *Client) envelope(ctx context.Context, version Version, parts []part, results []Result) {
	outer, err := seal(version, parts)
	if err != nil {
		for _, p := range parts {
			results[p.at].Err = err
		}
		return
	}
	answer, err := c.send(ctx, outer, c.ends[version].base+c.ends[version].prefix+"/$batch", nil)
	if err != nil {
		c.noEnvelope(ctx, version, parts, results, err)
		return
	}
	answers, err := openEnvelope(answer.Body, len(parts), c.has(DefenceBatch))
	var wg sync.WaitGroup
	for i, p := range parts {
		first, failed := c.judgePart(p.r, answers[i], answer.Header, err)
		wg.Go(func() { results[p.at] = c.single(ctx, p.r, first, failed) })
	}
	wg.Wait()
}

// seal puts parts into an envelope. It may be sent again only if every part may.
func seal(version Version, parts []part) (Request, error) {
	outer := Request{Operation: fmt.Sprintf("send %d requests in a batch", len(parts)), Method: http.MethodPost,
		Version: version, Path: "/$batch", Family: FamilyOther, Read: true}
	var envelope struct {
		Requests []batchRequest `json:"requests"`
	}
	for i, p := range parts {
		b := batchRequest{ID: strconv.Itoa(i + 1), Method: p.r.Method, URL: p.r.relative(), Body: p.r.Body, Headers: map[string]string{}}
		for name := range p.r.Header {
			b.Headers[name] = p.r.Header.Get(name)
		}
		if p.r.Eventual {
			b.Headers["ConsistencyLevel"] = "eventual"
		}
		if p.r.Body != nil {
			b.Headers["Content-Type"] = "application/json"
		}
		outer.Read = outer.Read && p.r.reads()
		envelope.Requests = append(envelope.Requests, b)
	}
	var err error
	if outer.Body, err = json.Marshal(envelope); err != nil {
		return outer, fmt.Errorf("%s: %w", outer.Operation, err)
	}
	return outer, nil
}

// noEnvelope sees to the parts of an envelope that brought no answers. When the
// envelope itself was refused, it is halved: one part may be too large or not
// allowed, and the others have done nothing wrong.
func (c *Client) noEnvelope(ctx context.Context, version Version, parts []part, results []Result, err error) {
	e, is := err.(*Error)
	refused := is && (e.Status == http.StatusBadRequest || e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusRequestURITooLong) ||
		is && e.Kind == KindCut && !e.Unsure
	switch {
	case refused && len(parts) > 1 && c.has(DefenceBatch):
		half := len(parts) / 2
		c.envelope(ctx, version, parts[:half], results)
		c.envelope(ctx, version, parts[half:], results)
	case refused && c.has(DefenceBatch):
		results[parts[0].at] = c.single(ctx, parts[0].r, nil, nil)
	default:
		for _, p := range parts {
			results[p.at].Err = c.asPart(p.r, err)
		}
	}
}

// asPart makes the failure of an envelope that of a part of it.
func (c *Client) asPart(r Request, err error) error {
	e, is := err.(*Error)
	if !is {
		return err
	}
	own := *e
	own.Operation, own.Permission = r.Operation, r.Permission
	own.Unsure = e.Unsure && !r.reads()
	return &own
}

// openEnvelope finds the answer to each of n parts by its id. What does not
// belong to exactly one part is not used: a part answered twice has no answer.
func openEnvelope(body []byte, n int, byID bool) ([]*batchResponse, error) {
	answers := make([]*batchResponse, n)
	var envelope struct {
		Responses []batchResponse `json:"responses"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Responses == nil {
		return answers, ErrNoValue
	}
	if !byID { // as they came
		for i := range min(n, len(envelope.Responses)) {
			answers[i] = &envelope.Responses[i]
		}
		return answers, nil
	}
	twice := map[int]bool{}
	for _, r := range envelope.Responses {
		id, err := strconv.Atoi(strings.Trim(string(r.ID), `"`))
		if err != nil || id < 1 || id > n || strconv.Itoa(id) != strings.Trim(string(r.ID), `"`) {
			continue // never asked
		}
		if answers[id-1] != nil {
			twice[id-1] = true
		}
		answers[id-1] = &r
	}
	for i := range twice {
		answers[i] = nil
	}
	return answers, nil
}

// judgePart turns the answer to a part into what a request of its own would have
// brought.
func (c *Client) judgePart(r Request, b *batchResponse, outer http.Header, broken error) (*Answer, *failure) {
	if b == nil || broken != nil || b.Status < 100 || b.Status > 599 {
		return nil, &failure{sent: true, again: true, err: &Error{Operation: r.Operation, Kind: KindMalformed, Permission: r.Permission,
			Message: "the batch has no answer to this part, or two", RequestID: requestID(outer), cause: ErrMissingPart}}
	}
	header := http.Header{}
	for name, raw := range b.Headers {
		var value string
		if json.Unmarshal(raw, &value) == nil {
			header.Set(name, value)
		} else {
			header.Set(name, clean(string(raw), 80)) // a number
		}
	}
	if header.Get("Request-Id") == "" {
		header.Set("Request-Id", requestID(outer))
	}
	if header.Get("Date") == "" {
		header.Set("Date", outer.Get("Date"))
	}
	answer, failed := c.read(r, b.Status, header, c.partBody(header, b.Body))
	if failed != nil && b.Status == http.StatusFailedDependency {
		failed.again = true // another part failed, not this one
	}
	if failed != nil && failed.err != nil {
		c.learn(c.lanes.lane(r.Family, c.config.Tenant), turn{}, failed.err.Status, header)
	}
	return answer, failed
}

// partBody undoes the ways in which a batch carries a body: JSON as it is, and
// anything else as a string, in base64 when it is binary.
func (c *Client) partBody(header http.Header, body json.RawMessage) []byte {
	if string(body) == "null" {
		return nil
	}
	if !c.has(DefenceBatch) {
		return body
	}
	var text string
	if !bytes.HasPrefix(body, []byte(`"`)) || json.Unmarshal(body, &text) != nil {
		return body
	}
	if json.Valid([]byte(text)) {
		return []byte(text)
	}
	if plain, err := base64.StdEncoding.DecodeString(text); err == nil && json.Valid(bytes.TrimPrefix(plain, []byte("\xef\xbb\xbf"))) {
		return plain
	}
	if strings.HasPrefix(header.Get("Content-Type"), "application/json") {
		return []byte(text) // JSON that is cut off: let the reader say so
	}
	return body
}

// single finishes a part: with the answer it has, or on its own.
func (c *Client) single(ctx context.Context, r Request, answer *Answer, failed *failure) Result {
	if answer == nil {
		var err error
		if answer, err = c.send(ctx, r, c.address(r), failed); err != nil {
			return Result{Err: err}
		}
	}
	if !r.Paged {
		return Result{Answer: answer}
	}
	list, err := c.pages(ctx, r, c.address(r), answer)
	return Result{List: &list, Err: err}
}
