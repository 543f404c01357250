package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"halligan/entra"
	"halligan/internal/app"
)

// names are the names of policies, groups and roles by id, for events.
type names map[string]string

func namesOf(accounts []*app.AccountReport) names {
	n := names{}
	for _, a := range accounts {
		if a.Name != "" {
			n[entra.ID(a.Account).Key()] = a.Name
		}
		for _, g := range a.Goals {
			for i := range g.Policies {
				n[entra.ID(g.Policies[i].Policy).Key()] = g.Policies[i].Name
				for _, r := range g.Policies[i].Routes {
					if r.Name != "" {
						n[entra.ID(r.ID).Key()] = r.Name
					}
				}
			}
		}
	}
	return n
}

// idText is what may be an id within a sentence, and the character before it.
var idText = regexp.MustCompile(`(^|[^0-9A-Za-z._-])[0-9A-Za-z._-]{8,}`)

// within puts the name before every id in a text whose object was read. An id in
// brackets or quotes stands beside its name, or has none.
func (n names) within(text string) string {
	return idText.ReplaceAllStringFunc(text, func(found string) string {
		before, id := "", found
		if r, size := utf8.DecodeRuneInString(found); !strings.ContainsRune("-._", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			before, id = found[:size], found[size:]
		}
		name := n[entra.ID(id).Key()]
		if name == "" || before == "(" || before == `"` {
			return found
		}
		return fmt.Sprintf("%s%s (%s)", before, name, id)
	})
}

func (n names) of(id string) string {
	if name := n[entra.ID(id).Key()]; name != "" {
		return fmt.Sprintf("%q", name)
	}
	return id
}
