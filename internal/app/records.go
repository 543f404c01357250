package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/posture"
	"halligan/register"
)

// Digest gives a SHA-256 in hexadecimal the form in which it stands in evidence.
func Digest(hex string) string {
	if hex == "" {
		return ""
	}
	return "sha256:" + hex
}

// proveData is the data of an entry about a proof.
type proveData struct {
	Tool     string        `json:"tool"`
	Verdict  string        `json:"verdict"`
	Accounts []provedTitle `json:"accounts"`
	Policies int           `json:"policiesRead"`
	Unread   []entra.Part  `json:"unread,omitempty"`
	Change   bool          `json:"change,omitempty"` // judged as it would be after a change
}

type provedTitle struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Verdict string `json:"verdict"`
}

func proved(r *Report) proveData {
	d := proveData{Tool: r.Tool, Verdict: string(r.Verdict), Policies: r.PoliciesRead, Change: r.Change != nil}
	for _, a := range r.Accounts {
		d.Accounts = append(d.Accounts, provedTitle{string(a.Account), a.Label(), string(a.Verdict)})
	}
	for _, p := range r.Parts {
		if p.Status == entra.StatusDenied || p.Status == entra.StatusCutShort {
			d.Unread = append(d.Unread, p.Part)
		}
	}
	return d
}

// checkData is the data of an entry about a run of the checks.
type checkData struct {
	proveData
	Grade  string                 `json:"grade"`
	Counts map[posture.Status]int `json:"counts"`
	Failed []string               `json:"failed"` // check ids, with the account where it is about one
}

// mostFailed bounds a line of evidence.
const mostFailed = 300

// RecordOfProof is what is recorded of a proof; report is the digest of the whole
// report as it was written.
func RecordOfProof(r *Report, report string) Record {
	return Record{Kind: evidence.KindProve, What: "prove", On: onTenant(r), Why: "verdict " + string(r.Verdict), Subject: Digest(r.Snapshot), After: report, Data: proved(r)}
}

// RecordsOfCheck are what is recorded of a run of the checks: the run, and each
// accepted risk that the register holds.
func RecordsOfCheck(r *CheckReport, reg *register.Register, report string) ([]Record, error) {
	d := checkData{proveData: proved(&r.Report), Grade: string(r.Grade), Counts: r.Counts, Failed: []string{}}
	for _, f := range r.Findings {
		if f.Status == posture.Fail && len(d.Failed) < mostFailed {
			name := f.Check
			if f.AccountName != "" {
				name += " " + f.AccountName
			}
			if !slices.Contains(d.Failed, name) {
				d.Failed = append(d.Failed, name)
			}
		}
	}
	out := []Record{{Kind: evidence.KindCheck, What: "check", On: onTenant(&r.Report), Why: fmt.Sprintf("grade %s, verdict %s", r.Grade, r.Verdict), Subject: Digest(r.Snapshot), After: report, Data: d}}
	for i := range reg.Or().Accepted {
		a := &reg.Accepted[i]
		text, err := acceptedText(a)
		if err != nil {
			return nil, err
		}
		out = append(out, Record{Kind: evidence.KindAcceptedRisk, What: "accepted risk in the register", On: "check " + a.Check, Why: a.Reason, Subject: register.DigestOf(text), Data: text})
	}
	return out, nil
}

// surviveData is the data of an entry about what survives which loss.
type surviveData struct {
	Tool string `json:"tool"`
	// Register and Custody are the digests of the two parts of the register.
	Register string         `json:"register"`
	Custody  string         `json:"custody"`
	Holds    custody.Answer `json:"holds"`
	Basis    string         `json:"basis"`
	Scenario string         `json:"scenario,omitempty"` // it was asked about this one alone
	Broken   []string       `json:"broken,omitempty"`
	Open     []string       `json:"open,omitempty"`
	// Certain and Possible are the smallest sets of losses, and how many there are.
	Certain  recordedSets `json:"certain"`
	Possible recordedSets `json:"possible"`
	// Alone are the accounts that do not surely take two people.
	Alone []string `json:"notTwoPeople,omitempty"`
}

