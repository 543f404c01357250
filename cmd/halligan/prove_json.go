package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"halligan/internal/app"
	"halligan/lockout"
)

// writeJSON writes the report in the form of docs/prove.schema.json.
func writeJSON(w io.Writer, r *app.Report, _ look) error { return indented(w, r) }

// writeCertificates writes the certificates of everything that is proved, as a
// list. It is for reports whose verdict is PROVED.
func writeCertificates(w io.Writer, r *app.Report, _ look) error {
	list := []*lockout.Certificate{}
	for _, a := range r.Accounts {
		for _, g := range a.Goals {
			if g.Certificate != nil {
				list = append(list, g.Certificate)
			}
		}
	}
	return indented(w, list)
}

// indented writes a value as JSON for people and machines. The values are those
// that were read, but what would act on a terminal or turn the reading direction
// is written as an escape.
func indented(w io.Writer, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(escapeJSON(b.Bytes()))
	return err
}

// escapeJSON replaces every character that cannot be seen by its \u escape: C1
// controls, controls of the reading direction, zero-width characters, tags.
// Outside ASCII, JSON has characters within strings only, so the text means the
// same after it.
func escapeJSON(text []byte) []byte {
	unseen := func(r rune) bool {
		return r >= 0x7f && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) || r == utf8.RuneError
	}
	if bytes.IndexFunc(text, unseen) < 0 {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case !unseen(r):
			out = append(out, text[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out
}
