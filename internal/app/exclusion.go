package app

import (
	"strings"

	"halligan/lockout"
	"halligan/lockout/facts"
)

// mandatoryDates are the vendor dates of the multifactor authentication that
// Microsoft itself demands (S83).
var mandatoryDates = []string{"mandatoryMfaPortals", "mandatoryMfaM365AdminCenter", "mandatoryMfaPhase2", "mandatoryMfaPhase2PostponementEnd"}

// BesideExclusion is what must be said wherever an exclusion is told (S84): that
// it does not exempt from mandatory MFA, with the portals and dates. The day
// decides what has begun; "" is any.
func BesideExclusion(day lockout.Date) string {
	var out []string
	for _, id := range mandatoryDates {
		d := facts.Date(id)
		text := strings.TrimPrefix(d.Text, "mandatory MFA, ")
		if day != "" && d.Date > string(day) {
			text += " (still to come)"
		}
		out = append(out, text)
	}
	return "an exclusion does not exempt from mandatory MFA: " + strings.Join(out, "; ")
}
