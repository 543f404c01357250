package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"halligan/internal/app"
	"halligan/posture"
)

// The parts of SARIF 2.1.0 that are written here (OASIS, section 3).
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Language    string            `json:"language"`
	Newlines    []string          `json:"newlineSequences"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	Properties  map[string]any    `json:"properties"`
}

type sarifDriver struct {
	Name     string      `json:"name"`
	Version  string      `json:"version"`
	Language string      `json:"language"`
	Rules    []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID                   string         `json:"id"`
	ShortDescription     sarifText      `json:"shortDescription"`
	FullDescription      sarifText      `json:"fullDescription"`
	Help                 sarifText      `json:"help"`
	DefaultConfiguration sarifConfig    `json:"defaultConfiguration"`
	Properties           map[string]any `json:"properties"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool           `json:"executionSuccessful"`
	Notifications       []sarifMessage `json:"toolExecutionNotifications"`
}

type sarifMessage struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID              string             `json:"ruleId"`
	RuleIndex           int                `json:"ruleIndex"`
	Kind                string             `json:"kind"`
	Level               string             `json:"level"`
	Message             sarifText          `json:"message"`
	Locations           []sarifLocation    `json:"locations"`
	PartialFingerprints map[string]string  `json:"partialFingerprints"`
	BaselineState       string             `json:"baselineState,omitempty"`
	Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
	Properties          map[string]any     `json:"properties,omitempty"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	} `json:"physicalLocation"`
	Logical []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

// sarifPlain makes a text into a message that is only text: brackets would make a
// link of it and braces a placeholder (section 3.11).
func sarifPlain(text string) sarifText {
	return sarifText{strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(escape(text))}
}

const sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"

// sarifLevels are the levels of a failed check by severity; GitHub shows error,
// warning and note.
var sarifLevels = map[posture.Severity]string{posture.Critical: "error", posture.High: "error", posture.Medium: "warning", posture.Low: "note"}

// sarifKinds are the kinds of result by status. Only a failure has a level
// (section 3.27.10).
var sarifKinds = map[posture.Status]string{posture.Fail: "fail", posture.AcceptedRisk: "fail", posture.Indeterminate: "open", posture.NotSetUp: "open",
	posture.Attested: "review", posture.Pass: "pass", posture.NotApplicable: "notApplicable"}

// proveRule is the rule under which the verdicts of the prover stand.
const proveRule = "prove"

// writeCheckSARIF writes the findings and verdicts as SARIF 2.1.0.
func writeCheckSARIF(w io.Writer, r *app.CheckReport, _ look) error {
	run := sarifRun{Language: "en-US", Newlines: []string{"\n"}, Results: []sarifResult{}, Properties: map[string]any{"grade": r.Grade, "policiesRead": r.PoliciesRead, "incomplete": r.Incomplete}}
	run.Tool.Driver = sarifDriver{Name: "halligan", Language: "en-US", Version: strings.TrimPrefix(r.Tool, "halligan "), Rules: []sarifRule{{ID: proveRule,
		ShortDescription: sarifText{"The account gets in whatever happens"}, FullDescription: sarifText{"The prover says PROVED for every goal that counts."},
		Help: sarifText{"halligan prove shows the sign-in that fails and the policies that deny it."}, DefaultConfiguration: sarifConfig{"error"}, Properties: map[string]any{"severity": posture.Critical}}}}
	rules := map[string]int{}
	for i, c := range posture.Catalogue() {
		rules[c.ID] = i + 1
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: c.ID, ShortDescription: sarifText{c.Title}, FullDescription: sarifText{c.Title + ". Why: " + strings.Join(c.Why, "; ") + "."},
			Help: sarifText{strings.Join(fixLines(c.Fix), "\n")}, DefaultConfiguration: sarifConfig{sarifLevels[c.Severity]},
			Properties: map[string]any{"tags": append([]string{string(c.Theme)}, c.References...), "severity": c.Severity, "security-severity": securitySeverity[c.Severity]}})
	}
	at := sarifPlace(r)
	run.Invocations = []sarifInvocation{{ExecutionSuccessful: true, Notifications: []sarifMessage{}}}
	for _, t := range r.Troubles {
		run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifMessage{"warning", sarifPlain(placed(t.File, t.Line, t.Column) + ": " + t.What)})
	}
	for _, a := range r.Accounts {
		for _, g := range a.Goals {
			if !g.Counts {
				continue
			}
			res := sarifResult{RuleID: proveRule, Kind: "open", Level: "none", Message: sarifPlain(ifElse(a.Hypothesis, hypothesisWords, "") + g.Sentence), Locations: []sarifLocation{at(a.Label())},
				PartialFingerprints: fingerprint(proveRule, string(a.Account), g.Goal), Properties: map[string]any{"verdict": g.Outcome}}
			switch {
			case g.Outcome == "LOCKOUT":
				res.Kind, res.Level = "fail", "error"
			case g.Outcome == "PROVED" && len(g.Supposing) == 0 && !a.Hypothesis:
				res.Kind = "pass"
			}
			run.Results = append(run.Results, res)
		}
	}
	for _, f := range r.Findings {
		res := sarifResult{RuleID: f.Check, RuleIndex: rules[f.Check], Kind: sarifKinds[f.Status], Level: "none", Message: sarifPlain(ifElse(f.Hypothesis, hypothesisWords, "") + f.Title + ": " + f.Says),
			Locations: []sarifLocation{at(nameOf(f))}, PartialFingerprints: fingerprint(f.Check, string(f.Account)),
			Properties: map[string]any{"status": f.Status, "evidence": f.Evidence, "missing": f.Missing}}
		if res.Kind == "fail" {
			res.Level = sarifLevels[f.Severity]
			if r.Baseline {
				res.BaselineState = map[bool]string{true: "unchanged", false: "new"}[f.Known]
			}
		}
		if f.Hypothesis {
			res.Properties["hypothesis"] = true
			if res.Kind == "pass" {
				res.Kind = "open"
			}
		}
		if f.Lapsed != "" {
			res.Properties["lapsed"] = f.Lapsed
		}
		if f.Status == posture.AcceptedRisk {
			res.Suppressions = []sarifSuppression{{"external", "accepted", escape("accepted by " + f.By + " until " + string(f.Until))}}
		}
		run.Results = append(run.Results, res)
	}
	return indented(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

// securitySeverity is the number by which GitHub sorts security findings.
var securitySeverity = map[posture.Severity]string{posture.Critical: "9.5", posture.High: "8.0", posture.Medium: "5.5", posture.Low: "2.0"}

// sarifPlace says where a result is: in the register, where what is intended
// stands. SARIF wants a relative reference, encoded as part of an address
// (section 3.4.3); without a register the place is the file that should be there.
func sarifPlace(r *app.CheckReport) func(who string) sarifLocation {
	file := r.Register
	if file == "" || filepath.IsAbs(file) {
		file = filepath.Base(ifElse(file == "", registerFile, file))
	}
	file = (&url.URL{Path: strings.TrimPrefix(filepath.ToSlash(filepath.Clean(file)), "../")}).EscapedPath()
	return func(who string) sarifLocation {
		var l sarifLocation
		l.Physical.Artifact.URI = file
		if who != "" {
			l.Logical = []sarifLogical{{escape(who), "object"}}
		}
		return l
	}
}

func fingerprint(parts ...string) map[string]string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	return map[string]string{"halligan/v1": hex.EncodeToString(sum[:16])}
}

// fixLines are the steps of a fix as lines.
func fixLines(f posture.Fix) []string {
	var out []string
	for _, part := range []struct {
		title string
		steps []string
	}{{"Portal", f.Portal}, {"Graph", f.Graph}, {"Halligan", f.Command}} {
		for _, s := range part.steps {
			if part.title == "Halligan" && !commandExists(s) {
				continue
			}
			out = append(out, part.title+": "+s)
		}
	}
	return out
}
