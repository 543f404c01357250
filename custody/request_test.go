package custody_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/register"
)

func aRequest() custody.Request {
	return custody.Request{Tenant: tidewater, Store: storeID, What: custody.VerbOpen, On: north, Why: "Sign-in fails for everybody, incident 4711", By: "Ana Ribeiro",
		Details: []byte(`{ "b": 1, "a": "é" }`), Register: register.DigestOf(nil), Made: time.Date(2026, 11, 21, 9, 0, 0, 5, time.UTC), Expires: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
}

// fixed is chance that is none, for texts that are compared letter by letter.
func fixed() *bytes.Reader { return bytes.NewReader(make([]byte, 16)) }

func TestARequestHasOneForm(t *testing.T) {
	r, err := custody.NewRequest(fixed(), aRequest())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"request":1,"tenant":"8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b","store":"0123456789abcdef0123456789abcdef","what":"open","on":"ea-north@tidewater.example","why":"Sign-in fails for everybody, incident 4711","details":{"a":"é","b":1},"by":"Ana Ribeiro","register":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","made":"2026-11-21T09:00:00Z","expires":"2026-11-21T10:00:00Z","nonce":"00000000000000000000000000000000"}`
	if got := string(r.Canonical()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r.Hash() != register.DigestOf([]byte(want)) {
		t.Errorf("got %s", r.Hash())
	}
	for name, change := range map[string]func(string) string{
		"a blank":           func(s string) string { return strings.Replace(s, ",", ", ", 1) },
		"an end of line":    func(s string) string { return s + "\n" },
		"another order":     func(s string) string { return strings.Replace(s, `"request":1,`, "", 1)[:len(s)-13] + `,"request":1}` },
		"a key twice":       func(s string) string { return strings.Replace(s, `"on"`, `"on":"x","on"`, 1) },
		"another case":      func(s string) string { return strings.Replace(s, `"on"`, `"On"`, 1) },
		"an unknown key":    func(s string) string { return strings.Replace(s, `"on"`, `"off":1,"on"`, 1) },
		"a version to come": func(s string) string { return strings.Replace(s, `"request":1`, `"request":2`, 1) },
		"an escape":         func(s string) string { return strings.Replace(s, "incident", `\u0069ncident`, 1) },
		"a time elsewhere":  func(s string) string { return strings.Replace(s, "09:00:00Z", "10:00:00+01:00", 1) },
		"details unsorted":  func(s string) string { return strings.Replace(s, `{"a":"é","b":1}`, `{"b":1,"a":"é"}`, 1) },
		"nothing":           func(string) string { return "" },
		"too much":          func(s string) string { return s + strings.Repeat(" ", 1<<17) },
	} {
		if _, err := custody.ParseRequest([]byte(change(want))); !errors.Is(err, custody.ReasonForm) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestARequestSaysEverything(t *testing.T) {
	for name, change := range map[string]func(*custody.Request){
		"no tenant":       func(r *custody.Request) { r.Tenant = "tidewater" },
		"no store":        func(r *custody.Request) { r.Store = "" },
		"no verb":         func(r *custody.Request) { r.What = "" },
		"no object":       func(r *custody.Request) { r.On = " " },
		"no reason":       func(r *custody.Request) { r.Why = "" },
		"nobody":          func(r *custody.Request) { r.By = "" },
		"no register":     func(r *custody.Request) { r.Register = "sha256:" },
		"no end":          func(r *custody.Request) { r.Expires = r.Made },
		"open for ever":   func(r *custody.Request) { r.Expires = r.Made.Add(8 * 24 * time.Hour) },
		"a long reason":   func(r *custody.Request) { r.Why = strings.Repeat("so ", 500) },
		"broken details":  func(r *custody.Request) { r.Details = []byte("{") },
		"heavy details":   func(r *custody.Request) { r.Details = []byte(`"` + strings.Repeat("a", 20<<10) + `"`) },
		"bytes no letter": func(r *custody.Request) { r.On = "a\xff" },
	} {
		r := aRequest()
		change(&r)
		if _, err := custody.NewRequest(rand.Reader, r); !errors.Is(err, custody.ReasonForm) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := custody.NewRequest(bytes.NewReader(nil), aRequest()); err == nil {
		t.Error("a request without chance")
	}
}

func TestAnApprovalHasOneForm(t *testing.T) {
	w := newWorld(t)
	good := string(w.As("ben").Approves(w.As("ana").Requests(custody.VerbOpen, north)).Canonical())
	if a, err := custody.ParseApproval([]byte(good)); err != nil || a.Person != "ben" || string(a.Canonical()) != good {
		t.Fatalf("got %+v, %v", a, err)
	}
	replace := func(a, b string) string { return strings.Replace(good, a, b, 1) }
	for name, bad := range map[string]string{
		"a blank": replace(",", ", "), "a key twice": replace(`"person"`, `"person":"ana","person"`), "another case": replace(`"person"`, `"Person"`), "an unknown key": replace(`"person"`, `"x":1,"person"`),
		"another act": replace(`"approve"`, `"veto"`), "another method": replace(`"ssh"`, `"pgp"`), "nobody": replace(`"ben"`, `" "`), "no hash": replace(`"request":"sha256:`, `"request":"sha512:`),
		"a version to come": replace(`"approval":1`, `"approval":2`), "a time elsewhere": replace("Z\"", "+00:00\""), "two": good + good, "nothing": "", "too much": good + strings.Repeat(" ", 1<<17),
		"a long signature": replace(`"signature":"`, `"signature":"`+strings.Repeat("A", 17<<10)), "no signature": good[:strings.Index(good, `"signature"`)] + `"signature":""}`,
	} {
		if bad == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := custody.ParseApproval([]byte(bad)); !errors.Is(err, custody.ReasonForm) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The text that people sign is the request in plain words.
func TestThePersonReadsWhatTheySign(t *testing.T) {
	r, err := custody.NewRequest(fixed(), aRequest())
	if err != nil {
		t.Fatal(err)
	}
	a := custody.NewApproval(r, custody.ActApprove, "Ben Okoro", register.DigestOf(nil), time.Date(2026, 11, 21, 9, 5, 0, 0, time.UTC))
	want := `halligan approval
I approve this:

what      open: open a sealed credential
on        ea-north@tidewater.example
why       Sign-in fails for everybody, incident 4711
details   {"a":"é","b":1}
by        Ana Ribeiro
tenant    8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b
store     0123456789abcdef0123456789abcdef
made      2026-11-21T09:00:00Z
expires   2026-11-21T10:00:00Z
request   ` + r.Hash() + `

person    Ben Okoro
register  sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
signed    2026-11-21T09:05:00Z
`
	if got := string(a.Text(r)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	asked := custody.NewApproval(r, custody.ActRequest, "Ana Ribeiro", register.DigestOf(nil), r.Made)
	if got := string(asked.Text(r)); !strings.HasPrefix(got, "halligan request\nI ask for this:\n") {
		t.Errorf("got %s", got)
	}
	if len(a.Challenge(r)) != 43 || a.Challenge(r) == asked.Challenge(r) {
		t.Errorf("got %s and %s", a.Challenge(r), asked.Challenge(r))
	}
}

// No field can make a line of its own, and nothing hides.
func TestNothingInARequestHides(t *testing.T) {
	in := aRequest()
	in.On = "a policy\nwhy       routine\u2028\u202egnihton\u200b‹U+0041›"
	in.Why = "раypal asks"
	in.Details = []byte("{\"x\":\"a\u202eb\"}")
	r, err := custody.NewRequest(fixed(), in)
	if err != nil {
		t.Fatal(err)
	}
	shown := r.Shown()
	if !strings.Contains(shown.Text, "on        a policy‹U+000A›why       routine‹U+2028›‹U+202E›gnihton‹U+200B›‹U+2039›U+0041‹U+203A›\n") || !strings.Contains(shown.Text, `{"x":"a\u202eb"}`) {
		t.Errorf("got\n%s", shown.Text)
	}
	if shown.Hash != r.Hash() {
		t.Errorf("got %s", shown.Hash)
	}
	odd := strings.Join(shown.Odd, "\n")
	for _, part := range []string{"on: U+000A cannot be seen", "on: U+202E", "on: U+200B", "why: \"раypal\" mixes Cyrillic and Latin letters and reads like \"paypal\"", "details: U+202E"} {
		if !strings.Contains(odd, part) {
			t.Errorf("%q is missing in\n%s", part, odd)
		}
	}
	if bytes.ContainsAny(r.Canonical(), "\n\u202e\u2028\u200b") {
		t.Errorf("got %s", r.Canonical())
	}
	if again, err := custody.ParseRequest(r.Canonical()); err != nil || again.On != in.On {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestWhatIsVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                  "",
		"Elin Åström":            "",
		"Политика доступа":       "",
		"設定PC policy":            "",
		"Ελλάδα":                 "",
		"a b":                    "",
		"paypal":                 "",
		"раypal":                 "mixes Cyrillic and Latin",
		"ea-nοrth@x.example":     "mixes Greek and Latin",
		"сосо@x.example":         "is of Cyrillic letters and reads like \"coco\"",
		"ｎorth":                  "special form",
		"𝐧orth":                  "special form",
		"e\u0301tat":             "marks apart",
		"ab\u0561":               "Armenian",
		"nor\u00adth":            "U+00AD cannot be seen",
		"a\u00a0b":               "U+00A0 cannot be seen",
		"a\u3164b":               "U+3164 cannot be seen",
		"a\U000e0041b":           "U+E0041 cannot be seen",
		"\u2066a\u2069":          "U+2066 cannot be seen",
		"a\ufe0f":                "U+FE0F cannot be seen",
		"\x1b[31m":               "U+001B cannot be seen",
		strings.Repeat("\a", 20): "and 12 more",
	} {
		got := strings.Join(append(custody.Hidden(text), custody.Alike(text)...), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if shown := custody.Visible(text); len(custody.Hidden(shown)) != 0 {
			t.Errorf("%q is shown as %q", text, shown)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	r, err := custody.NewRequest(fixed(), aRequest())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.Canonical())
	f.Add([]byte(`{"request":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := custody.ParseRequest(text)
		if err != nil {
			if !errors.Is(err, custody.ReasonForm) {
				t.Errorf("got %v", err)
			}
			return
		}
		if !bytes.Equal(r.Canonical(), text) {
			t.Errorf("got\n%s\nwant\n%s", r.Canonical(), text)
		}
		shown := r.Shown()
		if strings.Count(shown.Text, "\n") > 10 || len(custody.Hidden(strings.ReplaceAll(shown.Text, "\n", ""))) > 0 {
			t.Errorf("got %q", shown.Text)
		}
	})
}

func FuzzParseApproval(f *testing.F) {
	w := newWorld(&testing.T{})
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	f.Add(w.As("ben").Approves(ask).Canonical())
	w.As("ben").passkey = newSoftKey(f)
	f.Add(w.As("ben").Approves(ask).Canonical())
	w.person("carol").Signing, w.person("carol").Passkey = "", newSoftKey(f).public(f)
	w.registerIsApproved()
	rules := w.rules()
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := custody.ParseApproval(text)
		if err != nil {
			return
		}
		if !bytes.Equal(a.Canonical(), text) {
			t.Errorf("got\n%s\nwant\n%s", a.Canonical(), text)
		}
		// Whatever it is, judging it does not fall over, as whoever it claims to be.
		for _, name := range []string{"ben", "carol", a.Person} {
			b := *a
			b.Person, b.Request = name, ask.Request.Hash()
			_, _ = rules.Admit(&custody.Pending{Request: ask.Request}, &b)
		}
	})
}

func FuzzSSHSignature(f *testing.F) {
	f.Add(armoured(f, newSigner(f), []byte("text"), custody.Namespace))
	f.Add("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := custody.ParseSSHSignature(text)
		if err == nil && (s == nil || s.PublicKey == nil || s.Signature == nil) {
			t.Errorf("got %+v", s)
		}
	})
}
