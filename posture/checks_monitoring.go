package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/register"
)

var checksMonitoring = []Check{
	{ID: "mon-signin-any", Theme: ThemeMonitoring, Severity: Critical, PerAccount: true, Licence: LicenceP1,
		Title:      "Every sign-in of the account raises an alert: succeeded or failed, interactive or not",
		Why:        []string{"S64", "S66", "S87", "entra-docs concept-sign-ins: the list of v1.0 shows interactive sign-ins only"},
		References: []string{"CIS M365 2.2.1", "azd-emergency-access (interactive only)"},
		Fix: Fix{Portal: []string{"run the watcher where it can read the sign-in log, or feed it from an export of SignInLogs and NonInteractiveUserSignInLogs"},
			Graph:   []string{"GET /beta/auditLogs/signIns?$filter=userId eq '{id}' and signInEventTypes/any(t: t eq 'nonInteractiveUser')"},
			Command: []string{"halligan watch"}},
		Judge: judgeWatchSignIns},
	{ID: "mon-no-p1-path", Theme: ThemeMonitoring, Severity: High,
		Title:      "Without Microsoft Entra ID P1 the traces of a use are watched, and what stays unseen is known",
		Why:        []string{"S37", "S43", "github.com/KelvinTegelaar/CIPP/issues/4501", "the sign-in log and signInActivity need P1: what is left is the audit log, the methods and signInSessionsValidFromDateTime"},
		References: []string{"CIPP #4501"},
		Reads:      []entra.Part{entra.PartLicences},
		Fix: Fix{Portal: []string{"let the watcher compare the accounts' methods and signInSessionsValidFromDateTime at each poll", "drill on time: a use leaves no other trace"},
			Command: []string{"halligan watch"}},
		Judge: judgeWithoutP1},
	{ID: "mon-object-change", Theme: ThemeMonitoring, Severity: Critical, PerAccount: true,
		Title:      "Every change to the account, its password, methods, roles, groups, units and policies raises an alert",
		Why:        []string{"S33", "S34"},
		References: []string{"azd-emergency-access"},
		Fix: Fix{Portal: []string{"let the watcher cover every kind of change for every account"},
			Graph:   []string{"GET /auditLogs/directoryAudits?$filter=targetResources/any(t: t/id eq '{id}')"},
			Command: []string{"halligan watch"}},
		Judge: judgeWatchChanges},
	{ID: "mon-diag-categories", Theme: ThemeMonitoring, Severity: High, Licence: LicenceAzure,
		Title:      "The tenant exports its sign-in, audit and risk logs",
		Why:        []string{"S113", "entra-docs concept-diagnostic-settings-logs-options"},
		References: []string{"SCuBA MS.AAD.4.1"},
		Reads:      []entra.Part{entra.PartDiagnostics},
		Fix: Fix{Portal: []string{"Entra admin center > Monitoring & health > Diagnostic settings > Add: SignInLogs, NonInteractiveUserSignInLogs, AuditLogs, RiskyUsers"},
			Graph: []string{"PUT {arm}/providers/microsoft.aadiam/diagnosticSettings/{name}?api-version=2017-04-01"}},
		Judge: judgeDiagnostics},
	{ID: "mon-rule-healthy", Theme: ThemeMonitoring, Severity: High, Licence: LicenceAzure,
		Title:      "The tenant's own alert rule is on, of the highest severity, unsuppressed, and names every account by its object id",
		Why:        []string{"S65", "S76", "S78", pageEmergency},
		References: []string{"terraform modules that match the rule by a part of its name"},
		Reads:      []entra.Part{entra.PartAlertRules},
		Fix: Fix{Portal: []string{"Azure portal > Monitor > Alerts > Alert rules: enable the rule, severity 0, an action group, no muting", "query: SigninLogs | where UserId in (the object ids)"},
			Graph:   []string{"PUT {arm}/…/providers/Microsoft.Insights/scheduledQueryRules/{name}?api-version=2023-12-01"},
			Command: []string{"halligan azure-alert"}},
		Judge: judgeAlertRules},
	{ID: "mon-recipients", Theme: ThemeMonitoring, Severity: High,
		Title: "Alerts reach two people or more on two channels or more, one of them outside the tenant",
		Why:   []string{"S77", "mail and Teams are down when the tenant is"},
		Fix: Fix{Portal: []string{"add a text message, a call or a webhook that does not need the tenant", "write each channel under channels: into halligan.yaml"},
			Command: []string{"halligan alert test"}},
		Judge: judgeRecipients},
	{ID: "mon-latency", Theme: ThemeMonitoring, Severity: High, Setting: "alertMinutes",
		Title: "Measured from the event, an alert reaches people in time",
		Why:   []string{"S66", "S118", "github.com/MicrosoftDocs/azure-docs/issues/23520"},
		Fix: Fix{Portal: []string{"shorten the interval of the rule or the watcher, and measure again"},
			Command: []string{"halligan alert test", "halligan drill"}},
		Judge: judgeLatency},
	{ID: "mon-heartbeat", Theme: ThemeMonitoring, Severity: Critical, Setting: "heartbeatMinutes",
		Title:      "The watcher runs, without gaps, and a dead watcher pages somebody",
		Why:        []string{"S66", "S118", "a watcher that stopped is as silent as a day without events"},
		References: []string{"azd-emergency-access (planned)"},
		Fix: Fix{Portal: []string{"start the watcher, and let an outside monitor page when its heartbeat stops"},
			Command: []string{"halligan watch", "halligan doctor"}},
		Judge: judgeHeartbeat},
	{ID: "mon-retention", Theme: ThemeMonitoring, Severity: Medium, Setting: "retentionDays", Licence: LicenceAzure, EvenWithout: true,
		Title:      "The logs are kept as long as the profile asks",
		Why:        []string{"S68", "entra-docs reference-reports-data-retention: 7 days on Free, 30 on P1 and P2", "github.com/ssc-spc-ccoe-cei/azure-guardrails-solution-accelerator/issues/567"},
		References: []string{"Guardrails #567"},
		Fix: Fix{Portal: []string{"Azure portal > Log Analytics workspace > Usage and estimated costs > Data Retention"},
			Graph:   []string{`PATCH {arm}/…/providers/Microsoft.OperationalInsights/workspaces/{name} {"properties": {"retentionInDays": 365}}`},
			Command: []string{"halligan watch"}},
		Judge: judgeRetention},
}

