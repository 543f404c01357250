package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

var checksGovernance = []Check{
	{ID: "gov-lifecycle", Theme: ThemeGovernance, Severity: Critical, PerAccount: true, Licence: LicenceGovernance,
		Title: "No lifecycle workflow can disable or delete the account, take it out of its groups, or make a pass for it",
		Why:   []string{"S51", "S110", "entra-docs lifecycle-workflow-tasks", "entra-docs lifecycle-workflow-execution-conditions"},
		Reads: []entra.Part{entra.PartLifecycleWorkflows},
		Fix: Fix{Portal: []string{"Entra admin center > ID Governance > Lifecycle workflows > the workflow > Execution conditions: narrow the scope so that the account is outside"},
			Graph: []string{"PATCH /identityGovernance/lifecycleWorkflows/workflows/{id}", "POST /identityGovernance/lifecycleWorkflows/workflows/{id}/createNewVersion"}},
		Judge: judgeLifecycle},
	{ID: "gov-access-review", Theme: ThemeGovernance, Severity: Critical, PerAccount: true, Licence: LicenceP2,
		Title: "No access review takes the role or the groups from the account when nobody answers",
		Why:   []string{"S110", "graph accessReviewScheduleSettings: with autoApplyDecisionsEnabled and defaultDecisionEnabled access is revoked when reviewers do not respond"},
		Reads: []entra.Part{entra.PartAccessReviews},
		Fix: Fix{Portal: []string{"Entra admin center > ID Governance > Access reviews > the review > Settings: If reviewers don't respond: No change, or Auto apply results: off"},
			Graph: []string{`PUT /identityGovernance/accessReviews/definitions/{id} {"settings": {"defaultDecisionEnabled": false, …}}`}},
		Judge: judgeAccessReviews},
	{ID: "gov-stale-cleanup", Theme: ThemeGovernance, Severity: High, Attestable: true,
		Title:      "What disables or deletes stale accounts leaves the emergency accounts alone",
		Why:        []string{"S51", "S110", "github.com/maester365/maester/issues/863", "NIST SP 800-53 AC-2(2), read literally, asks to disable emergency accounts automatically"},
		References: []string{"Maester MT.1029 (false alarm)"},
		Fix: Fix{Portal: []string{"look through scheduled jobs, runbooks and identity governance products for what disables accounts that do not sign in, and exempt these by object id"},
			Command: []string{"halligan attest gov-stale-cleanup --by NAME --until DATE --note …"}}},
	{ID: "gov-writers", Theme: ThemeGovernance, Severity: High,
		Title:      "Every application that could lock the accounts out is known and approved, this product included",
		Why:        []string{"S33", "S110"},
		References: []string{"Maester MT.1050", "Maester MT.1051"},
		Reads:      []entra.Part{entra.PartAppRoleAssignments},
		Fix: Fix{Portal: []string{"Entra admin center > Enterprise applications > the application > Permissions: remove what it does not need", "write each one that stays under writers: with its reason into halligan.yaml"},
			Graph: []string{"DELETE /servicePrincipals/{id}/appRoleAssignments/{id}"}},
		Judge: judgeWriters},
	{ID: "gov-iac-drift", Theme: ThemeGovernance, Severity: Medium, Attestable: true,
		Title: "The templates from which policies are deployed hold the exclusions of the accounts",
		Why:   []string{"S61", "a template that lacks an exclusion takes it away at the next run: Terraform, DSC and CIPP rewrite policies whole"},
		Fix: Fix{Portal: []string{"put the exclusions into the templates, deploy them once in a test tenant, and prove the accounts there"},
			Command: []string{"halligan prove --from EXPORT", "halligan attest gov-iac-drift --by NAME --until DATE --note …"}}},
}

// both is yes when two are, and not known when nothing speaks against it.
func both(a, b answer) answer {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return maybe
}

func judgeLifecycle(c *Case) Result {
	if _, ok := c.User(); !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	var results []Result
	for _, w := range c.Snapshot.Objects(entra.PartLifecycleWorkflows) {
		results = append(results, c.workflow(w))
	}
	return merge(pass("no lifecycle workflow reaches the account"), results...)
}

