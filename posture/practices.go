package posture

import (
	_ "embed"
	"strings"
	"sync"
)

// practicesTable lists the practices that the checks come from: number, source,
// and what it says, in short.
//
//go:embed practices.tsv
var practicesTable string

// Practice is one practice, warning or pitfall of the sources.
type Practice struct {
	ID     string // S1 to S126
	Source string
	Says   string
}

// Practices returns all of them, in order.
var Practices = sync.OnceValue(func() []Practice {
	var out []Practice
	for line := range strings.Lines(practicesTable) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(f) == 3 {
			out = append(out, Practice{f[0], f[1], f[2]})
		}
	}
	return out
})

// Reasons are the reasons of the check as people read them: a number of a
// practice becomes what it says.
func (c *Check) Reasons() []string {
	var out []string
	for _, why := range c.Why {
		id, rest, _ := strings.Cut(why, ":")
		if said := practice(id); said != "" {
			why = said
			if rest = strings.TrimSpace(rest); rest != "" {
				why += "; " + rest
			}
		}
		out = append(out, why)
	}
	return out
}

func practice(id string) string {
	for _, p := range Practices() {
		if p.ID == id {
			return p.ID + ": " + p.Says + " (" + p.Source + ")"
		}
	}
	return ""
}
