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
	v := &survivePageView{surviveView: viewSurvive(r, l.all), Title: "Survivability"}
	return surviveTemplate.Execute(w, v)
}
