package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/internal/notify"
	"halligan/register"
)

func TestMain(m *testing.M) {
	notify.Hurry()
	os.Exit(m.Run())
}

var at = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func message() *notify.Message {
	return &notify.Message{ID: "0102030405060708", Title: "account 1 was opened", Text: "Ask those who opened it.", Severity: notify.SeverityAlarm, At: at,
		Fields: []notify.Field{{Name: "who", Value: "Ana Weiss, Ben Ode"}}}
}

// A kind that the register takes and nobody can send, or the other way round, would
// show only in an emergency.
func TestTheRegisterAndTheTableHaveTheSameKinds(t *testing.T) {
	var want []string
	for _, k := range register.ChannelKinds {
		want = append(want, k.Name)
	}
	if got := notify.Kinds(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, the register has %v", got, want)
	}
	page, err := os.ReadFile("../../docs/sealed-format.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range want {
		if !strings.Contains(string(page), "`"+k+"`") {
			t.Errorf("docs/sealed-format.md does not tell of %s", k)
		}
	}
}

// Every kind, whatever the other side does.
func TestEveryKind(t *testing.T) {
	all := notify.Kinds()
	web := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return k == "email" })
	strict := []string{"slack", "mattermost"}
	for _, c := range []struct {
		how   manner
		kinds []string
		tries int
		why   string // "" it is told
	}{
		{takes, all, 1, ""},
		{busy, all, 2, ""},
		{refuses, web, 1, "it answers 410: no_service‹U+001B›[2J"},
		{refuses, []string{"email"}, 1, "no mail for security@example.com, cio@example.com: the relay answers"},
		{shrugs, []string{"webhook", "teams"}, 1, ""},
		{shrugs, strict, 3, "it answers 200 and does not say that it took it: invalid_token"},
		{floods, []string{"webhook", "teams"}, 1, ""}, // it said 200
		{floods, []string{"email"}, 1, "it answered more than a receiver does"},
		{hangsUp, all, 3, ""},
		{redirects, web, 1, "it answers with a redirect to evil.example (307), which is not followed"},
	} {
		for _, kind := range c.kinds {
			t.Run(kind+" "+string(c.how), func(t *testing.T) {
				t.Parallel()
				s := other(t, kind, c.how)
				r, err := (&notify.Sender{Roots: s.roots}).Send(t.Context(), &s.channel, message())
				if c.why == "" && c.how != hangsUp {
					if err != nil || r.Tries != c.tries || len(r.Told) == 0 || r.Answer == "" || r.At.IsZero() {
						t.Errorf("got %+v, %v", r, err)
					}
					return
				}
				wrong, is := errors.AsType[*notify.Error](err)
				if !is || wrong.Hint() == "" || !strings.Contains(wrong.Why, c.why) || r.Tries != c.tries || len(r.Told) > 0 {
					t.Errorf("got %+v, %v", r, err)
				}
				if err != nil && (strings.Contains(err.Error(), "hidden-part") || strings.Contains(err.Error(), "\x1b")) {
					t.Errorf("the error tells the address, or hidden letters: %v", err)
				}
			})
		}
	}
}

func TestAnOtherSideThatHangsHoldsNobodyUp(t *testing.T) {
	for _, kind := range notify.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := other(t, kind, hangs)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := (&notify.Sender{Roots: s.roots}).Send(ctx, &s.channel, message())
			if took := time.Since(began); took > 3*time.Second || err == nil || !strings.Contains(err.Error(), "did not answer in time") {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
}

// Ctrl-C ends it at once, not at a deadline.
func TestWhoeverSkipsIsNotHeldUp(t *testing.T) {
	for _, kind := range notify.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := other(t, kind, hangs)
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error, 1)
			go func() {
				_, err := (&notify.Sender{Roots: s.roots}).Send(ctx, &s.channel, message())
				result <- err
			}()
			<-s.begun
			cancel()
			if err := <-result; err == nil || !strings.Contains(err.Error(), "skipped") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestACertificateThatNobodyBelievesGetsNothing(t *testing.T) {
	for _, kind := range notify.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := other(t, kind, takes)
			if kind == "email" {
				s = &side{done: make(chan struct{}), channel: notify.Channel{Kind: kind}}
				s.relay(t, takes, true)
			}
			r, err := (&notify.Sender{}).Send(t.Context(), &s.channel, message())
			if err == nil || r.Tries != 1 || !strings.Contains(err.Error(), "certificate is not one that this machine believes") || strings.Contains(s.all(), "account 1") {
				t.Errorf("got %+v %v, it heard %q", r, err, s.all())
			}
		})
	}
}

