package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/lockout"
	"halligan/posture"
	"halligan/register"
)

// CheckSchema names the JSON form of a CheckReport. It is documented in
// docs/check-json.md and docs/check.schema.json.
const CheckSchema = "halligan-check/1"

// CheckRequest asks for the proof and every check of one tenant.
type CheckRequest struct {
	ProveRequest
	// Register is nil when there is none; RegisterName is its file.
	Register     *register.Register
	RegisterName string
	Records      posture.Records
	Time         time.Time
	// FailOn is the least severity of a failed check that counts as trouble; ""
	// is high.
	FailOn posture.Severity
	// Baseline are the failures that were known before: they do not count as
	// trouble.
	Baseline *Baseline
}

// CheckReport is what Check found: the report of the proof, and the findings.
type CheckReport struct {
	Report
	Grade posture.Grade `json:"grade"`
	// GradeReasons say what keeps the grade from being better.
	GradeReasons []string `json:"gradeReasons"`
	// Register is the file of the register; "" none.
	Register string           `json:"register,omitempty"`
	FailOn   posture.Severity `json:"failOn"`
	// Baseline: the findings were compared with an earlier report.
	Baseline bool `json:"baseline"`
	// Facts are what decides how the tenant is judged, as sentences: security
	// defaults, licences.
	Facts []string `json:"facts"`
	// Warnings are what makes the whole answer doubtful: accounts of the register
	// that were not read, another tenant's register, nothing read at all.
	Warnings []string `json:"warnings"`
	// Counts are the findings by status.
	Counts   map[posture.Status]int `json:"counts"`
	Findings []*FindingReport       `json:"findings"`
	// Unread counts the indeterminate findings by the permission that would
	// settle them, the most first.
	Unread []Want `json:"unread"`
	// LastDrill is the last successful drill of the account that waits longest;
	// nil when an account was never drilled.
	LastDrill *time.Time    `json:"lastDrill,omitempty"`
	DrillDays int           `json:"drillDays"` // since LastDrill; -1 never
	Due       []posture.Due `json:"due"`
	// Proposals are what may be emergency accounts, when there is no register.
	Proposals []posture.Proposal `json:"proposals,omitempty"`
	// Init is the command that registers the accounts proposed.
	Init string `json:"init,omitempty"`
	// CrossCheck is the comparison with Microsoft's own evaluations, when it was
	// asked for.
	CrossCheck *CrossReport `json:"crossCheck,omitempty"`
	// Conflicts are the contradictions between the sources and what was chosen.
	Conflicts []Choice `json:"conflicts"`
}

// FindingReport is one finding as it is written.
type FindingReport struct {
	Check       string             `json:"check"`
	Account     entra.ID           `json:"account,omitempty"`
	AccountName string             `json:"accountName,omitempty"`
	Hypothesis  bool               `json:"hypothesis,omitempty"`
	Status      posture.Status     `json:"status"`
	Severity    posture.Severity   `json:"severity"`
	Theme       posture.Theme      `json:"theme"`
	Title       string             `json:"title"`
	Says        string             `json:"says"`
	Evidence    []posture.Evidence `json:"evidence"`
	Missing     []posture.Missing  `json:"missing"`
	Why         []string           `json:"why"`
	References  []string           `json:"references"`
	Conflict    string             `json:"conflict,omitempty"`
	Fix         posture.Fix        `json:"fix"`
	// Step is the next step that fits just this finding.
	Step string `json:"step,omitempty"`
	// Known: the baseline has this failure.
	Known bool `json:"known"`
	// Counts: the failure is trouble (exit code 3).
	Counts bool `json:"counts"`
	// By and Until are those of an attestation or an accepted risk; Lapsed says
	// why one that the register has does not count.
	By     string       `json:"by,omitempty"`
	Until  register.Day `json:"until,omitempty"`
	Lapsed string       `json:"lapsed,omitempty"`
}

// Want is a permission for want of which findings are indeterminate.
type Want struct {
	Permission string `json:"permission"`
	Findings   int    `json:"findings"`
	// Parts are what it reads, in words.
	Parts []string `json:"parts"`
}

// Choice is one contradiction between the sources (C1 to C9) and how this tenant
// decides it.
type Choice struct {
	Conflict string `json:"conflict"`
	Setting  string `json:"setting"`
	Value    string `json:"value"`
	Default  bool   `json:"default"`
	// Texts are what the sources say.
	Texts []string `json:"texts"`
}

