package app_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

const roomAddress = "https://hooks.example.com/services/T0a1B2c3D4/B9z8Y7x6W5/aB3dE5fG7hJ9kL1mN3pQ5rS7"

// reachable gives the register channels: mail, and a room whose address is in a file.
func reachable(path string) setUp {
	return func(w *world) {
		w.Register.Channels = []register.Channel{
			{Name: "Duty", Kind: "sms", Recipients: []string{"on call"}},
			{Name: "Security mail", Kind: "email", Address: "smtp://relay.example.com:25", Recipients: []string{"security@example.com"}},
			{Name: "Room", Kind: "slack", AddressFile: path, Recipients: []string{"security"}},
		}
	}
}

func written(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "room.url")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// Approvers read who is told. The whole address is inside the file alone: not in the
// request, and nowhere else in the evidence.
func TestTheChannelsOfTheRegisterGoIntoTheFile(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo, reachable(written(t, roomAddress+"\n", 0o600)))
	j := job(t)
	done, err := w.Seal(t.Context(), hash, j)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(done.Task.Announce, "; "); got != "mail to security@example.com via relay.example.com (Security mail); Slack at hooks.example.com (Room)" {
		t.Errorf("whoever seals reads %q", got)
	}
	var details string
	for _, e := range w.entries(evidence.KindRequest, "") {
		details += string(e.Data)
	}
	for _, want := range []string{"hooks.example.com", "relay.example.com", "Security mail", "slack", "security@example.com"} {
		if !strings.Contains(details, want) {
			t.Errorf("the request does not say %s: %s", want, details)
		}
	}
	f, err := app.ReadSealed(j.Out)
	if err != nil {
		t.Fatal(err)
	}
	o, err := seal.Open(f, brought(keys, "ana", "ben"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range o.Announce {
		lines = append(lines, a.Line())
	}
	if got, want := strings.Join(lines, "\n"), "email smtp://relay.example.com:25 to=security@example.com name=Security mail\nslack "+roomAddress+" name=Room"; got != want {
		t.Errorf("inside stands\n%s\nwant\n%s", got, want)
	}
	for _, k := range evidence.Kinds {
		for _, e := range w.entries(k.Kind, "") {
			if text, err := json.Marshal(e); err != nil || bytes.Contains(text, []byte("aB3dE5fG7hJ9kL1mN3pQ5rS7")) {
				t.Errorf("the address of the room stands in the evidence, kind %s (%v)", k.Kind, err)
			}
		}
	}
}

func TestAnAddressThatChangedAfterTheApprovalIsNotSealed(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	path := written(t, roomAddress, 0o600)
	w, hash := agreed(t, keys, pairOfTwo, reachable(path))
	if err := os.WriteFile(path, []byte("https://hooks.eve.example/a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Seal(t.Context(), hash, job(t)); err == nil || !strings.Contains(err.Error(), "does not say any more what was approved") {
		t.Errorf("got %v", err)
	}
}

func TestAnAddressThatCannotBeReadIsToldBeforeAnybodyApproves(t *testing.T) {
	for name, c := range map[string]struct{ path, want string }{
		"not there":        {filepath.Join(t.TempDir(), "gone"), "addressFile"},
		"others read it":   {written(t, roomAddress, 0o644), "others can read it (mode 0644)"},
		"not a whole path": {"room.url", "is no whole path"},
		"empty":            {written(t, "\n", 0o600), "holds no address"},
		"not encrypted":    {written(t, "http://hooks.example.com/a", 0o600), "the address is not encrypted"},
		"two":              {written(t, roomAddress+"\n"+roomAddress, 0o600), "letters"},
		"too long":         {written(t, strings.Repeat("a", 3<<10), 0o600), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := map[string]*age.X25519Identity{}
			w := begun(t, holding(keys, "ana", "ben"), reachable(c.path))
			_, err := w.As("ana").wishes(pairOfTwo)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"Room"`) || strings.Contains(err.Error(), "aB3dE5fG7h") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMoreChannelsThanFitAreToldBeforeAnybodyApproves(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w := begun(t, holding(keys, "ana", "ben"), func(w *world) {
		for i := range 9 {
			w.Register.Channels = append(w.Register.Channels, register.Channel{Name: fmt.Sprint("room ", i), Kind: "webhook", Address: "https://hooks.example.com/a"})
		}
	})
	if _, err := w.As("ana").wishes(pairOfTwo); err == nil || !strings.Contains(err.Error(), "9 channels of the register have an address; a sealed file names at most 8") {
		t.Errorf("got %v", err)
	}
}

// What is told is who, what, when and why, and not the name to sign in with.
func TestWhatIsToldOfAnOpening(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		mu.Lock()
		heard = append(heard, string(text))
		mu.Unlock()
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	f := &seal.File{Digest: "sha256:" + strings.Repeat("ab", 32), Manifest: seal.Manifest{Label: "account 1", What: "the password"}}
	inside := &seal.Opened{Account: northName, Set: "0001020304050607", Openers: []string{"Ana Weiss", "Ben Ode"}, Altered: []string{"the manifest is not the one that was sealed"}}
	o := app.OpeningOf(f, inside, time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), "drill of November", "os:ana@desk")
	var results []app.Told
	for r := range app.AnnounceOpening(t.Context(), o, []seal.Announce{{Kind: "webhook", Address: server.URL + "/a"}, {Kind: "pigeon", Address: "roof"}, {Kind: "teams", Address: server.URL + "/b"}}, roots) {
		results = append(results, r)
	}
	if len(results) != 3 || len(heard) != 2 {
		t.Fatalf("got %+v, heard %q", results, heard)
	}
	not := 0
	for _, r := range results {
		if r.Why != nil {
			not++
			if !strings.Contains(r.Why.Error(), "this version does not know channels of this kind") {
				t.Errorf("got %v", r.Why)
			}
		}
	}
	if not != 1 {
		t.Errorf("%d were not told", not)
	}
	for _, text := range heard {
		for _, want := range []string{"the password of account 1", "Ana Weiss, Ben Ode", "drill of November", "2026-11-21T09:00:00Z", "os:ana＠desk", "0001020304050607", strings.Repeat("ab", 32), "not signed", "the manifest is not the one", `"severity":"alarm"`} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %q: %s", want, text)
			}
		}
		if strings.Contains(text, "ea-north") || strings.Contains(text, "tidewater") {
			t.Errorf("it tells the name to sign in with: %s", text)
		}
	}
}

// The evidence knows who was told of an opening.
func TestWhoWasToldStandsInTheEvidence(t *testing.T) {
	w := begun(t)
	o := w.opening("drill")
	index, err := w.RecordTold(t.Context(), o, []app.Told{{Channel: "Slack at hooks.example.com", Who: []string{"hooks.example.com"}, At: w.now, Answer: "200 OK: ok\x1b[2J", Tries: 2}, {Channel: "mail to a@example.com via relay.example.com", Why: fmt.Errorf("it did not answer in time")}})
	if err != nil {
		t.Fatal(err)
	}
	all := w.entries(evidence.KindAnnounced, "")
	var d struct {
		Told []struct {
			Channel, Answer string
			Who             []string
			At              time.Time
			Tries           int
		}
	}
	if len(all) == 1 {
		must(t, json.Unmarshal(all[0].Data, &d))
	}
	if len(d.Told) != 1 || d.Told[0].Channel != "Slack at hooks.example.com" || len(d.Told[0].Who) != 1 || !d.Told[0].At.Equal(w.now) || !strings.HasPrefix(d.Told[0].Answer, "200 OK: ok") || strings.Contains(d.Told[0].Answer, "\x1b") || d.Told[0].Tries != 2 {
		t.Errorf("the receipt: %+v", d)
	}
	if len(all) != 1 || all[0].Index != index || all[0].Subject != o.File || !strings.Contains(string(all[0].Data), "it did not answer in time") {
		t.Errorf("got %+v", all)
	}
}

// The other side may answer with the address at which it was asked; the evidence has none.
func TestAnAnswerThatRepeatsTheAddressIsNotKept(t *testing.T) {
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/refused") {
			w.WriteHeader(http.StatusForbidden)
		}
		if strings.HasPrefix(r.URL.Path, "/long") {
			fmt.Fprint(w, strings.Repeat("-", 180))
		}
		fmt.Fprint(w, "posted to "+r.URL.Path)
	}))
	t.Cleanup(hook.Close)
	roots := x509.NewCertPool()
	roots.AddCert(hook.Certificate())
	w := begun(t)
	for path, want := range map[string]string{"/services/hidden-part": "(it repeats the address)", "/long/hidden-part-cut-off": "(it repeats the address)", "/": "posted to /"} {
		for told := range app.AnnounceOpening(t.Context(), w.opening("drill"), []seal.Announce{{Kind: "webhook", Address: hook.URL + path}}, roots) {
			if told.Why != nil || !strings.Contains(told.Answer, want) || strings.Contains(told.Answer, "hidden") || told.At.IsZero() || told.Tries != 1 {
				t.Errorf("%s: %+v", path, told)
			}
		}
	}
	for told := range app.AnnounceOpening(t.Context(), w.opening("drill"), []seal.Announce{{Kind: "webhook", Address: hook.URL + "/refused/hidden-part"}}, roots) {
		if told.Why == nil || strings.Contains(told.Why.Error(), "hidden") || hintIn(told.Why) == "" {
			t.Errorf("a refusal: %+v", told)
		}
	}
}

// Words of ours may stand in an address, too: what is wrong is told all the same. What
// the other side repeats is not.
func TestWhatIsWrongIsToldWhateverWordsTheAddressHas(t *testing.T) {
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/moved"):
			w.Header().Set("Location", "https://hidden-part.example.com/")
			w.WriteHeader(http.StatusMovedPermanently)
		case strings.HasSuffix(r.URL.Path, "/broken"):
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "no such "+r.URL.Path+"\r\n\r\n")
				_ = c.Close()
			}
		case strings.HasSuffix(r.URL.Path, "/long"):
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, strings.Repeat("-", 170)+r.URL.Path)
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "go away")
		}
	}))
	t.Cleanup(hook.Close)
	roots := x509.NewCertPool()
	roots.AddCert(hook.Certificate())
	w := begun(t)
	for _, c := range []struct{ address, says string }{
		{hook.URL + "/webhook/answers", "it answers 403: go away"},
		{hook.URL + "/security/connections", "it answers 403: go away"},
		{"https://127.0.0.1:1/webhook/connections", "nothing takes connections there"},
		{hook.URL + "/hidden-part/moved", "it answers with its address, which is not repeated"},
		{hook.URL + "/hidden-part/broken", "it answers with its address, which is not repeated"},
		{hook.URL + "/" + strings.Repeat("hidden", 10) + "/long", "it answers with its address, which is not repeated"},
	} {
		for told := range app.AnnounceOpening(t.Context(), w.opening("drill"), []seal.Announce{{Kind: "webhook", Address: c.address, Name: "Security room"}}, roots) {
			if told.Why == nil || !strings.Contains(told.Why.Error(), c.says) || !strings.Contains(told.Why.Error(), "webhook at 127.0.0.1 (Security room)") || strings.Contains(told.Why.Error(), "hidden") || hintIn(told.Why) == "" {
				t.Errorf("%s: %v", c.address, told.Why)
			}
		}
	}
}
