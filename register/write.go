package register

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"halligan/entra"
)

// Write returns the register as a halligan.yaml with a comment above every
// section, always the same for the same register. A register that Parse would
// refuse is an error, so that nothing is written that cannot be read.
func (r *Register) Write() ([]byte, error) {
	w := writer{shapes: shapes()}
	w.WriteString("# The register of emergency access accounts. Every key: docs/config.md\n# It holds no secrets: write where one is kept, never what it is.\n")
	root := w.shapes[RootShape]
	v := reflect.ValueOf(r).Elem()
	for i := range root.Fields {
		f := &root.Fields[i]
		value := keyed(v, f.Key)
		if f.Key == "settings" {
			w.settings(r.Settings)
			continue
		}
		if isNone(value) {
			continue
		}
		if f.Key != "version" {
			fmt.Fprintf(&w, "\n# %s\n", f.Doc)
		}
		w.field(f, value, "")
	}
	if w.broken != "" {
		return nil, fmt.Errorf("write the register: %q is no UTF-8", w.broken)
	}
	if _, err := Parse("halligan.yaml", w.Bytes()); err != nil {
		return nil, fmt.Errorf("write the register: %w", err)
	}
	return w.Bytes(), nil
}

type writer struct {
	bytes.Buffer
	shapes map[string]*Shape
	broken string // a text that is no UTF-8, and could not be read back
}

// isNone reports whether a value is not written. An empty list is none, too.
func isNone(v reflect.Value) bool { return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 }

// settings writes those that are chosen and, as comments, the default of each
// contradiction that is not.
func (w *writer) settings(s Settings) {
	shape := w.shapes["settings"]
	fmt.Fprintf(w, "\n# %s\n", shape.Doc)
	v := reflect.ValueOf(s)
	if v.IsZero() {
		w.WriteString("# settings:\n")
	} else {
		w.WriteString("settings:\n")
	}
	for _, setting := range SettingsTable() {
		switch {
		case !keyed(v, setting.Key).IsZero():
			w.field(shape.field(setting.Key), keyed(v, setting.Key), "  ")
		case setting.Conflict != "":
			fmt.Fprintf(w, "  # %s: %s # %s\n", setting.Key, setting.Default, setting.Conflict)
		}
	}
}

// field writes one key with its value.
func (w *writer) field(f *Field, v reflect.Value, indent string) {
	switch {
	case f.List && f.Kind == KindMapping:
		fmt.Fprintf(w, "%s%s:\n", indent, f.Key)
		for i := range v.Len() {
			w.element(w.shapes[f.Shape], v.Index(i), indent+"  ")
		}
	case f.List:
		fmt.Fprintf(w, "%s%s:\n", indent, f.Key)
		for i := range v.Len() {
			fmt.Fprintf(w, "%s  - %s\n", indent, w.scalar(v.Index(i)))
		}
	case f.Kind == KindMapping:
		fmt.Fprintf(w, "%s%s:\n", indent, f.Key)
		w.mapping(w.shapes[f.Shape], v, indent+"  ")
	default:
		fmt.Fprintf(w, "%s%s: %s\n", indent, f.Key, w.scalar(v))
	}
}

// mapping writes the keys that have a value, in the order of the shape.
func (w *writer) mapping(shape *Shape, v reflect.Value, indent string) {
	for i := range shape.Fields {
		f := &shape.Fields[i]
		switch value := keyed(v, f.Key); {
		case f.Empty && value.Len() == 0 && !value.IsNil():
			fmt.Fprintf(w, "%s%s: []\n", indent, f.Key)
		case !isNone(value):
			w.field(f, value, indent)
		}
	}
}

// element writes a mapping as an element of a list: its first line begins with a
// dash, the others below.
func (w *writer) element(shape *Shape, v reflect.Value, indent string) {
	inner := writer{shapes: w.shapes}
	inner.mapping(shape, v, indent+"  ")
	lines := inner.String()
	w.broken += inner.broken
	if lines == "" {
		fmt.Fprintf(w, "%s- {}\n", indent)
		return
	}
	w.WriteString(indent + "- " + strings.TrimPrefix(lines, indent+"  "))
}

func (w *writer) scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	}
	if !utf8.ValidString(v.String()) {
		w.broken = v.String()
	}
	return quoted(v.String())
}

// quoted returns text as YAML: plain where no reader could take it for anything
// else, else in double quotes.
func quoted(text string) string {
	if isPlainText(text) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case strconv.IsPrint(r) && r != utf8.RuneError:
			b.WriteRune(r)
		case r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isPlainText: letters, digits and marks that have no meaning in YAML, and a
// letter first, unless it is an id or a day. Words that some reader takes for a
// value of another type are not plain.
func isPlainText(text string) bool {
	if text == "" || len(text) > 200 {
		return false
	}
	switch strings.ToLower(text) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf":
		return false
	}
	for _, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && !(r >= '0' && r <= '9') && !strings.ContainsRune(" -_.@/+()", r) {
			return false
		}
	}
	first := text[0]
	begins := first >= 'a' && first <= 'z' || first >= 'A' && first <= 'Z'
	return (begins || entra.ID(text).IsGUID() || Day(text).IsDay()) && !strings.HasSuffix(text, " ")
}
