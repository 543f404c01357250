package main

import (
	"encoding/json"
	"io"

	"halligan/internal/app"
	"halligan/lockout"
)

// writeJSON writes the report in the form of docs/prove.schema.json.
func writeJSON(w io.Writer, r *app.Report, _ look) error { return indented(w, r) }

// writeCertificates writes the certificates of everything that is proved, as a
// list; it is empty when nothing is.
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

func indented(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