// Check proves and checks a tenant on one reading of it. The error is for a
// request that makes no sense.
func Check(ctx context.Context, req CheckRequest) (*CheckReport, error) {
	goals, infos, err := resolveGoals(req.Goals)
	if err != nil {
		return nil, err
	}
	snap, err := req.read(ctx, req.Register)
	if err != nil {
		return nil, err
	}
	var proposals []posture.Proposal
	hypothesis := req.hypothetical() // before the accounts of the register are named
	if hypothesis {
		proposals = posture.Proposals(snap)
	}
	subjects, twice, err := req.subjects(snap, proposals)
	if err != nil {
		return nil, err
	}
	var cross *CrossReport
	if req.Evaluator != nil {
		var ids []entra.ID
		for i := range subjects {
			ids = append(ids, subjects[i].id)
		}
		if snap, cross, req.Records.Disagreements, err = crossCheck(ctx, &req.ProveRequest, snap, ids); err != nil {
			return nil, err
		}
	}
	proved, err := proveOn(ctx, req.ProveRequest, snap, goals, infos, subjects, twice)
	if err != nil {
		return nil, err
	}
	r := &CheckReport{Report: *proved, Register: req.RegisterName, FailOn: cmp.Or(req.FailOn, posture.High), Proposals: proposals,
		Counts: map[posture.Status]int{}, DrillDays: -1, CrossCheck: cross, Baseline: req.Baseline != nil, Facts: tenantFacts(snap)}
	r.Schema = CheckSchema
	r.Report.Hypothesis = hypothesis
	in := &posture.Input{Snapshot: snap, Register: req.Register, Records: req.Records, Now: req.Time, Accounts: judged(proved)}
	req.say("checking")
	findings := posture.Judge(in)
	r.Grade, r.GradeReasons = posture.GradeOf(in, findings)
	r.GradeReasons = orEmpty(r.GradeReasons)
	for i := range findings {
		r.add(&findings[i], req.Baseline)
	}
	r.Findings = orEmpty(r.Findings)
	r.Unread = wants(findings)
	r.Due = orEmpty(posture.Dues(in))
	if last, ok := posture.LastDrill(in); ok {
		r.LastDrill, r.DrillDays = &last, int(req.Time.Sub(last).Hours()/24)
	}
	r.Conflicts = choices(req.Register)
	r.Warnings = warnings(snap, &req)
	if len(r.Unread) > 0 {
		if req.Tenant == nil {
			r.Next = append(r.Next, Step{Do: "export more of the tenant: docs/export.md has the command for each part", Why: fmt.Sprintf("%d findings wait for it", r.Counts[posture.Indeterminate])})
		} else {
			r.Next = append(r.Next, r.readMore(snap, &req)...)
		}
	}
	if r.Report.Hypothesis {
		r.Init = initCommand(&req, proposals)
		r.Next = append([]Step{{Do: r.Init, Why: "register your emergency accounts, leaving out those that are none: nobody else can say which they are", Command: true}}, checkSteps(r.Next)...)
	}
	return r, nil
}

// readMore are the steps by which more of a live tenant would be read.
func (r *CheckReport) readMore(snap *entra.Snapshot, req *CheckRequest) []Step {
	var out []Step
	if req.Evaluator == nil && !posture.NoPoliciesByLicence(snap) {
		out = append(out, Step{Do: "halligan check --cross-check", Why: "Microsoft's own evaluations were not asked for", Command: true})
	}
	if !req.Azure {
		out = append(out, Step{Do: "halligan check --azure", Why: "alert rules, workspaces and rights at the Azure root were not asked for; needs the role Reader", Command: true})
	}
	denied := 0
	for _, info := range entra.PartTable {
		if snap.Status(info.Part).Status == entra.StatusDenied {
			denied++
		}
	}
	if denied > 0 {
		out = append(out, Step{Do: "let whoever is signed in read what was refused: a role that may read, such as Global Reader, and the permissions of halligan permissions", Why: fmt.Sprintf("%d parts of the tenant were refused; halligan snapshot lists them", denied)})
	}
	return out
}

// tenantFacts are what decides how a tenant is judged, and what cannot be seen in
// it for want of a licence (S37, S43).
func tenantFacts(snap *entra.Snapshot) []string {
	out := []string{}
	v := snap.View()
	if v.SecurityDefaults != nil && *v.SecurityDefaults {
		out = append(out, "security defaults are on: multifactor authentication for everybody, without exclusions")
	}
	if snap.Status(entra.PartLicences).Status == entra.StatusRead {
		switch {
		case posture.Lacks(snap, posture.LicenceP1):
			out = append(out, "no licence for Microsoft Entra ID P1: no Conditional Access, no sign-in log and no last sign-in; what an account does at sign-in stays unseen")
		case posture.Lacks(snap, posture.LicenceP2):
			out = append(out, "no licence for Microsoft Entra ID P2: no risk state and no PIM; both stay unseen")
		}
	}
	return out
}

