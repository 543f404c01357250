package register_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"halligan/register"
)

// Each file of testdata/bad says in its last lines what is wrong with it:
//
//	# want 12:5 part of what | part of the hint
//
// and nothing else may be reported.
func TestBadRegisters(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Errorf("got %d files, want at least 20", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := wanted(string(text))
			if len(want) == 0 {
				t.Fatal("the file does not say what is wrong with it")
			}
			checkErrors(t, parseErrors(t, "halligan.yaml", text), want)
		})
	}
}

type expectation struct{ place, what, hint string }

func wanted(text string) (out []expectation) {
	for line := range strings.Lines(text) {
		rest, is := strings.CutPrefix(strings.TrimSpace(line), "# want ")
		if !is {
			continue
		}
		place, rest, _ := strings.Cut(rest, " ")
		what, hint, _ := strings.Cut(rest, " | ")
		out = append(out, expectation{place, what, hint})
	}
	return out
}

func parseErrors(t *testing.T, file string, text []byte) register.Errors {
	t.Helper()
	r, err := register.Parse(file, text)
	if err == nil {
		t.Fatalf("no error; got %+v", r)
	}
	errs, is := errors.AsType[register.Errors](err)
	if !is {
		t.Fatalf("got a %T, want Errors", err)
	}
	if r != nil {
		t.Error("a register beside the errors")
	}
	return errs
}

func checkErrors(t *testing.T, got register.Errors, want []expectation) {
	t.Helper()
	for i, e := range got {
		if e.Hint() == "" {
			t.Errorf("no hint: %v", e)
		}
		if e.Error() != fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.What) {
			t.Errorf("got %q", e.Error())
		}
		if i >= len(want) {
			t.Errorf("not wanted: %v; hint: %s", e, e.Hint())
			continue
		}
		w := want[i]
		if place := fmt.Sprintf("%d:%d", e.Line, e.Column); place != w.place || !strings.Contains(e.What, w.what) || !strings.Contains(e.Hint(), w.hint) || w.hint == "" {
			t.Errorf("got  %s %s | %s\nwant %s %s | %s", place, e.What, e.Hint(), w.place, w.what, w.hint)
		}
	}
	for _, w := range want[min(len(got), len(want)):] {
		t.Errorf("missing: %s %s | %s", w.place, w.what, w.hint)
	}
}

// Every key has a field of the struct, of a type that can hold it, and the other
// way round.
func TestShapesAndStructsAgree(t *testing.T) {
	shapes := map[string]register.Shape{}
	for _, s := range register.Shapes() {
		shapes[s.Name] = s
	}
	seen := map[string]bool{}
	var agree func(name string, typ reflect.Type)
	agree = func(name string, typ reflect.Type) {
		shape, is := shapes[name]
		if !is {
			t.Fatalf("no shape %s", name)
		}
		seen[name] = true
		if len(shape.Fields) != typ.NumField() {
			t.Errorf("%s has %d keys, %s %d fields", name, len(shape.Fields), typ, typ.NumField())
			return
		}
		for i, f := range shape.Fields {
			field := typ.Field(i)
			key, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if key != f.Key {
				t.Errorf("%s: key %d is %s, the field %s", name, i, f.Key, key)
			}
			if f.Doc == "" {
				t.Errorf("%s.%s has no doc", name, f.Key)
			}
			if needed := option == ""; needed != f.Required {
				t.Errorf("%s.%s: required %v, and the struct says %v", name, f.Key, f.Required, needed)
			}
			held := field.Type
			if f.List {
				if held.Kind() != reflect.Slice {
					t.Errorf("%s.%s is a list, and the field is %s", name, f.Key, held)
					continue
				}
				held = held.Elem()
			}
			want := reflect.String
			switch f.Kind {
			case register.KindNumber:
				want = reflect.Int
			case register.KindFlag:
				want = reflect.Bool
			case register.KindMapping:
				want = reflect.Struct
			}
			if held.Kind() != want {
				t.Errorf("%s.%s is %s, and the field is %s", name, f.Key, f.Kind, held)
			} else if want == reflect.Struct {
				agree(f.Shape, held)
			}
		}
	}
	agree(register.RootShape, reflect.TypeFor[register.Register]())
	for name := range shapes {
		if !seen[name] {
			t.Errorf("the shape %s is nowhere", name)
		}
	}
}

