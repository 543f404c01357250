package seal_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"halligan/seal"
)

const formatPage = "../docs/sealed-format.md"

// counting is chance of which everybody knows what comes: 0, 1, 2, …
func counting() *bytes.Reader {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return bytes.NewReader(all)
}

// The vectors on the page are those of the program; -update writes them.
func TestDocsAreCurrent(t *testing.T) {
	p := plan(t, seal.FormShares, 2, onPaper("Ana Weiss"), onPaper("Ben Ode"), onPaper("Carl Roe"))
	s, err := seal.Seal(counting(), p, secret(theSecret))
	must(t, err)
	var b strings.Builder
	var shares []*seal.Share
	for _, paper := range s.Papers {
		fmt.Fprintf(&b, "share %d  %s\n", paper.Number, paper.QR.Reveal())
		one, err := seal.ParseShare(paper.Words)
		must(t, err)
		shares = append(shares, one)
	}
	fmt.Fprintf(&b, "\nshare 1 as words:\n")
	for i, row := range strings.Split(string(s.Papers[0].Words.Reveal()), "\n") {
		fmt.Fprintf(&b, "%d  %s\n", i+1, row)
	}
	key, err := seal.Join(shares[1:])
	must(t, err)
	fmt.Fprintf(&b, "\nkey        %s\nrecipient  %s\n", key.Reveal(), s.Manifest.Recipient)

	text, err := os.ReadFile(formatPage)
	must(t, err)
	const begin, end = "<!-- vectors -->\n", "<!-- end -->"
	head, rest, found := strings.Cut(string(text), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("the page has no place for the vectors")
	}
	want := head + begin + "```\n" + b.String() + "```\n" + end + tail
	if *update {
		must(t, os.WriteFile(formatPage, []byte(want), 0o644))
	} else if want != string(text) {
		t.Errorf("%s is stale: run go test ./seal -update", formatPage)
	}
}

// What the page says of limits and names is so.
func TestThePageHasTheMembersAndKeysOfAFile(t *testing.T) {
	page, err := os.ReadFile(formatPage)
	must(t, err)
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	p := plan(t, seal.FormShares, 2, ana, ben, onPaper("Carl Roe"))
	p.Voided, p.Marks = []seal.Void{{Set: "0123456789abcdef", On: "2026-12-01", Holders: []string{"Ana Weiss"}}}, []string{"one person"}
	s := sealed(t, p, theSecret)
	pair := sealed(t, plan(t, seal.FormPair, 2, ana, ben), theSecret)
	for _, manifest := range [][]byte{member(t, s, "manifest.json"), member(t, pair, "manifest.json")} {
		for line := range strings.Lines(string(manifest)) {
			key, _, is := strings.Cut(strings.TrimSpace(line), `": `)
			key = strings.TrimPrefix(key, `"`)
			if is && !strings.Contains(string(page), "`"+key+"`") {
				t.Errorf("the page does not tell of the key %q", key)
			}
		}
	}
	for _, m := range unpack(t, s.Bytes) {
		if !strings.HasSuffix(m.name, ".age") && !strings.Contains(string(page), "`"+m.name+"`") {
			t.Errorf("the page does not tell of the member %s", m.name)
		}
	}
}