// warnings are what a person must know before anything else.
func warnings(snap *entra.Snapshot, req *CheckRequest) []string {
	out := []string{}
	v := snap.View()
	if snap.Status(entra.PartPolicies).Status != entra.StatusRead && !posture.NoPoliciesByLicence(snap) {
		out = append(out, "the Conditional Access policies were not all read: what follows cannot be the whole answer")
	}
	r := req.Register.Or()
	if r.Tenant.ID != "" && v.TenantID != "" && !r.Tenant.ID.Equal(v.TenantID) {
		out = append(out, fmt.Sprintf("the register is of tenant %s, and what was read is of tenant %s", r.Tenant.ID, v.TenantID))
	}
	for _, a := range r.Accounts {
		switch {
		case slices.ContainsFunc(v.Users, func(u entra.User) bool { return u.ID.Equal(a.ID) }), len(v.Users) == 0:
		case slices.ContainsFunc(v.Groups, func(g entra.Group) bool { return g.ID.Equal(a.ID) }):
			out = append(out, fmt.Sprintf("%s is registered as an account, and is a group", a.ID))
		default:
			out = append(out, fmt.Sprintf("%s is registered and not among the %d users read: a wrong id, a deleted account, or the export of another tenant", cmp.Or(a.Name, string(a.ID)), len(v.Users)))
		}
	}
	return out
}

// checkSteps leaves out what the init command says better.
func checkSteps(steps []Step) []Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.Command })
}

// hypothetical: nobody said which accounts are emergency accounts.
func (req *CheckRequest) hypothetical() bool {
	return len(req.Accounts) == 0 && (req.Register == nil || len(req.Register.Accounts) == 0)
}

// subjects are the accounts that were named, else those of the register, else
// proposals.
func (req *CheckRequest) subjects(snap *entra.Snapshot, proposals []posture.Proposal) ([]subject, []entra.Trouble, error) {
	if req.hypothetical() {
		return proposed(snap, req, proposals), nil, nil
	}
	var out []subject
	var twice []entra.Trouble
	if len(req.Accounts) > 0 {
		var err error
		if out, twice, err = resolveSubjects(snap, &req.ProveRequest); err != nil {
			return nil, nil, err
		}
	} else {
		for _, a := range req.Register.Accounts {
			out = append(out, subject{id: a.ID, suppose: req.Suppose, name: a.Name})
			req.Accounts = append(req.Accounts, string(a.ID)) // named, as far as the proof goes
		}
	}
	for i := range out {
		out[i].suppose = slices.Concat(req.Register.Or().Suppose, out[i].suppose)
		if a := req.Register.Account(out[i].id); a != nil {
			out[i].suppose = append(out[i].suppose, a.Suppose...)
		}
	}
	return out, twice, nil
}

// proposed makes the likeliest proposals into subjects.
func proposed(snap *entra.Snapshot, req *CheckRequest, list []posture.Proposal) []subject {
	var out []subject
	add := func(c lockout.Candidate) {
		c.Suppose = orEmpty(c.Suppose)
		s := subject{id: c.Account(), candidate: &c, suppose: slices.Concat(c.Suppose, req.Suppose)}
		if len(out) < maxCandidates && !slices.ContainsFunc(out, func(x subject) bool { return x.id.Equal(s.id) }) {
			out = append(out, s)
		}
	}
	for i := range list {
		if i > 0 && !list[i].Permanent && list[i].Excluded*2 < list[0].Excluded {
			continue
		}
		for _, c := range members(snap.View(), list[i].Candidate) {
			add(c)
		}
	}
	if len(out) == 0 {
		return candidates(snap, &req.ProveRequest)
	}
	return out
}

// judged are the accounts of a proof as the checks take them.
func judged(r *Report) []posture.Subject {
	var out []posture.Subject
	for _, a := range r.Accounts {
		s := posture.Subject{ID: a.Account, Name: a.Label(), Hypothesis: a.Hypothesis, StandIn: a.Candidate != nil && a.Candidate.Kind != "user"}
		for _, g := range a.Goals {
			if g.Counts {
				s.Verdicts = append(s.Verdicts, g.Verdict)
			}
		}
		out = append(out, s)
	}
	return out
}