// A relay elsewhere is spoken to in TLS, from the first byte or by STARTTLS.
func TestMailGoesThroughTLS(t *testing.T) {
	for name, c := range map[string]struct {
		address   string
		encrypted bool
		told      int
		why       string
	}{
		"from the first byte":          {"smtps://example.com", true, 2, ""},
		"by STARTTLS":                  {"smtp://example.com", false, 2, ""},
		"a certificate of another":     {"smtp://example.org", false, 0, "its certificate is of another name"},
		"of another, from the first":   {"smtps://example.org", true, 0, "its certificate is of another name"},
		"this machine itself, without": {"smtp://localhost", false, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &side{done: make(chan struct{}), channel: notify.Channel{Kind: "email"}}
			s.relay(t, takes, c.encrypted)
			sender := &notify.Sender{Roots: s.roots}
			_, to, _ := strings.Cut(s.channel.Address, "://")
			sender.LeadTo(to)
			s.channel.Address = c.address
			r, err := sender.Send(t.Context(), &s.channel, message())
			if len(r.Told) != c.told || (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %+v %v", r, err)
			}
			heard := s.all()
			over, mail := strings.Index(heard, "[TLS]"), strings.Index(heard, "MAIL FROM")
			if started := over >= 0; started != (name == "by STARTTLS") && c.why == "" || c.told > 0 && over > mail {
				t.Errorf("it heard %q", heard)
			}
		})
	}
}

// One recipient whom the relay does not know keeps no mail from the others.
func TestOneWrongRecipientKeepsNoMailFromTheOthers(t *testing.T) {
	s := other(t, "email", shrugs)
	r, err := (&notify.Sender{Roots: s.roots}).Send(t.Context(), &s.channel, message())
	if err == nil || !strings.Contains(err.Error(), "no mail for cio@example.com: the relay answers") || !slices.Equal(r.Told, []string{"security@example.com"}) || !strings.Contains(r.Answer, "4711") {
		t.Errorf("got %+v, %v", r, err)
	}
}

// Nobody who has a mail gets another.
func TestASecondTryIsForThoseWithoutAMail(t *testing.T) {
	s := other(t, "email", partly)
	r, err := (&notify.Sender{Roots: s.roots}).Send(t.Context(), &s.channel, message())
	if err != nil || r.Tries != 2 || !slices.Equal(r.Told, s.channel.To) || strings.Count(s.all(), "RCPT TO:<security@") != 1 || strings.Count(s.all(), "RCPT TO:<cio@") != 2 {
		t.Errorf("got %+v %v, it heard %q", r, err, s.all())
	}
}

// A second try carries the id of the first.
func TestASecondTryIsKnownAsOne(t *testing.T) {
	for _, kind := range notify.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := other(t, kind, busy)
			if _, err := (&notify.Sender{Roots: s.roots}).Send(t.Context(), &s.channel, message()); err != nil {
				t.Fatal(err)
			}
			want := 2 // requests
			if got := strings.Count(s.all(), "0102030405060708"); got != want {
				t.Errorf("the id is there %d times, want %d: %s", got, want, s.all())
			}
		})
	}
}

func TestAWebhookGetsOneJSON(t *testing.T) {
	s := other(t, "webhook", takes)
	if _, err := (&notify.Sender{Roots: s.roots}).Send(t.Context(), &s.channel, message()); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(s.all(), "\r\n\r\n")
	body = body[strings.Index(body, "{") : strings.LastIndex(body, "}")+1]
	const want = `{"text":"account 1 was opened\n\nAsk those who opened it.\n\nwho: Ana Weiss, Ben Ode\n","halligan":{"version":1,"id":"0102030405060708","at":"2026-11-21T09:30:00Z","severity":"alarm","title":"account 1 was opened","text":"Ask those who opened it.","fields":[{"name":"who","value":"Ana Weiss, Ben Ode"}]}}`
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

// hostile is a message of which others have written every part.
func hostile() *notify.Message {
	const text = "<!channel> <!here|x> @everyone @channel <@U123> ~town-square #tag [a](https://evil.example) <https://evil.example|b> www.evil.example evil.example *b* `c` \u202e\x1b[2J"
	return &notify.Message{ID: "x", Title: text + "\r\nBcc: eve@evil.example\r\n\r\nbody", Text: text, Severity: notify.SeverityAlarm, At: at,
		Fields: []notify.Field{{Name: text, Value: text + "\n.\nQUIT\n"}, {Name: "long", Value: strings.Repeat("ä", 100_000)}}}
}

// shownText is what a person is shown of what was sent.
func shownText(t *testing.T, kind, heard string) string {
	t.Helper()
	if kind == "email" {
		_, rest, _ := strings.Cut(heard, "DATA\r\n")
		raw, _, _ := strings.Cut(rest, "\r\n.\r\n")
		m, err := mail.ReadMessage(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.Get("Bcc") != "" || len(m.Header["To"]) != 1 || strings.Count(heard, "RCPT TO") != 2 {
			t.Errorf("somebody else was put into the head of the mail: %q", heard)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			t.Fatal(err)
		}
		return subject + "\n" + string(body)
	}
	_, body, _ := strings.Cut(heard, "\r\n\r\n")
	var sent struct {
		Text        string
		Attachments []struct {
			Content struct {
				Body []struct{ Inlines []struct{ Text string } }
			}
		}
	}
	if err := json.NewDecoder(strings.NewReader(body[strings.Index(body, "{"):])).Decode(&sent); err != nil {
		t.Fatal(err)
	}
	text := sent.Text
	for _, a := range sent.Attachments {
		for _, b := range a.Content.Body {
			for _, i := range b.Inlines {
				text += i.Text + "\n"
			}
		}
	}
	return text
}

func TestNothingThatOthersWroteIsActedUpon(t *testing.T) {
	for _, kind := range notify.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := other(t, kind, takes)
			if _, err := (&notify.Sender{Roots: s.roots}).Send(t.Context(), &s.channel, hostile()); err != nil {
				t.Fatal(err)
			}
			if got := len(s.all()); got > 64<<10 {
				t.Errorf("%d bytes were sent", got)
			}
			text := shownText(t, kind, s.all())
			if !strings.Contains(text, "everyone") {
				t.Fatalf("got %q", text)
			}
			for _, acts := range []string{"<", ">", "@", "&", "[", "](", "://", "~", "#", "`", "www.e", "evil.e", "\x1b", "\u202e"} {
				if strings.Contains(text, acts) {
					t.Errorf("%q stands in %q", acts, text)
				}
			}
		})
	}
}

