package seal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"io"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/seal"
)

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

func rawShare(t testing.TB, s custody.Secret) []byte {
	t.Helper()
	body, is := strings.CutPrefix(string(s.Reveal()), "HALLIGAN-SHARE-1:")
	raw, err := letters.DecodeString(body)
	if !is || err != nil {
		t.Fatal(err)
	}
	return raw
}

func codeOf(raw []byte) custody.Secret {
	return secret("HALLIGAN-SHARE-1:" + letters.EncodeToString(raw))
}

// The examples of the paper: addresses of four bytes are two words.
func TestWordsAreThoseOfThePaper(t *testing.T) {
	for want, data := range map[string][]byte{
		"lusab babad": {127, 0, 0, 1}, "gutih tugad": {63, 84, 220, 193}, "gutuk bisog": {63, 118, 7, 35}, "mudof sakat": {140, 98, 193, 141}, "natag lisaf": {147, 67, 119, 2},
	} {
		rows, err := seal.Words(data)
		if err != nil || len(rows) != 1 || !strings.HasPrefix(rows[0], want+" ") {
			t.Errorf("%v: got %q, %v, want %q", data, rows, err, want)
		}
	}
}

func TestWordsComeBack(t *testing.T) {
	for n := 1; n <= 100; n++ {
		data := make([]byte, n)
		must(t, chance(data))
		if n%3 == 0 {
			data[n-1] = 0
		}
		rows, err := seal.Words(data)
		must(t, err)
		for how, text := range map[string]string{"rows": strings.Join(rows, "\n"), "one line": strings.Join(rows, " "), "capitals, dashes": strings.ToUpper(strings.ReplaceAll(strings.Join(rows, "\r\n"), " ", "-")), "numbered": "1. " + strings.Join(rows, "\n")} {
			got, err := seal.ParseWords(text)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes, %s: %v, got %x, want %x", n, how, err, got, data)
			}
		}
	}
}

func chance(b []byte) error { _, err := io.ReadFull(rand.Reader, b); return err }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every letter of a page, mistyped in every way: the row is named, and wherever one
// letter alone can be meant, that one.
func TestAMistypedLetterIsNamed(t *testing.T) {
	raw := make([]byte, 48)
	must(t, chance(raw))
	rows, err := seal.Words(raw)
	must(t, err)
	named, all := 0, 0
	for r, row := range rows {
		for at := range row {
			if row[at] == ' ' {
				continue
			}
			for _, typed := range "abcdefghijklmnopqrstuvwxyz" {
				if byte(typed) == row[at] {
					continue
				}
				page := append([]string{}, rows...)
				page[r] = row[:at] + string(typed) + row[at+1:]
				_, err := seal.ParseWords(strings.Join(page, "\n"))
				e, is := errors.AsType[*seal.TypedError](err)
				if !is || e.Row != r+1 {
					t.Fatalf("row %d %q: %v", r+1, page[r], err)
				}
				all++
				if e.Instead != "" {
					named++
					if e.Word != at/6+1 || e.Letter != at%6+1 || e.Instead != row[at:at+1] {
						t.Fatalf("row %d %q: %v, want word %d letter %d %c", r+1, page[r], err, at/6+1, at%6+1, row[at])
					}
				} else if e.Word != 0 && (e.Word != at/6+1 || e.Letter != at%6+1) {
					t.Fatalf("row %d %q: %v", r+1, page[r], err)
				}
			}
		}
	}
	if named*100 < all*97 {
		t.Errorf("the letter is named in %d of %d", named, all)
	}
}

func TestRowsInAnotherOrderAreNamed(t *testing.T) {
	raw := make([]byte, 48)
	must(t, chance(raw))
	rows, err := seal.Words(raw)
	must(t, err)
	rows[2], rows[5] = rows[5], rows[2]
	_, err = seal.ParseWords(strings.Join(rows, "\n"))
	refused(t, err, seal.ReasonTyped, "row 3", "this is row 6")
	for what, text := range map[string]string{"a word is missing": "lusab babad lusab\nlusab babad lusab babad", "a word is short": "lusab baba lusab babad\nlusab babad", "nothing": " \n ", "far too much": strings.Repeat("lusab ", 2000), "other letters": "łusab babad babad babad"} {
		if _, err := seal.ParseWords(text); err == nil {
			t.Errorf("%s was read", what)
		}
	}
}

func TestMadeSecretsHaveNoLookAlikes(t *testing.T) {
	for _, a := range seal.Alphabets {
		seen := map[byte]int{}
		for range 200 {
			s, err := seal.Make(rand.Reader, &a, 40)
			must(t, err)
			text := string(s.Reveal())
			for _, kind := range a.Kinds {
				if !strings.ContainsAny(text, kind) {
					t.Errorf("%s lacks one of %s", a.Name, kind)
				}
			}
			for i := range len(text) {
				seen[text[i]]++
			}
		}
		if want := len(strings.Join(a.Kinds, "")); len(seen) != want {
			t.Errorf("%s: %d letters were used of %d", a.Name, len(seen), want)
		}
		for _, b := range []byte("0OoQ1lI|B8S5") {
			if a.Name == "letters" && seen[b] > 0 && b != 'Q' {
				t.Errorf("%c is used", b)
			}
		}
		least, most := 8000, 0
		for _, n := range seen {
			least, most = min(least, n), max(most, n)
		}
		if most > least*3 {
			t.Errorf("%s: one letter %d times, another %d", a.Name, least, most)
		}
	}
	for _, length := range []int{0, 5, 257} {
		if _, err := seal.Make(rand.Reader, seal.AlphabetOf("letters"), length); !errors.Is(err, seal.ReasonPlan) {
			t.Errorf("%d letters: %v", length, err)
		}
	}
	if _, err := seal.Make(bytes.NewReader(make([]byte, 1<<16)), seal.AlphabetOf("letters"), 20); err == nil {
		t.Error("a password of one letter was made")
	}
	if got := string(seal.Groups(secret("abcdefghij")).Reveal()); got != "abcd efgh ij" {
		t.Errorf("got %q", got)
	}
	if got := string(seal.Groups(secret("with blank")).Reveal()); got != "with blank" {
		t.Errorf("got %q", got)
	}
}

func FuzzParseShare(f *testing.F) {
	f.Add("HALLIGAN-SHARE-1:" + strings.Repeat("A", 77))
	f.Add("lusab babad lusab babad")
	s := sealed(f, plan(f, seal.FormShares, 2, onPaper("A"), onPaper("B")), theSecret)
	for _, p := range s.Papers {
		f.Add(string(p.QR.Reveal()))
		f.Add(string(p.Words.Reveal()))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := seal.ParseShare(secret(text))
		if err != nil {
			return
		}
		for _, form := range []custody.Secret{s.QR(), s.Words()} {
			again, err := seal.ParseShare(form)
			if err != nil || again.Digest() != s.Digest() {
				t.Errorf("%q: written as %q it is not the same: %v", text, form.Reveal(), err)
			}
		}
	})
}

func FuzzParseWords(f *testing.F) {
	f.Add("lusab babad lusab babad")
	f.Add("1: lusab babad")
	f.Fuzz(func(t *testing.T, text string) {
		data, err := seal.ParseWords(text)
		if err != nil {
			return
		}
		rows, err := seal.Words(data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := seal.ParseWords(strings.Join(rows, "\n"))
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q: %x, again %x, %v", text, data, again, err)
		}
	})
}
