package graph

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
)

// failure is one attempt that did not succeed.
type failure struct {
	err       *Error
	header    http.Header // of the answer; nil without one
	sent      bool        // it may have reached Graph
	again     bool        // a read may be sent again
	challenge bool        // 401 with claims: azcore has tried a new token already
	token     string      // that it was sent with
	fatal     error       // returned as it is, instead of err
}

// send carries out one request to an address of ours: wait for the turn, try,
// judge, wait, try again. A first failure may come from a batch.
func (c *Client) send(ctx context.Context, r Request, target string, first *failure) (*Answer, error) {
	ctx, cancel := c.within(ctx, c.limits.Operation, nil)
	defer cancel()
	lane := c.lanes.lane(r.Family, c.config.Tenant)
	failed, renewed := first, false
	var before *Error // why this is not the first attempt
	for attempt := 1; ; attempt++ {
		if failed == nil {
			var answer *Answer
			if answer, failed = c.attempt(context.WithValue(ctx, firstKey{}, !renewed), lane, r, target); failed == nil {
				return answer, nil
			}
		}
		if failed.fatal != nil {
			return nil, failed.fatal
		}
		if before != nil && failed.err.Kind == KindDeadline && failed.err.Status == 0 {
			// Time was up, and what used it up is the reason.
			before.RetryReason += "; " + failed.err.Message
			failed.err = before
			failed.again = false
		}
		failed.err.Attempts = attempt
		if failed.err.Status == http.StatusUnauthorized && (!failed.challenge && !renewed || !c.has(DefenceRenewOnce)) && c.has(DefenceRenew) {
			// The token may have ended a moment ago. A 401 was not carried out,
			// so one more attempt with a new token is safe for writes as well; the
			// old one is forgotten already (refusals). A part of a batch does
			// not know its token: it is asked once more as it is.
			renewed, failed = failed.token != "" || attempt > 1, nil
			continue
		}
		if !r.reads() && c.has(DefenceWriteOnce) {
			failed.err.Unsure = failed.sent && doubtful(failed.err)
			return nil, failed.err
		}
		wait, reason, again := c.judge(failed, attempt)
		failed.err.RetryReason = cmp.Or(reason, failed.err.RetryReason)
		if !again {
			return nil, failed.err
		}
		if deadline, set := ctx.Deadline(); set && wait >= time.Until(deadline) && c.has(DefenceTime) {
			failed.err.RetryReason = strings.TrimPrefix(reason+"; no time is left for that", "; ")
			return nil, failed.err
		}
		c.observe(Event{What: "waiting", Operation: r.Operation, Family: r.Family, Status: failed.err.Status, Wait: wait, Reason: reason})
		if err := c.sleep(ctx, wait); err != nil {
			failed.err.RetryReason += "; stopped while waiting"
			failed.err.cause = err
			return nil, failed.err
		}
		c.again.Add(1)
		before, failed = failed.err, nil
	}
}

// doubtful reports whether a write that failed like this may have been carried
// out all the same: no answer, an answer we could not read, a 5xx, or a 429,
// which is known to be sent after the work was done.
func doubtful(e *Error) bool {
	return e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status >= 500 || e.Status == http.StatusRequestTimeout ||
		e.Status/100 == 2
}

// judge says whether a read is sent again, after how long, and why.
func (c *Client) judge(f *failure, attempt int) (wait time.Duration, reason string, again bool) {
	if !f.again || !c.has(DefenceRetry) {
		return 0, "", false
	}
	throttled := f.err.Status == http.StatusTooManyRequests
	if !throttled && attempt >= c.limits.Attempts {
		return 0, fmt.Sprintf("given up after %d attempts", attempt), false
	}
	own := backoff(attempt, c.chance())
	if throttled && c.has(DefenceClamp) {
		own = max(own, floorWait)
	}
	if f.header == nil || f.header.Get("Retry-After") == "" || !c.has(DefenceRetryAfter) {
		if throttled {
			return own, "slow down without a Retry-After", true
		}
		return own, f.err.Message, true
	}
	told, note := retryAfter(f.header.Get("Retry-After"), dateOf(f.header, c.config.Now()))
	if !c.has(DefenceClamp) {
		return bare(f.header.Get("Retry-After")), note, true
	}
	if told == 0 {
		return max(own, floorWait), note, true
	}
	return told, note, true
}

