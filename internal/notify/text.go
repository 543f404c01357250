package notify

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"halligan/custody"
)

const (
	titleMost  = 120 // letters
	textMost   = 2000
	valueMost  = 400
	fieldsMost = 20
)

// cut is at most so many letters of a text.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// limited is the message within bounds, in letters that can be seen.
func (m *Message) limited() *Message {
	out := *m
	line := func(text string, most int) string {
		return cut(custody.Visible(strings.ToValidUTF8(text, "?")), most)
	}
	out.ID, out.Title = line(m.ID, 64), line(m.Title, titleMost)
	lines := strings.Split(m.Text, "\n")
	for i := range lines {
		lines[i] = line(lines[i], textMost)
	}
	out.Text = cut(strings.Join(lines, "\n"), textMost)
	out.Fields = nil
	for _, f := range m.Fields[:min(len(m.Fields), fieldsMost)] {
		out.Fields = append(out.Fields, Field{line(f.Name, 40), line(f.Value, valueMost)})
	}
	return &out
}

// acting are letters on which programs for chat and mail act, and ones that look like
// them: of mentions (@here, <!channel>, ~room), links ([a](b), <a|b>), tags and quotes.
var acting = strings.NewReplacer("@", "＠", "<", "＜", ">", "＞", "&", "＆", "[", "［", "]", "］", "~", "∼", "#", "＃", "`", "'", "|", "¦", "\\", "＼", "*", "∗", "://", "：//")

// Inert is a text that somebody else may have written, in such a way that no program
// that shows it mentions anybody, makes a link or forms it. Names of hosts keep their
// letters; the dot before a word of letters, by which a program would make a link of
// one, is another dot.
func Inert(text string) string {
	text = acting.Replace(text)
	var b strings.Builder
	all := []rune(text)
	for i, r := range all {
		if r == '.' && i+1 < len(all) && wordy(all[i+1]) {
			r = '․' // ONE DOT LEADER
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wordy reports whether a letter could begin the last part of the name of a host.
func wordy(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
}

// lines is the message as a text, inert.
func (m *Message) lines() string {
	var b strings.Builder
	b.WriteString(Inert(m.Title) + "\n")
	if m.Text != "" {
		b.WriteString("\n" + Inert(m.Text) + "\n")
	}
	if len(m.Fields) > 0 {
		b.WriteString("\n")
	}
	for _, f := range m.Fields {
		fmt.Fprintf(&b, "%s: %s\n", Inert(f.Name), Inert(f.Value))
	}
	return b.String()
}