// workflow judges one lifecycle workflow (graph: identityGovernance.workflow).
func (c *Case) workflow(w entra.Fields) Result {
	harmless := pass("no lifecycle workflow reaches the account")
	ev := Evidence{ID: string(w.ID()), Name: w.Str("displayName")}
	on, known := w.Flag("isEnabled")
	if known && !on {
		return harmless
	}
	cond := w.Object("executionConditions")
	switch {
	case !known:
		return c.missing(entra.PartLifecycleWorkflows, "isEnabled", "").on(ev)
	case cond.ODataType() == "onDemandExecutionOnly":
		return harmless // somebody picks the users, each time
	}
	scheduled, known := w.Flag("isSchedulingEnabled")
	if known && !scheduled {
		return harmless
	}
	tasks, tasksKnown := w.List("tasks")
	if !tasksKnown {
		return c.missing(entra.PartLifecycleWorkflows, "tasks ($expand=tasks)", "").on(ev)
	}
	does, what := c.harm(tasks)
	reach := both(c.triggers(cond.Object("trigger")), c.scoped(cond.Object("scope")))
	if !known {
		reach = both(reach, maybe)
	}
	ev.Detail = what
	switch both(does, reach) {
	case yes:
		return fail("a lifecycle workflow reaches the account: it would %s", what).on(ev)
	case maybe:
		return unknown("whether a lifecycle workflow reaches the account cannot be told: it would %s", what).on(ev)
	}
	return harmless
}

// The built-in tasks of lifecycle workflows that lock an account out (graph:
// identitygovernance-lifecycleworkflows-task-arguments).
var harmfulTasks = map[string]string{
	"1dfdfcc7-52fa-4c2e-bf3a-e3919cc12950": "disable it",
	"8d18588d-9ad3-4c0f-99d0-ec215f0e3dff": "delete it",
	"b3a31406-2a15-4c9a-b25b-a658fa5f07fc": "take it out of all groups",
}

const (
	taskRemoveFromGroups = "1953a66c-751c-45e5-8bfe-01462c70da3c"
	taskAddToGroups      = "22085229-5809-45e8-97fd-270d28d66910"
	taskCustomExtension  = "4262b724-8dba-4fad-afc3-43fcbb497a0e"
	taskPass             = "1b555e50-7f65-41d5-b514-5894a026d10d"
)

// harmlessTasks send mail, or deal in licences, teams and access packages.
var harmlessTasks = []string{
	"70b29d51-b59a-4773-9280-8841dfd3f2ea", "3c860712-2d37-42a4-928f-5c93935d26a1", "e440ed8d-25a1-4618-84ce-091ed5be5594",
	"6fc52c9d-398b-4305-9763-15f42c1676fc", "683c87a4-2ad4-420b-97d4-220d90afcd24", "5fc402a8-daaf-4b7b-9203-da868b05fc5f",
	"06aa7acb-01af-4824-8899-b14e5ed788d6", "81f7b200-2816-4b3b-8c5d-dc556f07b024", "8fa97d28-3e52-4985-b3a9-a1126f9b8b4e",
	"aab41899-9972-422a-9d97-f626014578b7", "52853a3e-f4e5-4eb8-bb24-1ac09a1da935", "9c0a1eaf-5bda-4392-9d9e-6e155bb57411",
	"6f22ddd4-b3a5-47a4-a846-0d7c201a49ce", "c1ec1e76-f374-4375-aaa6-0bb6bd4c60be", "4a0b64f2-c7ec-46ba-b117-18f262946c50",
	"42ae2956-193d-4f39-be06-691b8ac4fa1d", "498770d9-bab7-4e4c-b73d-5ded82a1d0b3",
}

// harm reports what the enabled tasks of a workflow would do to the account.
func (c *Case) harm(tasks []entra.Fields) (answer, string) {
	worst, what := no, "nothing of harm"
	found := func(a answer, word string) {
		if a == yes && worst != yes || a == maybe && worst == no {
			worst, what = a, word
		}
	}
	for _, t := range tasks {
		if on, known := t.Flag("isEnabled"); known && !on {
			continue
		}
		id := entra.ID(t.Str("taskDefinitionId")).Key()
		switch {
		case harmfulTasks[id] != "":
			found(yes, harmfulTasks[id])
		case id == taskRemoveFromGroups && c.argued(t, c.ownGroups()):
			found(yes, "take it out of a group that excludes it")
		case id == taskRemoveFromGroups && !argumentsKnown(t):
			found(maybe, "take it out of groups that were not read")
		case id == taskPass:
			found(yes, "make a Temporary Access Pass for it")
		case id == taskCustomExtension:
			found(maybe, "run an extension of your own")
		case id == taskRemoveFromGroups, id == taskAddToGroups, slices.Contains(harmlessTasks, id):
		default:
			found(maybe, "run a task that is not known here: "+clauseOr(t.Str("displayName"), id))
		}
	}
	return worst, what
}

