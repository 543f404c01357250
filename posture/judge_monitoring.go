package posture

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"halligan/entra"
)

// alertRule is one rule of Azure Monitor or Microsoft Sentinel.
type alertRule struct {
	id, name, query string
	// wrong is why it does not do its work; "" nothing is known against it.
	wrong string
	// doubt is what cannot be read off the query.
	doubt string
}

// kqlComment is a comment of a query. Inside a string // is none.
var kqlComment = regexp.MustCompile(`("[^"\n]*"|'[^'\n]*')|//[^\n]*`)

var kqlTable = regexp.MustCompile(`(?i)\bSigninLogs\b`)

// kqlDoubts are what makes a query say less than the ids in it seem to: it leaves
// out what it names, looks only at one result, or takes its list from elsewhere.
var kqlDoubts = []struct{ sign, why string }{
	{"!=", "leaves something out"}, {"!in", "leaves something out"}, {"!~", "leaves something out"}, {"!has", "leaves something out"},
	{"!contains", "leaves something out"}, {"not(", "leaves something out"}, {"resulttype", "filters by the result"},
	{"_getwatchlist", "takes its list from a watchlist"}, {"externaldata", "takes its list from elsewhere"},
}

// readRule reads a rule: scheduledQueryRules of Azure Monitor (severity 0 to 4,
// query within criteria) or an alert rule of Sentinel (severity in words).
func (c *Case) readRule(f entra.Fields) (alertRule, *Result) {
	p := f.Object("properties")
	r := alertRule{id: f.Str("id"), name: clauseOr(p.Str("displayName"), f.Str("name"))}
	lacks := func(property string) (alertRule, *Result) {
		m := c.missing(entra.PartAlertRules, property, "")
		return r, &m
	}
	on, known := p.Flag("enabled")
	if !known {
		return lacks("properties.enabled")
	}
	sentinel := slices.ContainsFunc([]string{"Scheduled", "NRT"}, func(k string) bool { return strings.EqualFold(k, f.Str("kind")) })
	if sentinel {
		r.query = p.Str("query")
	} else {
		all, known := p.List("criteria.allOf")
		if !known {
			return lacks("properties.criteria")
		}
		for _, q := range all {
			r.query += q.Str("query") + "\n"
		}
	}
	r.query = kqlComment.ReplaceAllString(r.query, "$1")
	severity, isNumber := p.Int("severity")
	word, isWord := p.Text("severity")
	actions, actionsKnown := p.Texts("actions.actionGroups")
	muted, _ := p.Text("muteActionsDuration")
	suppressed, _ := p.Flag("suppressionEnabled")
	switch {
	case !on:
		r.wrong = "is disabled"
	case !isNumber && !isWord:
		return lacks("properties.severity")
	case isNumber && severity != 0 || isWord && !strings.EqualFold(word, "High"):
		r.wrong = "is not of the highest severity"
	case muted != "" && !strings.EqualFold(muted, "PT0S") || suppressed:
		r.wrong = "is muted after an alert, so that a second use raises none"
	case !sentinel && !actionsKnown:
		return lacks("properties.actions.actionGroups")
	case !sentinel && len(actions) == 0:
		r.wrong = "has no action group, so that nobody is told"
	}
	folded := strings.ToLower(r.query)
	for _, d := range kqlDoubts {
		if strings.Contains(folded, d.sign) && r.doubt == "" {
			r.doubt = d.why
		}
	}
	if !kqlTable.MatchString(r.query) && r.doubt == "" {
		r.doubt = "does not ask the table SigninLogs"
	}
	return r, nil
}

func judgeAlertRules(c *Case) Result {
	objects := c.Snapshot.Objects(entra.PartAlertRules)
	if len(objects) == 0 {
		return notSetUp("the tenant has no alert rule of its own")
	}
	var rules []alertRule
	var unread []Result
	for _, f := range objects {
		r, missing := c.readRule(f)
		if missing != nil {
			unread = append(unread, *missing)
			continue
		}
		rules = append(rules, r)
	}
	var results []Result
	about := false
	for _, s := range c.emergency() {
		r, found := c.ruleFor(s, rules)
		about = about || found
		if r.Status != Pass && len(unread) > 0 {
			r = merge(Result{}, unread...) // one that was not read may be the good one
		}
		results = append(results, r)
	}
	if !about && len(unread) == 0 {
		return notSetUp("the tenant has no alert rule about the emergency accounts")
	}
	return merge(notSetUp("no account is judged"), results...)
}

// ruleFor judges the rules that name one account; found reports whether one does,
// by id or name.
func (c *Case) ruleFor(s Subject, rules []alertRule) (out Result, found bool) {
	var results []Result
	byName := false
	for _, r := range rules {
		folded := strings.ToLower(r.query)
		if !strings.Contains(folded, s.ID.Key()) {
			name := strings.ToLower(clauseOr(c.userName(s.ID), s.Name))
			byName = byName || name != "" && strings.Contains(folded, name)
			continue
		}
		ev := Evidence{ID: r.id, Name: r.name, Detail: clauseOr(r.wrong, r.doubt)}
		switch {
		case r.wrong != "":
			results = append(results, fail("the rule %s %s", r.name, r.wrong).on(ev))
		case r.doubt != "":
			results = append(results, unknown("the rule %s %s: what it covers cannot be read off it", r.name, r.doubt).on(ev))
		default:
			return pass("a rule that is on names every account by its object id"), true
		}
	}
	switch {
	case len(results) > 0:
		return merge(Result{}, results...), true
	case byName:
		return fail("a rule names %s by its name only, and loses it when it is renamed", clauseOr(s.Name, string(s.ID))).on(c.user(s.ID, "not named by object id")), true
	}
	for _, r := range rules {
		if strings.Contains(r.doubt, "takes its list") && r.wrong == "" {
			return unknown("the rule %s %s: whether the account is on it was not read", r.name, r.doubt).on(Evidence{ID: r.id, Name: r.name, Detail: r.doubt}), true
		}
	}
	return fail("no rule names %s", clauseOr(s.Name, string(s.ID))).on(c.user(s.ID, fmt.Sprintf("in none of %d rules", len(rules)))), false
}
