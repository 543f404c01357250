package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"halligan/entra"
	"halligan/internal/graph"
	"halligan/lockout"
	"halligan/posture"
)

// Evaluator answers which policies apply to a sign-in: Microsoft's What-If.
// *graph.Client is one.
type Evaluator interface {
	Evaluate(ctx context.Context, user entra.ID, s graph.SignInPoint) (graph.Evaluation, error)
}

// maxCrossPoints bounds the questions of one cross-check: Graph answers one a
// second at worst, for all applications of the tenant together.
const maxCrossPoints = 60

// CrossReport is what a comparison with Microsoft's own evaluations brought.
type CrossReport struct {
	Asked    int `json:"asked"`
	Answered int `json:"answered"`
	Compared int `json:"compared"` // policies at points
	// Disagreements are sentences; each is also evidence of ca-whatif-matrix.
	Disagreements []string `json:"disagreements"`
}

// crossPoint is one sign-in on both sides.
type crossPoint struct {
	graph.SignInPoint
	target posture.WhatIfTarget
}

// crossPoints samples the sign-ins that ca-whatif-matrix wants to see: every
// target with each client, risk and place, the platforms in turn.
func crossPoints(snap *entra.Snapshot, most int) []crossPoint {
	places := crossCountries(snap)
	var out []crossPoint
	for _, t := range posture.WhatIfTargets {
		for _, client := range []entra.ClientAppType{entra.ClientBrowser, entra.ClientNative} {
			for _, risk := range []string{"none", "high"} {
				for _, country := range places {
					out = append(out, crossPoint{graph.SignInPoint{App: t.App, Client: string(client), SignInRisk: risk, UserRisk: risk, Country: country,
						Platform: posture.WhatIfPlatforms[len(out)%len(posture.WhatIfPlatforms)]}, t})
				}
			}
		}
	}
	if most >= len(out) {
		return out
	}
	var some []crossPoint // spread over all, not the first ones
	for i := range most {
		some = append(some, out[i*len(out)/most])
	}
	return some
}

// crossCountries are two countries: one that a named location has, and one that
// none has, where that can be had.
func crossCountries(snap *entra.Snapshot) []string {
	inside, outside := "", ""
	v := snap.View()
	for i := range v.Locations {
		for _, c := range v.Locations[i].Countries {
			if inside == "" {
				inside = c
			}
		}
	}
	for _, c := range []string{"US", "DE", "NZ", "BR", "IS", "FJ", "UY", "AQ", "BV"} {
		named := slices.ContainsFunc(v.Locations, func(l entra.NamedLocation) bool {
			return slices.ContainsFunc(l.Countries, func(x string) bool { return strings.EqualFold(x, c) })
		})
		switch {
		case !named && outside == "":
			outside = c
		case inside == "":
			inside = c
		}
	}
	return []string{inside, outside}
}

// crossCheck asks Microsoft about sampled sign-ins of the accounts and compares
// each answer with the proof's. The Snapshot that it returns has the answers.
func crossCheck(ctx context.Context, req *ProveRequest, snap *entra.Snapshot, accounts []entra.ID) (*entra.Snapshot, *CrossReport, []posture.Disagreement, error) {
	points := crossPoints(snap, maxCrossPoints/max(len(accounts), 1))
	total := len(points) * len(accounts)
	req.say(fmt.Sprintf("asking Microsoft about %d sign-ins: up to %d seconds", total, total))
	content := snap.Content()
	report := &CrossReport{Asked: total, Disagreements: []string{}}
	var differ []posture.Disagreement
	prover := lockout.New(snap)
	for _, id := range accounts {
		answers, errs := evaluateAll(ctx, req.Evaluator, id, points)
		state := entra.PartState{Status: entra.StatusRead}
		if len(points) == 0 {
			state = entra.PartState{Status: entra.StatusNotAsked, Detail: "there are more accounts than questions"}
		}
		for i := range points {
			if errs[i] != nil {
				if st := graph.StateOf(errs[i]); state.Status == entra.StatusRead || st.Status == entra.StatusDenied {
					state = st // the worst of them
				}
				continue
			}
			report.Answered++
			content.Objects = append(content.Objects, entra.Object{Part: entra.PartWhatIf, Subject: id, Raw: answers[i].Object})
			n, found, err := compare(prover, id, points[i], answers[i], req.Now)
			if err != nil {
				return nil, nil, nil, err
			}
			report.Compared += n
			differ = append(differ, found...)
		}
		content.Readings = append(content.Readings, entra.Reading{Part: entra.PartWhatIf, Subject: id, PartState: state})
	}
	for _, d := range differ {
		report.Disagreements = append(report.Disagreements, d.Says)
	}
	return entra.NewSnapshot(content), report, differ, nil
}

// evaluateAll asks everything at once; the client keeps the pace that Graph wants.
func evaluateAll(ctx context.Context, e Evaluator, user entra.ID, points []crossPoint) ([]graph.Evaluation, []error) {
	answers, errs := make([]graph.Evaluation, len(points)), make([]error, len(points))
	var wait sync.WaitGroup
	for i := range points {
		wait.Go(func() { answers[i], errs[i] = e.Evaluate(ctx, user, points[i].SignInPoint) })
	}
	wait.Wait()
	return answers, errs
}

// compare holds one answer of Microsoft's against the proof's conditions.
func compare(prover *lockout.Prover, user entra.ID, at crossPoint, answer graph.Evaluation, now lockout.Date) (int, []posture.Disagreement, error) {
	goal := lockout.Goal{Name: at.target.Name, Audiences: []entra.ID{entra.ID(at.App)}, ClientAppTypes: []entra.ClientAppType{entra.ClientAppType(at.Client)}}
	x, err := prover.Applier(lockout.Question{Account: user, Goal: goal, Now: now})
	if err != nil {
		return 0, nil, fmt.Errorf("compare with Microsoft's evaluation: %w", err)
	}
	ours, err := x.At(map[lockout.Dimension]string{lockout.DimPlatform: at.Platform, lockout.DimClientApp: at.Client, lockout.DimSignInRisk: at.SignInRisk,
		lockout.DimUserRisk: at.UserRisk, lockout.DimCountry: at.Country})
	if err != nil {
		return 0, nil, fmt.Errorf("compare with Microsoft's evaluation: %w", err)
	}
	var out []posture.Disagreement
	n := 0
	for _, p := range ours {
		theirs, known := false, false
		for id, applies := range answer.Applies {
			if id.Equal(p.Policy) {
				theirs, known = applies, true
			}
		}
		if !known {
			continue // made or deleted since; nothing to compare
		}
		n++
		where := fmt.Sprintf("%s by %s on %s from %s with risk %s", at.target.Name, at.Client, at.Platform, at.Country, at.SignInRisk)
		switch {
		case theirs && !p.Possibly:
			out = append(out, posture.Disagreement{Account: user, Policy: p.Policy, Name: p.Name, Says: fmt.Sprintf("Microsoft says that policy %q applies to %s, and the proof says that it does not", p.Name, where)})
		case !theirs && p.Surely:
			out = append(out, posture.Disagreement{Account: user, Policy: p.Policy, Name: p.Name, Says: fmt.Sprintf("the proof says that policy %q applies to %s, and Microsoft says that it does not", p.Name, where)})
		}
	}
	return n, out, nil
}