func TestAddressesThatAreNoneAreRefusedBeforeAnythingIsSent(t *testing.T) {
	for name, c := range map[string]notify.Channel{
		"a kind of later":    {Kind: "pigeon", Address: "roof"},
		"no address":         {Kind: "webhook"},
		"not encrypted":      {Kind: "webhook", Address: "http://192.0.2.1/a"},
		"another scheme":     {Kind: "webhook", Address: "file:///etc/passwd"},
		"no recipients":      {Kind: "email", Address: "smtp://127.0.0.1:1"},
		"a recipient of two": {Kind: "email", Address: "smtp://127.0.0.1:1", To: []string{"a@b.example,c@d.example"}},
		"a header":           {Kind: "email", Address: "smtp://127.0.0.1:1", To: []string{"a@b.example\r\nBcc: c@d.example"}},
		"a sender of two":    {Kind: "email", Address: "smtp://127.0.0.1:1", To: []string{"a@b.example"}, From: "<a@b.example> SIZE=1"},
		"a password":         {Kind: "email", Address: "smtp://a:b@127.0.0.1:1", To: []string{"a@b.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := (&notify.Sender{}).Send(t.Context(), &c, message())
			wrong, is := errors.AsType[*notify.Error](err)
			if !is || r.Tries != 0 || wrong.Hint() == "" || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("got %+v %v", r, err)
			}
		})
	}
}

func TestWhereANameMayLead(t *testing.T) {
	for _, c := range []struct {
		host, to string
		good     bool
	}{
		{"hooks.example.com", "192.0.2.7:443", true}, {"hooks.example.com", "[2001:db8::7]:443", true},
		{"relay.corp.example", "10.1.2.3:25", true}, {"relay.corp.example", "192.168.7.8:25", true}, {"relay.corp.example", "[fd00::1]:25", true},
		{"localhost", "127.0.0.1:25", true}, {"127.0.0.1", "127.0.0.1:25", true}, {"::1", "[::1]:25", true},
		{"rebound.example.com", "127.0.0.1:443", false}, {"rebound.example.com", "[::1]:443", false}, {"rebound.example.com", "[::ffff:127.0.0.1]:443", false},
		{"metadata.example.com", "169.254.169.254:443", false}, {"169.254.169.254", "169.254.169.254:443", false}, {"x.example", "[fe80::1]:443", false},
		{"x.example", "0.0.0.0:443", false}, {"x.example", "[::]:443", false}, {"x.example", "224.0.0.1:443", false},
	} {
		if err := notify.Allowed(c.host, c.to); (err == nil) != c.good {
			t.Errorf("%s at %s: %v", c.host, c.to, err)
		}
	}
}

func TestAMachineWithoutANetworkSaysSo(t *testing.T) {
	c := notify.Channel{Kind: "webhook", Address: "https://127.0.0.1:1/a"}
	r, err := (&notify.Sender{}).Send(t.Context(), &c, message())
	if err == nil || r.Tries != 3 || !strings.Contains(err.Error(), "nothing takes connections there (3 tries)") {
		t.Errorf("got %+v %v", r, err)
	}
}

func FuzzInert(f *testing.F) {
	f.Add("a.example <!here> @x [a](b)")
	f.Fuzz(func(t *testing.T, text string) {
		got := notify.Inert(text)
		if strings.ContainsAny(got, "<>@&[]~#`|*\\") || strings.Contains(got, "://") {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}