func (r *CheckReport) add(f *posture.Finding, b *Baseline) {
	c := f.Check
	out := &FindingReport{Check: c.ID, Account: f.Account, AccountName: f.AccountName, Hypothesis: f.Hypothesis, Status: f.Status, Severity: c.Severity, Theme: c.Theme,
		Title: c.Title, Says: f.Says, Evidence: orEmpty(f.Evidence), Missing: orEmpty(f.Missing), Why: orEmpty(c.Reasons()), References: orEmpty(c.References),
		Conflict: c.Conflict, Fix: c.Fix, Lapsed: f.Lapsed, Step: f.Step}
	switch {
	case f.Attestation != nil:
		out.By, out.Until = f.Attestation.By, f.Attestation.Until
	case f.Accepted != nil:
		out.By, out.Until = f.Accepted.Approver, f.Accepted.Until
	}
	out.Known = b.has(out)
	out.Counts = f.Status == posture.Fail && !out.Known && severe(c.Severity, r.FailOn)
	r.Counts[f.Status]++
	r.Findings = append(r.Findings, out)
}

// severe reports whether a severity is at least as bad as another.
func severe(s, least posture.Severity) bool {
	return slices.Index(posture.Severities, s) <= slices.Index(posture.Severities, least)
}

// Trouble reports whether trouble was found: a lockout of a registered account,
// or a failed check that counts.
func (r *CheckReport) Trouble() bool {
	return r.Report.Trouble() || slices.ContainsFunc(r.Findings, func(f *FindingReport) bool { return f.Counts })
}

// Settled reports whether everything that matters could be told: the proof is
// settled and rests on no supposition, and no check that would count is indeterminate.
func (r *CheckReport) Settled() bool {
	if slices.ContainsFunc(r.Accounts, func(a *AccountReport) bool { return a.Supposing }) {
		return false
	}
	return r.Report.Settled() && !slices.ContainsFunc(r.Findings, func(f *FindingReport) bool {
		return f.Status == posture.Indeterminate && severe(f.Severity, r.FailOn)
	})
}

// wants gathers what is missing by permission.
func wants(findings []posture.Finding) []Want {
	by := map[string]*Want{}
	var order []string
	for i := range findings {
		if findings[i].Status != posture.Indeterminate {
			continue
		}
		seen := map[string]bool{}
		for _, m := range findings[i].Missing {
			if by[m.Permission] == nil {
				by[m.Permission] = &Want{Permission: m.Permission}
				order = append(order, m.Permission)
			}
			w := by[m.Permission]
			if !seen[m.Permission] {
				w.Findings++
				seen[m.Permission] = true
			}
			if what := m.Part.Info().What; !slices.Contains(w.Parts, what) {
				w.Parts = append(w.Parts, what)
			}
		}
	}
	out := []Want{}
	for _, p := range order {
		out = append(out, *by[p])
	}
	slices.SortStableFunc(out, func(a, b Want) int { return cmp.Or(b.Findings-a.Findings, strings.Compare(a.Permission, b.Permission)) })
	return out
}

// initCommand registers what was proposed.
func initCommand(req *CheckRequest, proposals []posture.Proposal) string {
	args := []string{"halligan init"}
	for _, source := range req.Sources {
		name := source.Name
		if name == "stdin" {
			name = "export.json"
		}
		args = append(args, "--from "+quote(name))
	}
	n := 0
	for i := range proposals {
		p := &proposals[i]
		if p.Kind == "user" && n < maxCandidates && (p.Strong() || p.Permanent) {
			args = append(args, "--account "+quote(cmp.Or(p.Name, string(p.ID))))
			n++
		}
	}
	if n == 0 {
		args = append(args, "--account OBJECT-ID")
	}
	return strings.Join(args, " ")
}

// choices are the contradictions of the sources and what the register chose.
func choices(r *register.Register) []Choice {
	out := []Choice{}
	for _, s := range register.SettingsTable() {
		if s.Conflict == "" {
			continue
		}
		c := Choice{Conflict: s.Conflict, Setting: s.Key, Value: s.In(r.Or().Settings), Texts: []string{}}
		c.Default = c.Value == s.Default
		for _, side := range s.Sides {
			source := side.Source
			if side.Date != "" {
				source += ", " + side.Date
			}
			c.Texts = append(c.Texts, fmt.Sprintf("%s: %s", source, side.Text))
		}
		out = append(out, c)
	}
	return out
}
