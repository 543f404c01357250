package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// leakForm is one form in which a secret can lie about.
type leakForm struct {
	name string
	// of writes the secret so; the result is looked for as it is, or in any case.
	of      func(secret string) []string
	anyCase bool
}

// leakForms are the forms that are looked for.
var leakForms = []leakForm{
	{"raw", func(s string) []string { return []string{s} }, false},
	{"base64", base64Forms, false},
	{"hexadecimal", func(s string) []string { return []string{hex.EncodeToString([]byte(s))} }, true},
	{"percent", func(s string) []string {
		return []string{strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), percentAll(s)}
	}, true},
	{"JSON", func(s string) []string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		return []string{b.String()}
	}, true},
	{"UTF-16", func(s string) []string { return []string{utf16Text(s, false), utf16Text(s, true)} }, false},
}

// base64Forms are what base64 makes of the secret wherever it begins, without the
// letters that what stands before or behind it takes part in.
func base64Forms(s string) (out []string) {
	for offset := range 3 {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := e.EncodeToString([]byte(strings.Repeat("\x00", offset) + s + strings.Repeat("\x00", 2-(offset+len(s)+2)%3)))
			first := (offset*8 + 5) / 6
			last := (offset + len(s)) * 8 / 6
			out = append(out, text[first:last])
		}
	}
	return out
}

func percentAll(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

func utf16Text(s string, bigEndian bool) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if bigEndian {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

// leaksIn names the forms in which secrets stand in some bytes.
func leaksIn(data []byte, secrets map[string]string) (out []string) {
	folded := bytes.ToLower(data)
	for what, secret := range secrets {
		for _, f := range leakForms {
			for _, text := range f.of(secret) {
				if !f.anyCase && bytes.Contains(data, []byte(text)) || f.anyCase && bytes.Contains(folded, bytes.ToLower([]byte(text))) {
					out = append(out, what+" as "+f.name)
				}
			}
		}
	}
	return out
}

// leaksBelow looks through every file below a folder.
func leaksBelow(t *testing.T, folder string, secrets map[string]string, but ...string) (out []string, files int) {
	t.Helper()
	must(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		for _, b := range but {
			if path == b {
				return nil
			}
		}
		data, err := os.ReadFile(path)
		files++
		for _, leak := range leaksIn(data, secrets) {
			out = append(out, path+": "+leak)
		}
		return err
	}))
	return out, files
}

// The test about leaks is silent when all is well, and would be as silent if it saw
// nothing.
func TestAPlantedLeakOfEachFormIsFound(t *testing.T) {
	const secret = "Hf7q/winter+9Kd2?x=Zoë"
	secrets := map[string]string{"the password": secret}
	planted := map[string][]byte{
		"raw": []byte("x" + secret + "y"), "hexadecimal": []byte(strings.ToUpper(hex.EncodeToString([]byte("a" + secret)))), "percent": []byte("?q=" + url.QueryEscape(secret)),
		"UTF-16": []byte("\x01" + utf16Text(secret, false)), "UTF-16 of the other order": []byte(utf16Text("a"+secret, true)),
		"JSON": []byte(`"\u0048\u0066\u0037\u0071\u002F\u0077\u0069\u006e\u0074\u0065\u0072\u002b\u0039\u004b\u0064\u0032\u003f\u0078\u003d\u005a\u006f\u00eb"`),
	}
	for offset := range 3 {
		for rest := range 3 {
			planted[fmt.Sprintf("base64 at %d, %d behind", offset, rest)] = []byte(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", offset) + secret + strings.Repeat("b", rest))))
		}
		planted[fmt.Sprintf("base64 for URLs at %d", offset)] = []byte(base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("a", offset) + secret)))
	}
	for name, data := range planted {
		folder := t.TempDir()
		must(t, os.WriteFile(filepath.Join(folder, "log"), data, 0o600))
		if found, _ := leaksBelow(t, folder, secrets); len(found) == 0 {
			t.Errorf("%s was not found in %q", name, data)
		}
	}
	if found := leaksIn([]byte("Hf7q/winter and others"), secrets); len(found) > 0 {
		t.Errorf("found %v where there is nothing", found)
	}
}