// backoff doubles from half a second to at most 16 s, with up to a quarter of
// jitter so that many clients do not come back together.
func backoff(attempt int, chance float64) time.Duration {
	base := min(500*time.Millisecond<<min(attempt-1, 10), 16*time.Second)
	return base + time.Duration(chance*float64(base)/4)
}

// chance returns a number in [0,1).
func (c *Client) chance() float64 {
	var b [2]byte
	if _, err := io.ReadFull(c.config.Rand, b[:]); err != nil {
		return 0.5
	}
	return float64(int(b[0])<<8|int(b[1])) / (math.MaxUint16 + 1)
}

// newID returns a random id in the form of a GUID.
func (c *Client) newID() string {
	var b [16]byte
	if _, err := io.ReadFull(c.config.Rand, b[:]); err != nil {
		return ""
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt waits for the lane and a seat, then sends once.
func (c *Client) attempt(ctx context.Context, l *lane, r Request, target string) (*Answer, *failure) {
	turn, err := l.enter(ctx, c, func(wait time.Duration, reason string) {
		c.observe(Event{What: "waiting", Operation: r.Operation, Family: r.Family, Wait: wait, Reason: reason})
	})
	if err != nil {
		return nil, &failure{err: c.noTime(r, err, "waiting for the turn of "+l.rule.Lane)}
	}
	select {
	case c.seats <- struct{}{}:
		defer func() { <-c.seats }()
	case <-ctx.Done():
		return nil, &failure{err: c.noTime(r, context.Cause(ctx), "waiting for other requests")}
	}
	if err := l.depart(ctx, c, turn); err != nil {
		return nil, &failure{err: c.noTime(r, err, "waiting for the turn of "+l.rule.Lane)}
	}
	start := time.Now()
	answer, failed := c.once(ctx, r, target)
	l.arrive()
	event := Event{What: "answered", Operation: r.Operation, Family: r.Family, Took: time.Since(start)}
	if failed == nil {
		event.Status = answer.Status
		c.learn(l, turn, answer.Status, answer.Header)
		c.charge(answer.Header)
	} else {
		event.What = "failed"
		if failed.err != nil {
			event.Status, event.Reason = failed.err.Status, failed.err.Message
			c.learn(l, turn, failed.err.Status, failed.header)
			c.charge(failed.header)
		}
	}
	c.observe(event)
	return answer, failed
}

func (c *Client) noTime(r Request, cause error, during string) *Error {
	return &Error{Operation: r.Operation, Kind: KindDeadline, Permission: r.Permission, Message: "time was up " + during, cause: cause}
}

func (c *Client) observe(e Event) {
	if c.config.Observe != nil {
		c.config.Observe(e)
	}
}

// charge adds up the resource units that Graph says an answer cost
// (graph-docs "Microsoft Graph service-specific throttling limits").
func (c *Client) charge(h http.Header) {
	if n, err := strconv.Atoi(h.Get("X-Ms-Resource-Unit")); err == nil && n > 0 && n < 1000 {
		c.units.Add(int64(n))
	}
}

// once sends the request one time and reads the answer within the limits.
func (c *Client) once(ctx context.Context, r Request, target string) (*Answer, *failure) {
	ctx, cancel := c.within(ctx, c.limits.Attempt, ErrTooSlow)
	defer cancel()
	out := new(atomic.Bool)
	ctx = context.WithValue(ctx, outKey{}, out)
	req, err := runtime.NewRequest(ctx, r.Method, target)
	if err != nil {
		return nil, &failure{fatal: fmt.Errorf("%s: %w", r.Operation, err)}
	}
	runtime.SkipBodyDownload(req) // azcore would read it without a limit, as it does with refusals (doer)
	header := req.Raw().Header
	for name, values := range r.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	header.Set("Accept", "application/json")
	header.Set("User-Agent", c.config.UserAgent)
	header.Set("Client-Request-Id", c.newID())
	if r.Eventual {
		header.Set("ConsistencyLevel", "eventual")
	}
	if r.Body != nil {
		if err := req.SetBody(streaming.NopCloser(bytes.NewReader(r.Body)), "application/json"); err != nil {
			return nil, &failure{fatal: fmt.Errorf("%s: %w", r.Operation, err)}
		}
	}
	c.attempts.Add(1)
	resp, err := c.ends[r.Version].pipe.Do(req)
	if err != nil {
		failed := c.lost(ctx, r, err)
		if !out.Load() && failed.err != nil && failed.err.Kind == KindDeadline {
			failed.err.Message = "time was up while waiting for a token of the sign-in service"
		}
		failed.sent = failed.sent && out.Load()
		return nil, failed
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(c.atMost(resp.Body))
	if resp.StatusCode == http.StatusTooManyRequests {
		c.throttled.Add(1)
	}
	if err == nil && int64(len(body)) > c.limits.Body && c.has(DefenceSize) {
		return nil, &failure{sent: true, header: resp.Header, err: &Error{
			Operation: r.Operation, Status: resp.StatusCode, Kind: KindCut, Permission: r.Permission, RequestID: requestID(resp.Header),
			Message: fmt.Sprintf("the answer is larger than %d bytes", c.limits.Body), cause: ErrTooLarge,
		}}
	}
	if err != nil && resp.StatusCode/100 == 2 {
		f := c.lost(ctx, r, err)
		f.header = resp.Header
		return nil, f
	}
	answer, failed := c.read(r, resp.StatusCode, resp.Header, body)
	if failed != nil && resp.Request != nil { // azcore sends a copy of ours
		failed.token = strings.TrimPrefix(resp.Request.Header.Get("Authorization"), "Bearer ")
	}
	return answer, failed
}

// lost makes a failure of a request that got no answer, or half of one.
func (c *Client) lost(ctx context.Context, r Request, err error) *failure {
	if refused, is := errors.AsType[*SecurityError](err); is {
		own := *refused // the sign-in gives the same one to all that wait for it
		own.Operation = r.Operation
		return &failure{fatal: &own}
	}
	if signIn := signInError(r.Operation, err); signIn != nil {
		return &failure{fatal: signIn}
	}
	e := &Error{Operation: r.Operation, Kind: KindUnavailable, Permission: r.Permission, Message: clean(plainCause(err), maxMessage), cause: err}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, ErrTooSlow):
		e.Message, e.cause = fmt.Sprintf("no whole answer in %s", c.limits.Attempt), ErrTooSlow
		e.Kind = KindDeadline
	case cause != nil:
		e.Kind, e.Message, e.cause = KindDeadline, "time was up before the answer", cause
	}
	return &failure{err: e, sent: !neverSent(err), again: ctx.Err() == nil || errors.Is(cause, ErrTooSlow)}
}

// neverSent reports whether the connection was not even made.
func neverSent(err error) bool {
	if op, is := errors.AsType[*net.OpError](err); is && op.Op == "dial" {
		return true
	}
	return isCertificate(err)
}

// plainCause leaves out the address, which may hold a filter with names.
func plainCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		if strings.Contains(err.Error(), "\": ") { // *url.Error: Get "https://...": why
			err = inner
			continue
		}
		return err.Error()
	}
}