// The kinds of sign-in and of change that the watcher can alert on
// (Watch.SignIns, Watch.Objects).
var (
	watchedSignIns = []string{"interactive", "nonInteractive", "failed"}
	watchedChanges = []string{"user", "password", "methods", "tap", "roles", "groups", "units", "policies"}
)

// watchedSessions is the kind of change by which a use shows without a sign-in
// log: the drift of signInSessionsValidFromDateTime.
const watchedSessions = "sessions"

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// lacking returns what of wanted is not in has.
func lacking(has, wanted []string) []string {
	var out []string
	for _, w := range wanted {
		if !containsFold(has, w) {
			out = append(out, w)
		}
	}
	return out
}

// watched judges whether the watcher covers the account and every kind.
func (c *Case) watched(has, wanted []string, what string) Result {
	w := c.Records.Watch
	if w == nil {
		return notSetUp("Halligan watches nothing; the tenant's own rules are judged by mon-rule-healthy")
	}
	if !slices.ContainsFunc(w.Accounts, c.Subject.ID.Equal) {
		return fail("the watcher does not watch the account").on(c.user(c.Subject.ID, "not among the watched accounts"))
	}
	if missing := lacking(has, wanted); len(missing) > 0 {
		return fail("the watcher is blind to some %s: %s", what, strings.Join(missing, ", ")).on(c.user(c.Subject.ID, "no alert on: "+strings.Join(missing, ", ")))
	}
	return pass("the watcher alerts on all kinds of %s", what)
}

