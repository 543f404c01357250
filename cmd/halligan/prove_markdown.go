package main

import (
	"io"

	"halligan/internal/app"
)

func writeMarkdown(w io.Writer, r *app.Report, l look) error { return nil }
func writeHTML(w io.Writer, r *app.Report, l look) error     { return nil }