// checkHint holds what must be true of every error: it says what to do.
func checkHint(t *testing.T, err error) {
	t.Helper()
	hinted, is := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !is || hinted.Hint() == "" {
		t.Errorf("no hint: %v", err)
	}
}

func TestErrorAtThePlaceOfAPath(t *testing.T) {
	text := []byte("version: 1\nattestations:\n  - by: Ana\n    check: gov-staleness\n    on: 2026-01-01\n    until: 2026-02-01\n    note: seen\nsuppose: [ordinary, sunny]\n")
	for path, want := range map[string]string{"attestations[0].check": "r.yaml:4:12: x", "attestations[0]": "r.yaml:3:5: x", "suppose[1]": "r.yaml:8:21: x", "nowhere": "r.yaml:1:1: x"} {
		if e := register.ErrorAt("r.yaml", text, path, "x", "y"); e.Error() != want || e.Hint() != "y" || e.Path != path {
			t.Errorf("%s: got %v, hint %q; want %s", path, e, e.Hint(), want)
		}
	}
}

func TestWindowsAndByteOrderMarkChangeNoPlace(t *testing.T) {
	text := "acounts: []\nversion: 1\ntenant:\n  name: yes # so\n  nam: |\n    a\n    b\n  id: x\n"
	want := []expectation{{"1:1", "unknown key", "accounts"}, {"5:3", "unknown key", "name"}, {"8:7", "object id", "admin center"}}
	checkErrors(t, parseErrors(t, "halligan.yaml", []byte(text)), want)
	checkErrors(t, parseErrors(t, "halligan.yaml", []byte("\ufeff"+strings.ReplaceAll(text, "\n", "\r\n"))), want)
}

func TestLimits(t *testing.T) {
	many := func(n int, line string) string { return "version: 1\n" + strings.Repeat(line, n) }
	var unique strings.Builder
	for i := range 50000 {
		fmt.Fprintf(&unique, "key%d: 1\n", i)
	}
	tests := map[string]struct {
		text string
		want expectation
	}{
		"too large":                {many(1<<17, "# comments and more\n"), expectation{"1:1", "at most 1048576", "right file"}},
		"too many keys":            {"version: 1\n" + unique.String(), expectation{"101:1", "more than 100 keys", "dash"}},
		"too many keys in one row": {"{" + strings.Repeat("a: b, ", 50000) + "}", expectation{"1:602", "more than 100 keys", "dash"}},
		"dashes":                   {"a: \n  " + strings.Repeat("- ", 100000), expectation{"2:33", "more than 16 levels", "five levels"}},
		"braces":                   {strings.Repeat("{a: ", 100000), expectation{"1:65", "more than 16 levels", "five levels"}},
		"question marks":           {strings.Repeat("? ", 100000), expectation{"1:1", "a question mark", "key: value"}},
		"not UTF-8":                {"version: 1\ntenant: {name: a\xff}\n", expectation{"2:17", "no UTF-8", "save the file"}},
		"UTF-16":                   {"\xff\xfev\x00e\x00", expectation{"1:1", "no UTF-8", "save the file"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkErrors(t, parseErrors(t, "halligan.yaml", []byte(tt.text))[:1], []expectation{tt.want})
		})
	}
	errs := parseErrors(t, "halligan.yaml", []byte("version: 1\naccounts:\n"+strings.Repeat("  - {}\n", 5000)))
	if len(errs) > 200 {
		t.Errorf("%d errors are reported", len(errs))
	}
}

// The largest file is read in seconds, whatever stands in it: what is compared
// with everything else is bounded. The test has no clock; it would run into its
// own end.
func TestLargestFileComesToAnEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\naccounts:\n")
	for i := range 8000 {
		fmt.Fprintf(&b, "- id: 2786d9fb-aa4e-4778-8abb-%012d\n", i)
	}
	b.WriteString("parts:\n")
	for i := range 8000 {
		fmt.Fprintf(&b, "- {kind: key, account: f3e17452-398d-4a53-b5ca-%012d}\n", i)
	}
	if errs := parseErrors(t, "halligan.yaml", []byte(b.String())); len(errs) != 100 {
		t.Errorf("got %d errors, want 100", len(errs))
	}
}

