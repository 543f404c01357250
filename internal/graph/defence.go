package graph

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Defence names one thing that the client does against a server, a network or a
// neighbour gone wrong. The numbers are those of the faults it stands against.
type Defence string

// The defences. A Config without any in Without has them all.
const (
	DefenceRetryAfter Defence = "a Retry-After is obeyed"                     // 1
	DefenceClamp      Defence = "a strange Retry-After is clamped"            // 2
	DefenceLanes      Defence = "a throttled family is paced"                 // 3
	DefenceTime       Defence = "requests, lists and attempts end in time"    // 4, 7
	DefenceRetry      Defence = "a read that failed for a moment is repeated" // 5, 16
	DefenceWriteOnce  Defence = "a write is sent once"                        // 6
	DefenceSize       Defence = "an answer has a largest size"                // 7
	DefenceWhole      Defence = "a broken answer is no empty one"             // 8
	DefenceForm       Defence = "an error or no list is no empty list"        // 9
	DefenceSome       Defence = "what no tenant is without cannot be none"    // 9
	DefenceLoops      Defence = "pages that go in a circle are noticed"       // 10
	DefencePages      Defence = "a list has a largest number of pages"        // 10, 21
	DefenceLinks      Defence = "links lead to the configured host only"      // 11
	DefenceRedirects  Defence = "redirects are not followed"                  // 12
	DefenceOnce       Defence = "an item that comes twice is one"             // 13
	DefenceCount      Defence = "items are compared with the count, or twice" // 13
	DefenceTenant     Defence = "answers and tokens are of the tenant"        // 14, 24
	DefenceIdentity   Defence = "an object is the one that was asked for"     // 14
	DefenceBatch      Defence = "parts of a batch are told apart by id"       // 16
	DefenceUnknown    Defence = "what could not be read is unknown"           // 4, 5, 7, 17, 18
	DefenceSettle     Defence = "a change is read back until it shows"        // 18, 19
	DefenceAgree      Defence = "several reads agree before it is undone"     // 19
	DefenceChange     Defence = "a change during the reading is noticed"      // 20
	DefenceRenew      Defence = "a token that ended is renewed"               // 22
	DefenceReuse      Defence = "one token serves many requests"              // 22
	DefenceRenewOnce  Defence = "a refused token is renewed once"             // 23
	DefenceHold       Defence = "one sign-in at a time, and a failure holds"  // 24
	DefenceAudience   Defence = "a token is for this cloud"                   // 25
)

// has reports whether a defence is on.
func (c *Client) has(d Defence) bool { return !c.config.Without[d] }

// sleep waits, or does what the test wants in its place.
func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.config.Sleep != nil {
		return c.config.Sleep(ctx, d)
	}
	return sleep(ctx, d)
}

// emptyList is what a careless client would take for an answer.
var emptyList = json.RawMessage(`{"value":[]}`)

// learn lets a lane know what came.
func (c *Client) learn(l *lane, t turn, status int, h http.Header) {
	if c.has(DefenceLanes) {
		l.leave(t, status, h)
	}
}

// within bounds a context in time.
func (c *Client) within(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	if !c.has(DefenceTime) {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, cause)
}

// atMost bounds a body in size; one byte more than may be shows that it is larger.
func (c *Client) atMost(body io.Reader) io.Reader {
	if !c.has(DefenceSize) {
		return body
	}
	return io.LimitReader(body, c.limits.Body+1)
}

// bare is a Retry-After taken at its word.
func bare(value string) time.Duration {
	seconds, _ := strconv.ParseFloat(value, 64)
	return time.Duration(seconds * float64(time.Second))
}
