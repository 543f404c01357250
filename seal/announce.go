package seal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Announce is somebody who is told when a file is opened. It stands inside, since
// whoever knows the address of a webhook can write there, and since nobody can change
// there who is told.
type Announce struct {
	// Kind is how it is told: email, webhook, slack, mattermost, teams. A reader that
	// does not know a kind says so and goes on.
	Kind    string
	Address string
	// To and From are addresses of mail.
	To   []string
	From string
	Name string // what people call it
}

const (
	announceMost     = 8
	announceLineMost = 4 << 10
	announceToMost   = 16
	announceKey      = "announce: "
)

var (
	announceKind = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	announceWord = regexp.MustCompile(`^[!-~]+$`)       // letters of ASCII that can be seen
	announceTo   = regexp.MustCompile(`^[!-+.-~-]+$`)   // and no comma
	announceRest = []string{" to=", " from=", " name="} // in this order, each at most once
	errAnnounce  = refuse(ReasonPayload, "it does not have the form of an announcement")
)

// Line is the announcement as it stands inside, without its key.
func (a *Announce) Line() string {
	var b strings.Builder
	b.WriteString(a.Kind + " " + a.Address)
	for i, value := range []string{strings.Join(a.To, ","), a.From, a.Name} {
		if value != "" {
			b.WriteString(announceRest[i] + value)
		}
	}
	return b.String()
}

// ParseAnnounce reads a line that Line wrote, and refuses any other.
func ParseAnnounce(line string) (*Announce, error) {
	if len(line) > announceLineMost || !utf8.ValidString(line) {
		return nil, errAnnounce
	}
	a := &Announce{}
	rest := line
	if head, name, found := strings.Cut(rest, announceRest[2]); found {
		if rest, a.Name = head, name; !isLine(name) {
			return nil, errAnnounce
		}
	}
	if head, from, found := strings.Cut(rest, announceRest[1]); found {
		if rest, a.From = head, from; !announceTo.MatchString(from) {
			return nil, errAnnounce
		}
	}
	if head, to, found := strings.Cut(rest, announceRest[0]); found {
		rest, a.To = head, strings.Split(to, ",")
		if len(a.To) > announceToMost || slices.ContainsFunc(a.To, func(one string) bool { return !announceTo.MatchString(one) }) {
			return nil, errAnnounce
		}
	}
	a.Kind, a.Address, _ = strings.Cut(rest, " ")
	if !announceKind.MatchString(a.Kind) || !announceWord.MatchString(a.Address) || a.Line() != line {
		return nil, errAnnounce
	}
	return a, nil
}

// checkAnnounce refuses announcements that would not be read again.
func (p *Plan) checkAnnounce() error {
	if len(p.Announce) > announceMost {
		return refuse(ReasonPlan, "%d channels are told of an opening; at most %d can be", len(p.Announce), announceMost)
	}
	for _, a := range p.Announce {
		if again, err := ParseAnnounce(a.Line()); err != nil || !slices.Equal(again.To, a.To) {
			return refuse(ReasonPlan, "channel %.60q cannot be written into the file: its address, recipients or name are too long or not in the form", a.Name)
		}
	}
	return nil
}

// announcements reads the lines about who is told. Nothing that is wrong with them
// keeps a file from being opened: it is told.
func announcements(lines []string) (out []Announce, wrong []string) {
	for i, line := range lines {
		a, err := ParseAnnounce(line)
		switch {
		case i >= announceMost:
			return out, append(wrong, fmt.Sprintf("the file names %d channels to be told, more than %d", len(lines), announceMost))
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("channel %d of the file: it does not have the form of one", i+1))
		default:
			out = append(out, *a)
		}
	}
	return out, wrong
}
