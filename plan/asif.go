package plan

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

// question is one thing that can be asked as if it were so.
type question struct {
	name string
	form string // for help: enable=POLICY
	help string
	// values are the only ones possible; nil: a name or id.
	values []string
	change func(value string) Change
}

// questions is the table of what can be asked as if.
var questions = []question{
	{"report-only", "report-only=enabled", "every report-only policy were enabled", []string{"enabled"},
		func(string) Change { return Change{Verb: VerbEnableReportOnly} }},
	{"enable", "enable=POLICY", "the policy were enabled", nil,
		func(v string) Change { return Change{Verb: VerbEnable, Kind: KindPolicy, Subject: v} }},
	{"disable", "disable=POLICY", "the policy were disabled", nil,
		func(v string) Change { return Change{Verb: VerbDisable, Kind: KindPolicy, Subject: v} }},
	{"remove", "remove=POLICY", "the policy were not there", nil,
		func(v string) Change { return Change{Verb: VerbDelete, Kind: KindPolicy, Subject: v} }},
	{"remove-exclusion", "remove-exclusion=POLICY:ID", "the policy no longer excluded this user, group or role", nil,
		func(v string) Change {
			i := strings.LastIndexByte(v, ':') // names of policies hold colons, ids do not
			return Change{Verb: VerbRemoveExclusion, Kind: KindPolicy, Subject: strings.TrimSpace(v[:max(i, 0)]), Value: strings.TrimSpace(v[i+1:]), whole: v}
		}},
	{"withdraw-key-model", "withdraw-key-model=AAGUID", "security keys of this model were no longer allowed", nil,
		func(v string) Change { return Change{Verb: VerbWithdrawKeyModel, Subject: v} }},
	{"delete-group", "delete-group=GROUP", "the group were deleted", nil,
		func(v string) Change { return Change{Verb: VerbDeleteGroup, Subject: v} }},
	{"disable-method", "disable-method=METHOD", "the authentication method (Fido2, TemporaryAccessPass, …) were disabled", nil,
		func(v string) Change { return Change{Verb: VerbDisableMethod, Subject: v} }},
	{"security-defaults", "security-defaults=on|off", "security defaults were on, or off", []string{"on", "off"},
		func(v string) Change { return Change{Verb: VerbSetSecurityDefaults, Value: v} }},
}

// AsIfForms lists what can be asked as if, form and meaning, for help.
func AsIfForms() [][2]string {
	var out [][2]string
	for _, q := range questions {
		out = append(out, [2]string{q.form, "as if " + q.help})
	}
	return out
}

// ExpressionError says what is wrong with an expression.
type ExpressionError struct {
	Expression, Problem, hint string
}

func (e *ExpressionError) Error() string { return fmt.Sprintf("as if %q: %s", e.Expression, e.Problem) }

// Hint returns what to write instead.
func (e *ExpressionError) Hint() string { return e.hint }

