package posture

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
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

// What a query filters by, and the columns of SigninLogs that leave out sign-ins of
// an account when they are filtered by.
var (
	kqlWhere  = regexp.MustCompile(`\|\s*(?:where|filter)\b(?:"[^"\n]*"|'[^'\n]*'|[^|"'])*`)
	kqlString = regexp.MustCompile(`"[^"\n]*"|'[^'\n]*'`)
	kqlNarrow = regexp.MustCompile(`\b(appdisplayname|appid|authenticationrequirement|clientappused|conditionalaccessstatus|devicedetail|ipaddress|isinteractive|location\w*|networklocationdetails|resourcedisplayname|resourceid\w*|risk\w+|status|useragent)\b`)
)

// kqlDoubts are what makes a query say less than the ids in it seem to: it leaves
// out what it names, looks only at one result, or takes its list from elsewhere.
var kqlDoubts = []struct{ sign, why string }{
	{"!=", "leaves something out"}, {"!in", "leaves something out"}, {"!~", "leaves something out"}, {"!has", "leaves something out"},
	{"!contains", "leaves something out"}, {"not(", "leaves something out"}, {"resulttype", "filters by the result"},
	{"!startswith", "leaves something out"}, {"!endswith", "leaves something out"}, {"!between", "leaves something out"}, {"not (", "leaves something out"},
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
	type condition struct {
		of                  entra.Fields
		operator, threshold string
	}
	var conditions []condition
	if sentinel {
		r.query = p.Str("query")
		conditions = append(conditions, condition{p, "triggerOperator", "triggerThreshold"})
	} else {
		all, known := p.List("criteria.allOf")
		if !known {
			return lacks("properties.criteria")
		}
		for _, q := range all {
			r.query += q.Str("query") + "\n"
			conditions = append(conditions, condition{q, "operator", "threshold"})
		}
		if len(all) > 1 {
			r.doubt = "has more than one condition"
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
	case windowGap(p):
		r.wrong = "looks back less far than it runs apart, and misses what lies between"
	}
	for _, k := range conditions {
		least, known := k.of.Int(k.threshold)
		operator := k.of.Str(k.operator)
		switch {
		case r.wrong != "" || !known || operator == "":
		case strings.EqualFold(operator, "GreaterThan") && least > 0, strings.EqualFold(operator, "GreaterThanOrEqual") && least > 1:
			r.wrong = "stays silent at the first sign-in, and waits for more"
		case !strings.EqualFold(operator, "GreaterThan") && !strings.EqualFold(operator, "GreaterThanOrEqual") && r.doubt == "":
			r.doubt = "does not ask for more than a number of sign-ins"
		}
	}
	folded := strings.ToLower(r.query)
	for _, d := range kqlDoubts {
		if strings.Contains(folded, d.sign) && r.doubt == "" {
			r.doubt = d.why
		}
	}
	for _, filter := range kqlWhere.FindAllString(folded, -1) {
		if x := kqlNarrow.FindString(kqlString.ReplaceAllString(filter, "")); x != "" && r.doubt == "" {
			r.doubt = "looks only at some sign-ins, by " + x
		}
	}
	if !kqlTable.MatchString(r.query) && r.doubt == "" {
		r.doubt = "does not ask the table SigninLogs"
	}
	return r, nil
}

// windowGap reports whether a rule is known to run more seldom than it looks back.
func windowGap(p entra.Fields) bool {
	for _, of := range [][2]string{{"evaluationFrequency", "windowSize"}, {"queryFrequency", "queryPeriod"}} {
		every, ok := isoMinutes(p.Str(of[0]))
		back, known := isoMinutes(p.Str(of[1]))
		if ok && known && back < every {
			return true
		}
	}
	return false
}

var isoDuration = regexp.MustCompile(`(?i)^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$`)

// isoMinutes reads a duration such as PT5M or P1D.
func isoMinutes(text string) (int, bool) {
	m := isoDuration.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n := 0
	for i, minutes := range []int{24 * 60, 60, 1} {
		x, _ := strconv.Atoi(m[i+1]) // "" is none
		n += x * minutes
	}
	return n, n > 0
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
