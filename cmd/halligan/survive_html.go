package main

import (
	_ "embed"
	"html/template"
	"io"

	"halligan/internal/app"
)

//go:embed survive.html.tmpl
var survivePage string

var surviveTemplate = template.Must(pageTemplate("survive", survivePage, nil))

// survivePageView is what the template sees.
type survivePageView struct {
	*surviveView
	Title   string
	Picture template.HTML
}

// writeSurviveHTML writes one page that needs nothing else: no script, no network.
func writeSurviveHTML(w io.Writer, r *app.SurviveReport, l look) error {
	v := &survivePageView{surviveView: viewSurvive(r, l.all), Title: "Survivability: " + surviveWords[r.Holds][1]}
	if len(r.Accounts) > 0 {
		v.Picture = template.HTML(app.SurvivePicture(r).SVG()) // which escapes every text
	}
	return surviveTemplate.Execute(w, v)
}
