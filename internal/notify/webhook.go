package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// posted is the one JSON that a webhook gets. Whatever shows Slack's incoming webhooks,
// Mattermost among them, shows text; a program reads halligan.
type posted struct {
	Text     string `json:"text"`
	Halligan strict `json:"halligan"`
}

// strict is the message for programs: all keys are always there. Its texts are as
// they are, in letters that can be seen; whoever shows them must form nothing of them.
type strict struct {
	Version  int       `json:"version"`
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Severity Severity  `json:"severity"`
	Title    string    `json:"title"`
	Text     string    `json:"text"`
	Fields   []Field   `json:"fields"`
}

func (m *Message) strict() strict {
	fields := m.Fields
	if fields == nil {
		fields = []Field{}
	}
	return strict{1, m.ID, m.At.UTC().Truncate(time.Second), m.Severity, m.Title, m.Text, fields}
}

func plainBody(m *Message) any { return posted{m.lines(), m.strict()} }

// judge reports whether a successful answer says that the message was taken.
type judge func(body string) bool

func anyAnswer(string) bool { return true }

// answersOK is how Slack and Mattermost answer: with the word ok, and with another
// text where they did not take it.
func answersOK(body string) bool { return strings.TrimSpace(body) == "ok" }

const bodyShown = 2 << 10 // bytes of an answer that are read

// posting tells by POST.
func posting(body func(*Message) any, taken judge) func(context.Context, *Sender, *Channel, *Message, []string) ([]string, string, error) {
	return func(ctx context.Context, s *Sender, c *Channel, m *Message, _ []string) ([]string, string, error) {
		text, err := json.Marshal(body(m))
		if err != nil {
			return nil, "", err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Address, bytes.NewReader(text))
		if err != nil {
			return nil, "", errors.New("the address is none")
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", "halligan")
		client := &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport:     &http.Transport{Proxy: nil, DialContext: s.dialer(ctx), TLSClientConfig: s.tls(c.Host()), ForceAttemptHTTP2: true, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 16 << 10},
		}
		resp, err := client.Do(req)
		if err != nil {
			if of, is := errors.AsType[*url.Error](err); is {
				err = of.Err // without the address
			}
			return nil, "", err
		}
		defer resp.Body.Close()
		said, readErr := io.ReadAll(io.LimitReader(resp.Body, bodyShown))
		answer := fmt.Sprintf("%d %s", resp.StatusCode, said)
		if err := judged(resp, string(said), readErr, taken); err != nil {
			return nil, "", err
		}
		return []string{c.Host()}, answer, nil
	}
}

// again are answers after which another try may end otherwise (RFC 9110 15).
var again = map[int]bool{http.StatusRequestTimeout: true, http.StatusTooEarly: true, http.StatusTooManyRequests: true}

func judged(resp *http.Response, said string, readErr error, taken judge) error {
	code := resp.StatusCode
	switch {
	case code >= 300 && code < 400:
		to, host := "", ""
		if at, err := resp.Location(); err == nil {
			host = at.Hostname()
			to = " to " + host
		}
		return &setback{said: host, why: fmt.Sprintf("it answers with a redirect%s (%d), which is not followed", to, code), hint: "seal anew with the address at which the receiver is now", final: true}
	case code < 200 || code >= 300:
		return &setback{said: said, why: fmt.Sprintf("it answers %d: %s", code, said), hint: "the receiver may have been taken away, or its address changed", final: !again[code] && code < 500}
	case !taken(said) && readErr != nil:
		return &setback{why: "its answer broke off"}
	case !taken(said):
		return &setback{said: said, why: fmt.Sprintf("it answers %d and does not say that it took it: %s", code, said), hint: "the receiver may have been taken away, or its address changed"}
	}
	return nil
}