// ownGroups are the groups whose membership decides about the account.
func (c *Case) ownGroups() []entra.ID {
	out := c.ExclusionGroups()
	in, _ := c.Memberships()
	return append(out, in...)
}

// argued reports whether a task names one of some groups.
func (c *Case) argued(t entra.Fields, groups []entra.ID) bool {
	args, _ := t.List("arguments")
	for _, a := range args {
		for _, id := range strings.Split(a.Str("value"), ",") {
			if slices.ContainsFunc(groups, entra.ID(strings.TrimSpace(id)).Equal) {
				return true
			}
		}
	}
	return false
}

// argumentsKnown reports whether it was read for what a task is.
func argumentsKnown(t entra.Fields) bool {
	args, known := t.List("arguments")
	return known && len(args) > 0
}

// triggers reports whether a trigger can fire for the account (graph:
// workflowExecutionTrigger and its kinds).
func (c *Case) triggers(t entra.Fields) answer {
	switch t.ODataType() {
	case "userInactivityTrigger", "attributeChangeTrigger", "membershipChangeTrigger":
		return yes // the accounts never sign in; attributes and groups may change
	case "timeBasedAttributeTriggerV2":
		if c.UserFields().Null(t.Str("attribute")) {
			return no
		}
	case "timeBasedAttributeTrigger":
		attribute := t.Str("timeBasedAttribute")
		offset, offsetKnown := t.Int("offsetInDays")
		at, known := c.UserFields().Time(attribute)
		switch {
		case attribute == "" || !known:
			return maybe
		case at.IsZero():
			return no // it has no such day
		case attribute != "employeeLeaveDateTime" && offsetKnown && days(at.AddDate(0, 0, offset), c.Now) > triggerDays:
			return no // that day has passed, and will not come again
		}
		return yes
	}
	return maybe
}

// triggerDays is for how many days after its day a time-based trigger still picks
// up a user: the catch-up window (entra-docs lifecycle-workflow-execution-conditions).
const triggerDays = 3

// scoped reports whether the scope of a workflow holds the account.
func (c *Case) scoped(s entra.Fields) answer {
	switch s.ODataType() {
	case "ruleBasedSubjectSet":
		rule, known := s.Text("rule")
		if !known {
			return maybe
		}
		return c.matchesRule(rule)
	case "groupBasedSubjectSet":
		groups, known := s.List("groups")
		if !known {
			return maybe
		}
		out := no
		for _, g := range groups {
			out = either(out, c.inGroup(c.Subject.ID, g.ID()))
		}
		return out
	}
	return maybe
}

func judgeAccessReviews(c *Case) Result {
	u, ok := c.User()
	if !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	var results []Result
	for _, d := range c.Snapshot.Objects(entra.PartAccessReviews) {
		results = append(results, c.review(d, strings.EqualFold(u.UserType, "Member")))
	}
	return merge(pass("no access review takes anything from the account when nobody answers"), results...)
}

// review judges one review (graph: accessReviewScheduleDefinition).
func (c *Case) review(d entra.Fields, member bool) Result {
	harmless := pass("no access review takes anything from the account when nobody answers")
	ev := Evidence{ID: string(d.ID()), Name: d.Str("displayName")}
	apply, known := d.Flag("settings.autoApplyDecisionsEnabled")
	byDefault, defaultKnown := d.Flag("settings.defaultDecisionEnabled")
	decision, decisionKnown := d.Text("settings.defaultDecision")
	switch {
	case known && !apply, defaultKnown && !byDefault, decisionKnown && strings.EqualFold(decision, "Approve"), strings.EqualFold(d.Str("status"), "Completed"):
		return harmless
	case !known:
		return c.missing(entra.PartAccessReviews, "settings.autoApplyDecisionsEnabled", "").on(ev)
	case !defaultKnown:
		return c.missing(entra.PartAccessReviews, "settings.defaultDecisionEnabled", "").on(ev)
	case !decisionKnown:
		return c.missing(entra.PartAccessReviews, "settings.defaultDecision", "").on(ev)
	}
	reach, what := c.reviewed(d, member)
	ev.Detail = fmt.Sprintf("defaultDecision %s, applied by itself: %s", decision, what)
	switch reach {
	case yes:
		return fail("an access review takes %s from the account when nobody answers", what).on(ev)
	case maybe:
		return unknown("whether an access review reaches the account cannot be told").on(ev)
	}
	return harmless
}
