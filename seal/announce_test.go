package seal_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"

	"halligan/seal"
)

var twoChannels = []seal.Announce{
	{Kind: "email", Address: "smtp://relay.example.com:25", To: []string{"security@example.com", "cio@example.com"}, From: "halligan@example.com", Name: "Security mail, to=all"},
	{Kind: "webhook", Address: "https://hooks.example.com/services/T0/B0/x?a=b&c=%2Fd"},
}

// announcing is a plan of a file whose opening is told.
func announcing(t testing.TB, form seal.Form, people ...*person) *seal.Plan {
	p := plan(t, form, 2, people...)
	p.Announce = twoChannels
	return p
}

func TestWhoIsToldStandsInsideOfEveryForm(t *testing.T) {
	ana, ben, carl := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), classic(t, "Carl Roe")
	for form, secrets := range map[seal.Form][]string{seal.FormPair: {theSecret}, seal.FormShares: {theSecret}, seal.FormHalves: {"one", "two"}} {
		t.Run(string(form), func(t *testing.T) {
			s := sealed(t, announcing(t, form, ana, ben, carl), secrets...)
			for _, hidden := range []string{"hooks.example.com", "relay.example.com", "announce", "security@"} {
				if bytes.Contains(s.Bytes, []byte(hidden)) {
					t.Errorf("%q can be read without opening the file", hidden)
				}
			}
			o, err := seal.Open(parsed(t, s), []seal.Key{ana.key(), ben.key()}, nil)
			must(t, err)
			if !reflect.DeepEqual(o.Announce, twoChannels) || len(o.Faulty) > 0 {
				t.Errorf("got %+v, %q", o.Announce, o.Faulty)
			}
		})
	}
}

// byHand opens the file of a pair as stock age does.
func byHand(t testing.TB, s *seal.Sealed, first, second *person) string {
	t.Helper()
	data := member(t, s, s.Manifest.Pairs[0].File)
	for _, p := range []*person{second, first} {
		in, err := age.Decrypt(bytes.NewReader(data), p.identity)
		must(t, err)
		data, err = io.ReadAll(in)
		must(t, err)
	}
	return string(data)
}

// altered is the file with another text inside, as somebody can make it who knows the
// public keys.
func altered(t testing.TB, s *seal.Sealed, text string, first, second *person) *seal.File {
	t.Helper()
	data := []byte(text)
	for _, p := range []*person{first, second} {
		var b bytes.Buffer
		r, err := seal.ParseRecipient(p.public)
		must(t, err)
		w, err := age.Encrypt(&b, r)
		must(t, err)
		_, err = w.Write(data)
		must(t, err)
		must(t, w.Close())
		data = b.Bytes()
	}
	all := unpack(t, s.Bytes)
	for i := range all {
		if all[i].name == s.Manifest.Pairs[0].File {
			all[i].data = data
		}
	}
	f, err := seal.Parse(pack(t, all, zip.Store))
	must(t, err)
	return f
}

func TestWhoeverOpensByHandReadsWhomToTell(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	s := sealed(t, announcing(t, seal.FormPair, ana, ben), theSecret)
	text := byHand(t, s, ana, ben)
	want := "announce: email smtp://relay.example.com:25 to=security@example.com,cio@example.com from=halligan@example.com name=Security mail, to=all\n" +
		"announce: webhook https://hooks.example.com/services/T0/B0/x?a=b&c=%2Fd\nsecret:\n" + theSecret + "\n"
	if !strings.HasSuffix(text, want) {
		t.Errorf("got %q", text)
	}
}