type recordedSets struct {
	Number int      `json:"number"`
	Least  int      `json:"least"` // see custody.LossSets
	Sets   []string `json:"sets,omitempty"`
}

// Limits of what is recorded of a survey; the digest of the report binds the rest.
const (
	mostRecorded = 40
	mostOfOne    = 300
)

// shortened are the first lines of a list, none of them long.
func shortened(list []string) []string {
	var out []string
	for _, s := range list[:min(len(list), mostRecorded)] {
		if cut := []rune(s); len(cut) > mostOfOne {
			s = string(cut[:mostOfOne]) + "…"
		}
		out = append(out, s)
	}
	return out
}

func setsRecorded(list []custody.LossSet, least int) recordedSets {
	var texts []string
	for _, set := range list[:min(len(list), mostRecorded)] {
		var lost []string
		for _, l := range set.Lost {
			lost = append(lost, l.String())
		}
		texts = append(texts, strings.Join(lost, " + "))
	}
	return recordedSets{len(list), least, shortened(texts)}
}

// RecordOfSurvival is what is recorded of what survives which loss; report is the
// digest of the whole report as it was written.
func RecordOfSurvival(r *SurviveReport, reg *register.Register, report string) Record {
	_, deciding := reg.Or().Deciding()
	_, held := reg.Or().Custody()
	d := surviveData{Tool: r.Tool, Register: deciding, Custody: held, Holds: r.Holds, Basis: r.Basis, Broken: shortened(r.Broken), Open: shortened(r.Open)}
	if r.Sets != nil {
		d.Certain, d.Possible = setsRecorded(r.Sets.Certain, r.Sets.Least), setsRecorded(r.Sets.Possible, r.Sets.LeastPossible)
	} else if len(r.Scenarios) == 1 {
		d.Scenario = r.Scenarios[0].Name
	}
	for _, o := range r.Openings {
		if o.TwoPeople() != custody.Yes {
			d.Alone = append(d.Alone, cmp.Or(o.Name, string(o.Account)))
		}
	}
	d.Alone = shortened(d.Alone)
	on := "the register"
	if r.Snapshot != "" {
		on = "the register, and the tenant as it was read"
	}
	return Record{Kind: evidence.KindSurvive, What: "survive", On: on, Why: "holds: " + r.Holds.String(), Subject: Digest(r.Snapshot), After: report, Data: d}
}

// RecordOfAttestation is what is recorded of a statement.
func RecordOfAttestation(a *register.Attestation, registerText []byte) Record {
	return Record{Kind: evidence.KindAttest, What: "attest", On: "check " + a.Check, Why: a.Note, After: register.DigestOf(registerText),
		Data: map[string]string{"check": a.Check, "account": string(a.Account), "by": a.By, "on": string(a.On), "until": string(a.Until)}}
}

func onTenant(r *Report) string {
	if r.Tenant.ID == "" {
		return "an export"
	}
	return "tenant " + string(r.Tenant.ID)
}

// UnapprovedRisks are the checks whose accepted risk stands in the register otherwise
// than it was approved, or was never approved.
func (a *App) UnapprovedRisks(ctx context.Context) ([]string, error) {
	approved := map[string]bool{}
	err := a.Ledger.View(ctx, func(v store.View) error {
		for e, err := range v.Find(evidence.KindAcceptedRisk, "") {
			if err != nil {
				return err
			}
			if e.What == riskAccepted && e.Subject != "" {
				approved[e.After] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for i := range a.Register.Or().Accepted {
		r := &a.Register.Accepted[i]
		text, err := acceptedText(r)
		if err != nil {
			return nil, err
		}
		if !approved[register.DigestOf(text)] {
			out = append(out, r.Check)
		}
	}
	return out, nil
}