func judgeWatchSignIns(c *Case) Result {
	if c.Records.Watch == nil {
		return c.watched(nil, nil, "")
	}
	return c.watched(c.Records.Watch.SignIns, watchedSignIns, "sign-ins")
}

func judgeWatchChanges(c *Case) Result {
	if c.Records.Watch == nil {
		return c.watched(nil, nil, "")
	}
	return c.watched(c.Records.Watch.Objects, watchedChanges, "changes")
}

func judgeWithoutP1(c *Case) Result {
	if !c.Lacks(LicenceP1) {
		return notApplicable("the tenant has Microsoft Entra ID P1: see mon-signin-any")
	}
	w := c.Records.Watch
	switch {
	case w == nil:
		return notSetUp("without P1 there is no sign-in log, and nothing watches the traces that a use leaves")
	case !containsFold(w.Objects, watchedSessions):
		return fail("without P1 there is no sign-in log, and the watcher does not compare signInSessionsValidFromDateTime").on(Evidence{Name: "watcher", Detail: "no alert on: " + watchedSessions})
	}
	for _, s := range c.emergency() {
		if !slices.ContainsFunc(w.Accounts, s.ID.Equal) {
			return fail("the watcher does not watch every account").on(c.user(s.ID, "not among the watched accounts"))
		}
	}
	return pass("the watcher compares what a use changes; a sign-in that changes nothing stays unseen without P1, so drills on time are all that is left")
}

// The categories of diagnostic settings that the accounts need (entra-docs
// concept-diagnostic-settings-logs-options); RiskyUsers is filled with P2 only.
var logCategories = []string{"SignInLogs", "NonInteractiveUserSignInLogs", "AuditLogs", "RiskyUsers"}

// export is one diagnostic setting that sends somewhere.
type export struct {
	name, workspace string
	categories      []string
}

// exports lists the diagnostic settings that have a destination, and whether all
// could be understood.
func (c *Case) exports() (out []export, sure bool) {
	sure = true
	for _, f := range c.Snapshot.Objects(entra.PartDiagnostics) {
		p := f.Object("properties")
		logs, known := p.List("logs")
		e := export{name: f.Str("name"), workspace: p.Str("workspaceId")}
		if !known {
			sure = false
			continue
		}
		if e.workspace == "" && p.Str("storageAccountId") == "" && p.Str("eventHubAuthorizationRuleId") == "" && p.Str("marketplacePartnerId") == "" {
			continue
		}
		for _, l := range logs {
			on, known := l.Flag("enabled")
			switch {
			case !known:
				sure = false
			case on && strings.EqualFold(l.Str("categoryGroup"), "allLogs"):
				e.categories = append(e.categories, logCategories...)
			case on:
				e.categories = append(e.categories, l.Str("category"))
			}
		}
		out = append(out, e)
	}
	return out, sure
}

func judgeDiagnostics(c *Case) Result {
	if len(c.Snapshot.Objects(entra.PartDiagnostics)) == 0 {
		return notSetUp("no diagnostic setting exports the logs of Microsoft Entra ID")
	}
	exports, sure := c.exports()
	var has, wanted []string
	for _, e := range exports {
		has = append(has, e.categories...)
	}
	for _, w := range logCategories {
		// Microsoft exports what the licence records: sign-ins from P1, risk from P2.
		if w == "RiskyUsers" && c.Lacks(LicenceP2) || w != "AuditLogs" && c.Lacks(LicenceP1) {
			continue
		}
		wanted = append(wanted, w)
	}
	missing := lacking(has, wanted)
	switch {
	case len(missing) == 0:
		return pass("exported: %s", strings.Join(wanted, ", "))
	case !sure:
		return c.missing(entra.PartDiagnostics, "properties.logs", "")
	}
	r := fail("not exported: %s", strings.Join(missing, ", "))
	for _, e := range exports {
		r = r.on(Evidence{Name: e.name, Detail: "exports " + cmp.Or(strings.Join(e.categories, ", "), "nothing")})
	}
	return r
}