// Nothing that is wrong with whom to tell keeps the holders from their secret.
func TestAFaultyListOfChannelsIsToldAndOpens(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	s := sealed(t, announcing(t, seal.FormPair, ana, ben), theSecret)
	text := byHand(t, s, ana, ben)
	good := "announce: webhook https://hooks.example.com/a\n"
	for name, c := range map[string]struct {
		lines       string
		told, wrong int
	}{
		"none":                     {"", 0, 0},
		"one":                      {good, 1, 0},
		"a kind of later":          {"announce: pigeon roof-3 name=Roof\n", 1, 0},
		"no address":               {"announce: webhook\n" + good, 1, 1},
		"an empty one":             {"announce: \n" + good, 1, 1},
		"a blank too many":         {"announce: webhook  https://hooks.example.com/a\n", 0, 1},
		"another order":            {"announce: email smtp://a from=a@b to=c@d\n", 0, 1},
		"twice to":                 {"announce: email smtp://a to=a@b to=c@d\n", 0, 1},
		"too many recipients":      {"announce: email smtp://a to=" + strings.Repeat("a@b,", 16) + "a@b\n", 0, 1},
		"letters that hide":        {"announce: webhook https://hooks.example.com/a name=a\u202eb\n", 0, 1},
		"no UTF-8":                 {"announce: webhook https://hooks.example.com/\xff\n", 0, 1},
		"a line that is too long":  {"announce: webhook https://hooks.example.com/" + strings.Repeat("a", 4096) + "\n", 0, 1},
		"more than eight":          {strings.Repeat(good, 12), 8, 1},
		"a carriage return inside": {"announce: email smtp://a to=a@b\rBcc:c@d\n", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			head, _, _ := strings.Cut(text, "announce: ")
			o, err := seal.Open(altered(t, s, head+c.lines+"secret:\n"+theSecret+"\n", ana, ben), []seal.Key{ana.key(), ben.key()}, nil)
			must(t, err)
			if string(o.Secret.Reveal()) != theSecret || len(o.Announce) != c.told || len(o.Faulty) != c.wrong {
				t.Errorf("got %+v, %q", o.Announce, o.Faulty)
			}
		})
	}
	for _, head := range []string{"announce: webhook https://a\n", strings.Replace(text, "what: ", "announce: webhook https://a\nwhat: ", 1)} {
		_, err := seal.Open(altered(t, s, head, ana, ben), []seal.Key{ana.key(), ben.key()}, nil)
		refused(t, err, seal.ReasonPayload)
	}
}

func TestWhoCannotBeToldIsNotSealed(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	for name, a := range map[string][]seal.Announce{
		"no kind":             {{Address: "https://a"}},
		"a blank inside":      {{Kind: "webhook", Address: "https://a b"}},
		"a line break":        {{Kind: "webhook", Address: "https://a\nsecret:"}},
		"a recipient of two":  {{Kind: "email", Address: "smtp://a", To: []string{"a@b,c@d"}}},
		"a name that hides":   {{Kind: "webhook", Address: "https://a", Name: "a\u202eb"}},
		"an address too long": {{Kind: "webhook", Address: "https://" + strings.Repeat("a", 4096)}},
		"nine":                make([]seal.Announce, 9),
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, seal.FormPair, 2, ana, ben)
			p.Announce = a
			refused(t, p.Check(), seal.ReasonPlan)
		})
	}
}

// The kinds on the page are those of the register, which a test of notify holds to
// those that can be sent.
func TestThePageTellsOfAnnouncements(t *testing.T) {
	page, err := os.ReadFile(formatPage)
	must(t, err)
	for _, want := range []string{"`announce:`", "at most 8", "4096 bytes", "` to=`", "` from=`", "` name=`"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	if !regexp.MustCompile("(?m)^announce: KIND ADDRESS").Match(page) {
		t.Error("the text inside is shown without announcements")
	}
}

func FuzzParseAnnounce(f *testing.F) {
	for _, a := range twoChannels {
		f.Add(a.Line())
	}
	f.Add("pigeon roof name= from=")
	ana, ben := classic(f, "Ana Weiss"), classic(f, "Ben Ode")
	s := sealed(f, plan(f, seal.FormPair, 2, ana, ben), theSecret)
	head, _, _ := strings.Cut(byHand(f, s, ana, ben), "secret:\n")
	f.Fuzz(func(t *testing.T, line string) {
		a, err := seal.ParseAnnounce(line)
		if err == nil && a.Line() != line {
			t.Errorf("%q comes back as %q", line, a.Line())
		}
		if strings.Contains(line, "\n") {
			return
		}
		o, openErr := seal.Open(altered(t, s, fmt.Sprintf("%sannounce: %s\nsecret:\n%s\n", head, line, theSecret), ana, ben), []seal.Key{ana.key(), ben.key()}, nil)
		if openErr != nil || string(o.Secret.Reveal()) != theSecret || len(o.Announce)+len(o.Faulty) != 1 || (err == nil) != (len(o.Announce) == 1) {
			t.Errorf("%q: %+v %v", line, o, openErr)
		}
	})
}
