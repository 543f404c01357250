package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// form is one form in which a report of type R can be written.
type form[R any] struct {
	name string
	// extensions are those that a file of this form may have; the first form
	// that has one is taken when none is named.
	extensions []string
	write      func(w io.Writer, r R, l look) error
}

func formNames[R any](forms []form[R]) []string {
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

// chooseForm finds the form that was asked for by name, else by the extension of
// the file, else the first; it refuses a file whose name promises another.
func chooseForm[R any](forms []form[R], name, output string) (*form[R], error) {
	extension := extensionOf(output)
	has := func(f *form[R]) bool { return slices.Contains(f.extensions, extension) }
	if name == "" {
		if extension == "" {
			return &forms[0], nil
		}
		var known []string
		for i := range forms {
			if has(&forms[i]) {
				return &forms[i], nil
			}
			if e := forms[i].extensions[0]; !slices.Contains(known, e) {
				known = append(known, e)
			}
		}
		return nil, misused("name the file "+strings.Join(known[:len(known)-1], ", ")+" or "+known[len(known)-1]+"; a browser prints the HTML page as PDF", "no report can be written as %s", extension)
	}
	names := formNames(forms)
	i := slices.Index(names, name)
	switch {
	case i < 0:
		return nil, misused(suggest(name, names, "formats: "+strings.Join(names, ", ")), "no format %q", name)
	case extension != "" && !has(&forms[i]):
		return nil, misused(fmt.Sprintf("name the file %s, or leave --format out", strings.Join(forms[i].extensions, " or ")),
			"%s does not fit --format %s", output, name)
	}
	return &forms[i], nil
}

// extensionOf is the extension by which programs tell a file, in lower case. A
// day at the end of a name is none.
func extensionOf(path string) string {
	extension := strings.ToLower(filepath.Ext(path))
	if len(extension) < 2 || extension[1] < 'a' || extension[1] > 'z' {
		return ""
	}
	return extension
}