// channelFails reports whether the last test of a channel did not arrive.
func (c *Case) channelFails(name string) bool {
	var last AlertTest
	for _, t := range c.Records.AlertTests {
		if strings.EqualFold(t.Channel, name) && !t.At.After(c.Now) && !t.At.Before(last.At) {
			last = t
		}
	}
	return !last.At.IsZero() && last.DeliveredAt.IsZero()
}

// tenantKinds are the kinds of channel that the tenant itself carries.
var tenantKinds = []string{"teams", "sharepoint", "outlook", "exchange"}

// outside reports whether a channel works while the tenant is down. An address in
// one of the tenant's own domains does not, whatever the register says of it.
func (c *Case) outside(ch register.Channel) answer {
	if ch.InTenant || containsFold(tenantKinds, ch.Kind) {
		return no
	}
	if !strings.Contains(strings.ToLower(ch.Kind), "mail") {
		return yes
	}
	if c.Snapshot.Status(entra.PartDomains).Status != entra.StatusRead {
		return maybe
	}
	for _, r := range ch.Recipients {
		_, domain, ok := strings.Cut(r, "@")
		if ok && !slices.ContainsFunc(c.View().Domains, func(d entra.Domain) bool { return strings.EqualFold(d.Name, strings.Trim(domain, " <>.;")) }) {
			return yes
		}
	}
	return no
}

func judgeRecipients(c *Case) Result {
	channels := c.Register.Or().Channels
	if len(channels) == 0 {
		return notSetUp("no channel is registered on which alerts reach people")
	}
	var names, people []string
	away := no
	var ev []Evidence
	for _, ch := range channels {
		e := Evidence{Name: ch.Name, Detail: fmt.Sprintf("%s, %d recipients", ch.Kind, len(ch.Recipients))}
		if c.channelFails(ch.Name) || len(ch.Recipients) == 0 {
			e.Detail += ", reaches nobody"
			ev = append(ev, e)
			continue
		}
		if !containsFold(names, ch.Name) {
			names = append(names, ch.Name)
		}
		for _, r := range ch.Recipients {
			if r = strings.TrimSpace(r); r != "" && !containsFold(people, r) {
				people = append(people, r)
			}
		}
		out := c.outside(ch)
		if out == no {
			e.Detail += ", down with the tenant"
		}
		away = either(away, out)
		ev = append(ev, e)
	}
	switch {
	case len(names) < 2:
		return fail("alerts have %d channels that reach somebody, two are wanted", len(names)).on(ev...)
	case len(people) < 2:
		return fail("alerts reach %d recipients, two are wanted", len(people)).on(ev...)
	case away == no:
		return fail("every channel is down when the tenant is").on(ev...)
	case away == maybe:
		return c.unread(entra.PartDomains, c.Snapshot.Status(entra.PartDomains))
	}
	return pass("%d recipients on %d channels, one or more outside the tenant", len(people), len(names))
}

func judgeLatency(c *Case) Result {
	most := time.Duration(c.Settings.AlertMinutes) * time.Minute
	var results []Result
	measure := func(what string, from, to time.Time) {
		took := to.Sub(from)
		ev := Evidence{Name: what, Detail: fmt.Sprintf("%s: %s", from.UTC().Format(time.RFC3339), took.Round(time.Second))}
		switch {
		case took < 0:
			results = append(results, unknown("an alert is recorded before its event: the clocks differ").on(ev))
		case days(from, c.Now) > drillYear:
			results = append(results, unknown("the last measurement of an alert is more than a year old").on(ev))
		case took > most:
			results = append(results, fail("an alert took longer than %d minutes", c.Settings.AlertMinutes).on(ev))
		default:
			results = append(results, pass("the last alerts came within %d minutes", c.Settings.AlertMinutes))
		}
	}
	for _, s := range c.emergency() {
		if d, ok := c.lastDrill(s.ID, func(d Drill) bool { return !d.AlertAt.IsZero() }); ok {
			measure(cmp.Or(s.Name, string(s.ID)), d.At, d.AlertAt)
		}
	}
	for _, ch := range c.Register.Or().Channels {
		var last AlertTest
		for _, t := range c.Records.AlertTests {
			if strings.EqualFold(t.Channel, ch.Name) && !t.DeliveredAt.IsZero() && !t.At.After(c.Now) && t.At.After(last.At) {
				last = t
			}
		}
		if !last.At.IsZero() {
			measure("channel "+ch.Name, last.At, last.DeliveredAt)
		}
	}
	return merge(notSetUp("nobody has measured yet how long an alert takes"), results...)
}