func requestID(h http.Header) string { return clean(h.Get("Request-Id"), 64) }

// read judges an answer.
func (c *Client) read(r Request, status int, header http.Header, body []byte) (*Answer, *failure) {
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf"))
	if status/100 == 3 && c.has(DefenceRedirects) {
		return nil, &failure{fatal: &SecurityError{Operation: r.Operation,
			Why: fmt.Sprintf("answered with a redirect (%d) to %s, which is not followed", status, hostFor(header.Get("Location")))}}
	}
	if status/100 != 2 {
		return nil, c.refusal(r, status, header, body)
	}
	fail := func(message string, cause error, again bool) (*Answer, *failure) {
		return nil, &failure{sent: true, header: header, again: again, err: &Error{
			Operation: r.Operation, Status: status, Kind: KindMalformed, Permission: r.Permission,
			Message: message, RequestID: requestID(header), cause: cause,
		}}
	}
	if !c.has(DefenceWhole) && r.reads() && !json.Valid(body) {
		body = emptyList
	}
	switch {
	case len(body) == 0 && (status == http.StatusNoContent || status == http.StatusAccepted || !r.reads()):
		return &Answer{Status: status, Header: header}, nil
	case len(body) == 0:
		return fail("an empty answer where an object was due", ErrTruncated, true)
	case !json.Valid(body) && looksLikeJSON(body):
		return fail(fmt.Sprintf("%d bytes of JSON that end too early or are broken", len(body)), ErrTruncated, true)
	case !json.Valid(body):
		return fail(describe(header, body), ErrNotJSON, true)
	}
	if inner := errorIn(body); inner != nil && c.has(DefenceForm) {
		a, f := fail(inner.Message, ErrErrorInside, false)
		f.err.Code = inner.Code
		return a, f
	}
	return &Answer{Status: status, Header: header, Body: body}, nil
}