// ParseAsIf reads an expression such as "enable=POLICY". A policy or group is
// named by its id or its display name; whether it exists is found out by On. The
// error is an *ExpressionError.
func ParseAsIf(expression string) (Change, error) {
	name, value, has := strings.Cut(expression, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	i := slices.IndexFunc(questions, func(q question) bool { return strings.EqualFold(q.name, name) })
	if i < 0 {
		return Change{}, unknownQuestion(expression, name)
	}
	q := &questions[i]
	wrong := func(problem string) (Change, error) {
		return Change{}, &ExpressionError{Expression: expression, Problem: problem, hint: "write " + q.form}
	}
	if !has || value == "" {
		return wrong("it does not say of what")
	}
	if q.values != nil {
		v := slices.IndexFunc(q.values, func(s string) bool { return strings.EqualFold(s, value) })
		if v < 0 {
			return wrong(fmt.Sprintf("%q is not possible here", value))
		}
		value = q.values[v]
	}
	c := q.change(value)
	if c.Verb == VerbRemoveExclusion && (c.Subject == "" || c.Value == "") {
		return wrong("it does not say of which policy and whom")
	}
	return c, nil
}

func unknownQuestion(expression, name string) error {
	var names, forms []string
	for _, q := range questions {
		names, forms = append(names, q.name), append(forms, q.form)
	}
	e := &ExpressionError{Expression: expression, Problem: fmt.Sprintf("%q is not something that can be asked", name)}
	if guess := near(name, names); len(guess) > 0 {
		e.hint = "did you mean " + quoted(guess) + "?"
	} else {
		e.hint = "possible are " + strings.Join(forms, ", ")
	}
	return e
}

// state sets the state of one policy.
func state(to entra.PolicyState) func(*edit, *Change) error {
	return func(e *edit, c *Change) error {
		s := shelfFor(KindPolicy)
		at, err := s.find(&e.c, c.Subject)
		if err != nil {
			return err
		}
		for _, i := range at {
			if err := e.setState(s, i, to); err != nil {
				return err
			}
		}
		return nil
	}
}

func (e *edit) setState(s *shelf, i int, to entra.PolicyState) error {
	o, err := parseObject(e.c.Policies[i].Raw)
	if err != nil {
		return err
	}
	o.set("state", string(to))
	return e.store(s, i, o, entra.Origin{}, []string{"state"})
}

func (e *edit) enableReportOnly(*Change) error {
	s := shelfFor(KindPolicy)
	for i := range e.c.Policies {
		if e.c.Policies[i].State != entra.StateReportOnly {
			continue
		}
		if err := e.setState(s, i, entra.StateEnabled); err != nil {
			return err
		}
	}
	return nil
}

func (e *edit) setSecurityDefaults(c *Change) error {
	if c.Value != "on" && c.Value != "off" {
		return fmt.Errorf("%q is neither on nor off", c.Value)
	}
	on := c.Value == "on"
	e.c.SecurityDefaults = &on
	e.state(entra.PartSecurityDefaults, entra.PartState{Status: entra.StatusRead})
	return nil
}

func (e *edit) state(p entra.Part, st entra.PartState) {
	if e.c.Parts == nil {
		e.c.Parts = map[entra.Part]entra.PartState{}
	}
	e.c.Parts[p] = st
}

// exclusionKeys are the lists of conditions.users that exclude by id.
var exclusionKeys = []string{"excludeUsers", "excludeGroups", "excludeRoles"}

func (e *edit) removeExclusion(c *Change) error {
	s := shelfFor(KindPolicy)
	at, whom, err := e.policyAndWhom(s, c)
	if err != nil {
		return err
	}
	removed := false
	var excluded []string
	for _, i := range at {
		p := &e.c.Policies[i]
		u := &p.Conditions.Users
		for _, id := range slices.Concat(u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles) {
			excluded = append(excluded, string(id))
		}
		o, err := parseObject(p.Raw)
		if err != nil {
			return err
		}
		users := o.child("conditions").child("users")
		for _, key := range exclusionKeys {
			before := elements(users.get(key))
			after := slices.DeleteFunc(slices.Clone(before), func(v any) bool {
				id, _ := v.(string)
				return slices.ContainsFunc(whom, entra.ID(id).Equal)
			})
			if len(after) != len(before) {
				users.set(key, after)
				removed = true
			}
		}
		if err := e.store(s, i, o, entra.Origin{}, nil); err != nil {
			return err
		}
	}
	if removed {
		return nil
	}
	missing := &ReferenceError{Noun: "exclusion", Plural: "exclusions", Ref: c.Value, Among: len(excluded), Near: near(c.Value, excluded)}
	if len(missing.Near) == 0 && len(excluded) <= maxNear {
		missing.Near = excluded
	}
	return missing
}

// policyAndWhom finds the policy and the ids of whom it is to exclude no longer.
// Where a name holds colons too, the last cut at which a policy is found counts.
func (e *edit) policyAndWhom(s *shelf, c *Change) ([]int, []entra.ID, error) {
	whole := c.whole
	if whole == "" {
		whole = c.Subject + ":" + c.Value
	}
	var first error
	for i := strings.LastIndexByte(whole, ':'); i > 0; i = strings.LastIndexByte(whole[:i], ':') {
		at, err := s.find(&e.c, strings.TrimSpace(whole[:i]))
		if err == nil {
			return at, e.objectIDs(strings.TrimSpace(whole[i+1:])), nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, nil, first
}

// objectIDs returns the id as given and those of users and groups of that name.
func (e *edit) objectIDs(ref string) []entra.ID {
	ids := []entra.ID{entra.ID(ref)}
	for i := range e.c.Users {
		if u := &e.c.Users[i]; strings.EqualFold(u.UserPrincipalName, ref) || strings.EqualFold(u.DisplayName, ref) {
			ids = append(ids, u.ID)
		}
	}
	for i := range e.c.Groups {
		if g := &e.c.Groups[i]; strings.EqualFold(g.DisplayName, ref) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
