package main

import (
	"fmt"
	"slices"
	"strings"

	"halligan/internal/app"
	"halligan/lockout"
)

// dimensionNames are the dimensions in the words of a person.
var dimensionNames = map[lockout.Dimension]string{
	lockout.DimPlatform: "platform", lockout.DimIP: "address", lockout.DimCountry: "country", lockout.DimGPSCountry: "country by GPS",
	lockout.DimCompliantNetwork: "compliant network", lockout.DimDevice: "device", lockout.DimSignInRisk: "sign-in risk", lockout.DimUserRisk: "user risk",
	lockout.DimInsiderRisk: "insider risk", lockout.DimClientApp: "client", lockout.DimFlow: "flow", lockout.DimSmartLockout: "password locked",
	lockout.DimAuthService: "sign-in service", lockout.DimResourceIP: "address seen by the resource",
}

const fewValues = 8 // a list that is longer is counted instead

// envelopeLines tells over what the verdicts range: whatever the value is, for one
// value only, and as the operator chooses. The accounts of a report share it; goals
// differ in what they offer.
func envelopeLines(r *app.Report, titles map[string]string) (forAll, fixed, exists []string) {
	if len(r.Accounts) == 0 {
		return nil, nil, nil
	}
	for _, d := range lockout.Dimensions {
		var texts []string
		var goals [][]string
		chosen, single := false, true
		for _, g := range r.Accounts[0].Goals {
			i := slices.IndexFunc(g.Envelope, func(l lockout.EnvelopeLine) bool { return l.Dimension == d })
			if i < 0 {
				continue
			}
			chosen = chosen || g.Envelope[i].Quantifier == "exists"
			single = single && len(g.Envelope[i].Values) == 1
			text := valuesText(d, g.Envelope[i].Values)
			at := slices.Index(texts, text)
			if at < 0 {
				at = len(texts)
				texts, goals = append(texts, text), append(goals, nil)
			}
			goals[at] = append(goals[at], titles[g.Goal])
		}
		if len(texts) == 0 {
			continue
		}
		if len(texts) > 1 {
			for i := range texts {
				texts[i] += " for " + strings.Join(goals[i], ", ")
			}
		}
		line := dimensionNames[d] + " (" + strings.Join(texts, "; ") + ")"
		switch {
		case chosen:
			exists = append(exists, line)
		case single && texts[0] != anyText:
			fixed = append(fixed, line)
		default:
			forAll = append(forAll, line)
		}
	}
	return forAll, fixed, exists
}

// anyText stands for a dimension that no policy divides.
const anyText = "any"

func valuesText(d lockout.Dimension, values []string) string {
	switch place := d == lockout.DimIP || d == lockout.DimResourceIP; {
	case place && slices.Equal(values, []string{""}), !place && len(values) <= 2 && slices.Index(values, "XX") == 0:
		return anyText
	}
	if len(values) > fewValues {
		return fmt.Sprintf("any of %d kinds", len(values))
	}
	var out []string
	for _, v := range values {
		out = append(out, valueText(d, v))
	}
	return strings.Join(out, ", ")
}

func valueText(d lockout.Dimension, v string) string {
	switch {
	case v == "" && (d == lockout.DimIP || d == lockout.DimResourceIP):
		return "outside every named location"
	case d == lockout.DimIP || d == lockout.DimResourceIP:
		return strings.ReplaceAll(v, ",", " + ")
	case v == "XX":
		return "any other"
	case v == "unknown" && d == lockout.DimPlatform:
		return "unrecognised"
	case v == "unknown":
		return "no country"
	case v == "true":
		return "yes"
	case v == "false":
		return "no"
	}
	return v
}

// changeView is a change in words.
type changeView struct {
	*app.ChangeReport
	Lines    []string
	Verdicts []changedVerdict
}

type changedVerdict struct {
	app.VerdictChange
	Word    string // worse, better, as before, not known
	Who     string
	Title   string
	Because string
	Was, Is string // the verdicts in words
}

// verdictWord is a verdict as it must be printed: one that rests on suppositions
// is never a plain PROVED.
func verdictWord(o lockout.Outcome, supposing bool) string {
	if o == lockout.Proved && supposing {
		return string(o) + " supposing"
	}
	return string(o)
}

func viewChange(c *app.ChangeReport, titles map[string]string) *changeView {
	v := &changeView{ChangeReport: c}
	for _, p := range c.Policies {
		line := p.Kind + ": " + p.Name
		if len(p.Fields) > 0 {
			line += " (" + strings.Join(p.Fields, ", ") + ")"
		}
		v.Lines = append(v.Lines, line)
	}
	v.Lines = append(v.Lines, c.Others...)
	for _, u := range c.Unknowns {
		v.Lines = append(v.Lines, "not known: "+strings.TrimSuffix(u.Address+" "+u.Path, " ")+": "+u.Why)
	}
	for _, x := range c.Verdicts {
		cv := changedVerdict{VerdictChange: x, Word: "as before", Who: x.Name, Title: titles[x.Goal],
			Was: verdictWord(x.Before, x.Supposing), Is: verdictWord(x.After, x.Supposing)}
		if cv.Who == "" {
			cv.Who = string(x.Account)
		}
		if x.Before != x.After {
			cv.Word = ifElse(x.Worse, "worse", "better")
			if !x.Worse && x.Before == lockout.Proved {
				cv.Word = "not known" // the change was not read
			}
			var because []string
			for _, p := range x.Because {
				because = append(because, fmt.Sprintf("%q %s", p.Name, p.Kind))
			}
			if len(because) > 0 {
				cv.Because = "because of " + strings.Join(because, " and ")
			}
		}
		v.Verdicts = append(v.Verdicts, cv)
	}
	return v
}