// refusal makes a failure of an answer that is no success.
func (c *Client) refusal(r Request, status int, header http.Header, body []byte) *failure {
	e := &Error{Operation: r.Operation, Status: status, Permission: r.Permission, RequestID: requestID(header)}
	if inner := errorIn(body); inner != nil {
		e.Code, e.Message = inner.Code, inner.Message
		if e.RequestID == "" {
			e.RequestID = inner.RequestID
		}
	} else if len(body) > 0 {
		e.Message = describe(header, body)
	}
	e.Kind = kindOfStatus(status, e.Code, e.Message)
	return &failure{
		err: e, header: header, sent: true,
		again:     status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 && status != http.StatusNotImplemented,
		challenge: strings.Contains(header.Get("Www-Authenticate"), "claims="),
	}
}

// graphError is what an error's body says.
type graphError struct{ Code, Message, RequestID string }

// errorIn finds the error in a body; nil when there is none.
func errorIn(body []byte) *graphError {
	if !bytes.HasPrefix(body, []byte("{")) || !bytes.Contains(body, []byte(`"error"`)) {
		return nil
	}
	var outer map[string]json.RawMessage
	if json.Unmarshal(body, &outer) != nil {
		return nil
	}
	raw, present := outer["error"]
	if !present || string(raw) == "null" {
		return nil
	}
	var e struct {
		Code       string `json:"code"`
		Message    string `json:"message"`
		InnerError struct {
			RequestID string `json:"request-id"`
		} `json:"innerError"`
	}
	if json.Unmarshal(raw, &e) != nil {
		var text string // error: "text", as token endpoints have it
		if json.Unmarshal(raw, &text) != nil {
			return &graphError{Message: "an error of unknown form"}
		}
		return &graphError{Code: clean(text, 80)}
	}
	return &graphError{Code: clean(e.Code, 80), Message: clean(e.Message, maxMessage), RequestID: clean(e.InnerError.RequestID, 64)}
}

func looksLikeJSON(body []byte) bool {
	return len(body) > 0 && (body[0] == '{' || body[0] == '[' || body[0] == '"')
}

// describe says what came instead of JSON. The text itself stays out: it may be
// a proxy's page, with names and addresses of somebody's network.
func describe(header http.Header, body []byte) string {
	kind := clean(strings.Split(header.Get("Content-Type"), ";")[0], 60)
	if kind == "" {
		kind = "something without a content type"
	}
	return fmt.Sprintf("answered with %s of %d bytes instead of JSON", kind, len(body))
}