func judgeHeartbeat(c *Case) Result {
	w := c.Records.Watch
	if w == nil {
		return notSetUp("Halligan watches nothing here")
	}
	most := time.Duration(c.Settings.HeartbeatMinutes) * time.Minute
	ev := Evidence{Name: "watcher", Detail: fmt.Sprintf("last complete poll %s, longest gap %s", w.Last.UTC().Format(time.RFC3339), w.Gap)}
	switch {
	case w.Last.IsZero():
		return fail("the watcher has never completed a poll").on(ev)
	case w.Last.After(c.Now):
		return unknown("the watcher's last poll lies in the future: the clocks differ").on(ev)
	case c.Now.Sub(w.Last) > most:
		return fail("the watcher has been silent for %s", c.Now.Sub(w.Last).Round(time.Minute)).on(ev)
	case w.Gap > most:
		return fail("the watcher had a gap of %s: what happened in it was not seen", w.Gap.Round(time.Minute)).on(ev)
	case !w.DeadMan:
		return fail("nobody is paged when the watcher dies").on(ev)
	}
	return pass("the watcher ran %s ago, without gaps, and its silence pages somebody", c.Now.Sub(w.Last).Round(time.Minute))
}

func judgeRetention(c *Case) Result {
	want, own := c.Settings.RetentionDays, 0
	if c.Records.Watch != nil {
		own = c.Records.Watch.RetentionDays
	}
	if own >= want {
		return pass("Halligan's own copies are kept for %d days", own)
	}
	if st := c.Snapshot.Status(entra.PartDiagnostics); st.Status != entra.StatusRead {
		return c.unread(entra.PartDiagnostics, st)
	}
	exports, _ := c.exports()
	var results []Result
	for _, category := range []string{"SignInLogs", "AuditLogs"} {
		if category == "SignInLogs" && c.Lacks(LicenceP1) {
			continue
		}
		results = append(results, c.retained(category, exports, want))
	}
	r := merge(notSetUp("no log is kept"), results...)
	if r.Status == NotSetUp && own > 0 {
		return fail("the logs are kept for %d days, %d are wanted", own, want).on(Evidence{Name: "own copies", Detail: fmt.Sprintf("%d days", own)})
	}
	return r
}

// retained judges how long the workspaces keep one category of the logs.
func (c *Case) retained(category string, exports []export, want int) Result {
	sent := false
	var ev []Evidence
	for _, e := range exports {
		if !containsFold(e.categories, category) || e.workspace == "" {
			continue
		}
		sent = true
		if st := c.Snapshot.Status(entra.PartWorkspaces); st.Status != entra.StatusRead {
			return c.unread(entra.PartWorkspaces, st)
		}
		for _, w := range c.Snapshot.Objects(entra.PartWorkspaces) {
			if !w.ID().Equal(entra.ID(e.workspace)) {
				continue
			}
			days, known := w.Int("properties.retentionInDays")
			switch {
			case !known:
				return c.missing(entra.PartWorkspaces, "properties.retentionInDays", "")
			case days >= want:
				return pass("the workspace %s keeps them for %d days", w.Str("name"), days)
			}
			ev = append(ev, Evidence{ID: e.workspace, Name: w.Str("name"), Detail: fmt.Sprintf("%s: %d days", category, days)})
		}
	}
	switch {
	case !sent:
		return notSetUp("no copy of the logs is kept beyond what Microsoft Entra ID keeps itself: %s go to no workspace", category)
	case len(ev) == 0:
		return unknown("the workspace to which %s go is not among those that were read", category)
	}
	return fail("the logs are kept for fewer than %d days", want).on(ev...)
}