func TestTextIsTakenAsItIsSpelled(t *testing.T) {
	for _, spelled := range []string{"00117", "0x1F", "1_000", "1e3", "1.50", "-5", "+5", "0o17", "12345678901234567890123", "6A:00:1F", "2026-01-01", ".5"} {
		r, err := register.Parse("halligan.yaml", []byte("version: 1\nparts:\n  - {kind: binder, seal: "+spelled+"}\n"))
		if err != nil || r.Parts[0].Seal != spelled {
			t.Errorf("%s: got %+v, %v", spelled, r, err)
		}
	}
}

// What is refused for what it is must not stand in the error.
func TestNoSecretInAnError(t *testing.T) {
	const secret = "kQ7vX2pL9mZ4wR8tB1nC6yH3jF5gDs"
	for _, line := range []string{
		"pattern: " + secret, "password: " + secret, "name: [" + secret + "]", secret + ": 1", "id: " + secret, "tap: " + secret,
		"keys: [{label: " + secret + "}]", "keys: " + secret, "suppose: " + secret, "name: |" + secret, "name: \"" + secret, "name: @" + secret, "name: !" + secret + " x", "name: *" + secret,
		"groups: [AGE-SECRET-KEY-1" + secret + "]",
	} {
		errs := parseErrors(t, "halligan.yaml", []byte("version: 1\naccounts:\n  - "+line+"\n"))
		for _, e := range errs {
			if strings.Contains(e.Error()+e.Hint()+e.Path, secret) {
				t.Errorf("%s: the secret is in %v; hint: %s; path: %s", line, e, e.Hint(), e.Path)
			}
		}
	}
}

// Names and notes of ordinary life are no secrets.
func TestOrdinaryTextIsNoSecret(t *testing.T) {
	for _, text := range []string{
		"CA001-Global-BaseProtection-AllApps-AnyPlatform-BlockLegacyAuth-v1.2", "https://intranet.example.com/sites/Security/SitePages/Emergency-Access-2026.aspx",
		"2786d9fb-aa4e-4778-8abb-11a546852728", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "The PIN of key 1 is in the safe of Lisbon.",
		"Donaudampfschifffahrtsgesellschaftskapitän", "ana.maria.ribeiro-santos@tidewater.example", "Ticket CHG0031337, closed on 2026-03-01", "PIN and password lie apart since 2026",
		"location=2786d9fb-aa4e-4778-8abb-11a546852728:192.0.2.0/24+198.51.100.0/24:trusted", "key=2fc0579f-8113-47ea-b116-bb5a8db9202a,any", "YubiKey 5C NFC FIPS (5.7)", "+351 900 000 000",
		`C:\Users\Public\Documents\Emergency\Runbook-v3.docx`, "strength=2786d9fb-aa4e-4778-8abb-11a546852728:fido2+x509CertificateMultiFactor",
	} {
		r := &register.Register{Version: register.Version, Suppose: []string{text}}
		if _, err := r.Write(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Whatever the bytes are: no panic, places within the text, a hint to each
// error, and what is read can be written and read again.
func FuzzParse(f *testing.F) {
	bad, _ := filepath.Glob("testdata/bad/*.yaml")
	good, _ := filepath.Glob("../examples/registers/*.yaml")
	for _, file := range append(bad, good...) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	if text, err := full().Write(); err == nil {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := register.Parse("f.yaml", text)
		if err != nil {
			errs, is := errors.AsType[register.Errors](err)
			if !is || len(errs) == 0 || r != nil {
				t.Fatalf("got %v, %T", r, err)
			}
			lines := strings.Count(string(text), "\n") + 1
			for i, e := range errs {
				if e.Line < 1 || e.Line > lines || e.Column < 1 || e.Hint() == "" || e.What == "" {
					t.Errorf("%v; hint %q; the text has %d lines", e, e.Hint(), lines)
				}
				if i > 0 && e.Line < errs[i-1].Line {
					t.Errorf("line %d after line %d", e.Line, errs[i-1].Line)
				}
			}
			return
		}
		written, err := r.Write()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := register.Parse("f.yaml", written)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("got %+v, %v\nwant %+v\n%s", again, err, r, written)
		}
		if edited, err := register.AddAttestation(text, register.Attestation{Check: "a", By: "b", On: "2026-01-01", Until: "2026-01-02", Note: "c"}); err == nil {
			if with, err := register.Parse("f.yaml", edited); err != nil || len(with.Attestations) != len(r.Attestations)+1 {
				t.Errorf("edited: %v\n%s", err, edited)
			}
		}
	})
}
