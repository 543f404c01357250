package sandbox

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// replyFaults put something in place of an answer (faults 1 to 5, 12, 17).
var replyFaults = []faultKind{
	{1, "throttle", "429 with Retry-After in seconds", []faultVariant{
		{name: "seconds", times: 1, value: "1", reply: tooMany(func(v string) string { return v })},
	}},
	{2, "retry-after", "429 with a Retry-After that is no number of seconds", []faultVariant{
		{name: "date", times: 1, value: "2s", reply: tooManyUntil(time.Second)},
		{name: "past-date", times: 1, value: "2s", reply: tooManyUntil(-time.Second)},
		{name: "negative", times: 1, value: "-5", reply: tooMany(func(v string) string { return v })},
		{name: "zero", times: 1, value: "0", reply: tooMany(func(v string) string { return v })},
		{name: "fractional", times: 1, value: "2.128", reply: tooMany(func(v string) string { return v })},
		{name: "huge", times: 1, value: "1000000000", reply: tooMany(func(v string) string { return v })},
		{name: "garbage", times: 1, value: "soon", reply: tooMany(func(v string) string { return v })},
		{name: "empty", times: 1, reply: tooMany(func(string) string { return "" })},
	}},
	{3, "no-retry-after", "429 without Retry-After, as Conditional Access gives", []faultVariant{
		{name: "conditional-access", times: 1, path: "/identity/conditionalAccess/policies", reply: tooMany(nil)},
		{name: "identity-protection", times: 1, path: "/identityProtection", reply: tooMany(nil)},
	}},
	{4, "throttle-forever", "429 for ever", []faultVariant{
		{name: "with-retry-after", value: "1", reply: tooMany(func(v string) string { return v })},
		{name: "without-retry-after", reply: tooMany(nil)},
	}},
	{5, "server-error", "502, 503, 504 with a page, 500 UnknownError", []faultVariant{
		{name: "503", times: 1, reply: htmlError(503)},
		{name: "502", times: 1, reply: htmlError(502)},
		{name: "504", times: 1, reply: htmlError(504)},
		{name: "500", times: 1, reply: jsonError(500, "UnknownError", "")},
		{name: "503-retry-after", times: 1, value: "1", reply: func(x *exchange) *faultReply {
			return x.when(func() *faultReply {
				reply := x.graphReply(503, "ServiceUnavailable", "The service is temporarily unavailable.")
				reply.header["Retry-After"] = x.fault.Value
				return reply
			})
		}},
	}},
	{12, "redirect", "a redirect to another host", []faultVariant{
		{name: "other-host", value: "302", reply: redirectTo("https://graph.example.net/v1.0/organization")},
		{name: "metadata", value: "302", reply: redirectTo("http://169.254.169.254/metadata/identity/oauth2/token")},
		{name: "plain-http", value: "307", reply: redirectTo("http://{host}{path}")},
		{name: "suffix", value: "308", reply: redirectTo("https://{name}.evil.example:8443{path}")},
	}},
	{17, "permission", "one kind refused, everything refused, no licence", []faultVariant{
		{name: "one-kind", path: "/identity/conditionalAccess", reply: jsonError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")},
		{name: "all", reply: func(x *exchange) *faultReply {
			return x.when(func() *faultReply {
				reply := x.graphReply(401, "InvalidAuthenticationToken", "Access token validation failure.")
				reply.header["WWW-Authenticate"] = `Bearer realm=""`
				return reply
			})
		}},
		{name: "licence", path: "/auditLogs/signIns", reply: jsonError(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
			"Neither tenant is B2C or tenant doesn't have premium license")},
	}},
}

// when makes the reply when the fault strikes.
func (x *exchange) when(make func() *faultReply) *faultReply {
	if !x.strikes() {
		return nil
	}
	return make()
}

// tooMany is a 429; retryAfter writes the header from the fault's value, nil: none.
func tooMany(retryAfter func(string) string) func(*exchange) *faultReply {
	return func(x *exchange) *faultReply {
		return x.when(func() *faultReply {
			reply := x.graphReply(http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Please retry later.")
			if retryAfter != nil {
				reply.header["Retry-After"] = retryAfter(x.fault.Value)
			}
			return reply
		})
	}
}

// tooManyUntil writes a date (RFC 9110 section 10.2.3), ahead or gone by.
func tooManyUntil(sign time.Duration) func(*exchange) *faultReply {
	return func(x *exchange) *faultReply {
		by, err := time.ParseDuration(x.fault.Value)
		if err != nil {
			by = 2 * time.Second
		}
		at := x.s.now().Add(by * (sign / time.Second)).Format(http.TimeFormat)
		return tooMany(func(string) string { return at })(x)
	}
}

func htmlError(status int) func(*exchange) *faultReply {
	return func(x *exchange) *faultReply {
		return x.when(func() *faultReply {
			text := fmt.Sprintf("<!DOCTYPE html><html><head><title>%d %s</title></head><body><h1>%[2]s</h1>{\"value\":[]}<p>%s</p></body></html>",
				status, http.StatusText(status), strings.Repeat("gateway ", 2000))
			return &faultReply{status, map[string]string{"Content-Type": "text/html"}, []byte(text)}
		})
	}
}

func jsonError(status int, code, message string) func(*exchange) *faultReply {
	return func(x *exchange) *faultReply {
		return x.when(func() *faultReply { return x.graphReply(status, code, message) })
	}
}

func redirectTo(target string) func(*exchange) *faultReply {
	return func(x *exchange) *faultReply {
		return x.when(func() *faultReply {
			status := 302
			_, _ = fmt.Sscan(x.fault.Value, &status)
			if status < 300 || status > 399 {
				status = 302
			}
			location := strings.NewReplacer("{host}", x.s.config.Host, "{name}", "localhost", "{path}", x.path).Replace(target)
			return &faultReply{status: status, header: map[string]string{"Location": location}}
		})
	}
}

// bodyFaults break the answer itself (faults 6 to 8).
var bodyFaults = []faultKind{
	{6, "write-lost", "a write is done and its answer is lost", []faultVariant{
		{name: "504", times: 1, whole: lostWrite(htmlError(504))},
		{name: "reset", times: 1, whole: lostWrite(nil)},
		{name: "429", times: 1, value: "1", whole: lostWrite(tooMany(func(v string) string { return v }))},
	}},
	{7, "body", "the body breaks off, drips, never ends, or swells", []faultVariant{
		{name: "reset", whole: brokenBody((*exchange).resetBody)},
		{name: "drip", value: "1s", whole: brokenBody((*exchange).drip)},
		{name: "endless", whole: brokenBody((*exchange).endless)},
		{name: "gzip-bomb", value: "1073741824", whole: brokenBody((*exchange).bomb)},
	}},
	{8, "truncated", "JSON that stops in the middle, with 200", []faultVariant{
		{name: "half", whole: brokenBody(func(x *exchange, got *recording) { got.cut(got.body.Len() / 2); got.send(x.w) })},
		{name: "last-byte", whole: brokenBody(func(x *exchange, got *recording) {
			got.body = *bytes.NewBuffer(bytes.TrimSpace(got.body.Bytes()))
			got.cut(got.body.Len() - 1)
			got.send(x.w)
		})},
		{name: "nothing", whole: brokenBody(func(x *exchange, got *recording) { got.cut(0); got.send(x.w) })},
	}},
}

// lostWrite carries out a write and answers something else; nil resets the
// connection.
func lostWrite(answer func(*exchange) *faultReply) func(*exchange) bool {
	return func(x *exchange) bool {
		if x.method == http.MethodGet || x.method == http.MethodHead || !x.takes() {
			return false
		}
		if got := x.record(); got.status >= 300 { // nothing was done: the truth is kept
			got.send(x.w)
			return true
		}
		if answer == nil {
			panic(http.ErrAbortHandler)
		}
		struck := *x
		struck.page = 1 // counted already
		x.send(answer(&struck))
		return true
	}
}

// brokenBody runs the request and breaks a good answer.
func brokenBody(spoil func(*exchange, *recording)) func(*exchange) bool {
	return func(x *exchange) bool {
		if x.method != http.MethodGet || !x.takes() {
			return false
		}
		got := x.record()
		if got.status >= 300 {
			got.send(x.w)
			return true
		}
		spoil(x, got)
		return true
	}
}

func (g *recording) cut(to int) { g.body.Truncate(max(0, min(to, g.body.Len()))) }

// resetBody sends half and resets the connection.
func (x *exchange) resetBody(got *recording) {
	got.cut(got.body.Len() / 2)
	got.send(x.w)
	_ = http.NewResponseController(x.w).Flush()
	panic(http.ErrAbortHandler)
}

// drip sends one byte a second (or as value says).
func (x *exchange) drip(got *recording) {
	pace, err := time.ParseDuration(x.fault.Value)
	if err != nil {
		pace = time.Second
	}
	body := bytes.Clone(got.body.Bytes())
	got.cut(0)
	got.send(x.w)
	for i := range body {
		if !pauseFor(x.r.Context(), pace) {
			return
		}
		if _, err := x.w.Write(body[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(x.w).Flush()
	}
}

// endless never closes the list: spaces, which JSON allows anywhere, until the
// client goes away.
func (x *exchange) endless(got *recording) {
	got.cut(0)
	_, _ = got.body.WriteString(`{"value":[`)
	got.send(x.w)
	spaces := bytes.Repeat([]byte(" "), 32<<10)
	for x.r.Context().Err() == nil {
		if _, err := x.w.Write(spaces); err != nil {
			return
		}
	}
}

// bomb is a small answer that unpacks to a large one.
func (x *exchange) bomb(got *recording) {
	size := int64(1 << 30)
	_, _ = fmt.Sscan(x.fault.Value, &size)
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Content-Encoding", "gzip")
	x.w.WriteHeader(got.status)
	z := gzip.NewWriter(x.w)
	defer func() { _ = z.Close() }() // the client may have gone
	if _, err := z.Write([]byte(`{"value":[`)); err != nil {
		return
	}
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for sent := int64(0); sent < size; sent += int64(len(spaces)) {
		if _, err := z.Write(spaces); err != nil || x.r.Context().Err() != nil {
			return
		}
	}
	_, _ = z.Write([]byte("]}"))
}
