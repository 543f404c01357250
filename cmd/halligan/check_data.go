package main

import (
	"encoding/xml"
	"io"
	"strings"

	"halligan/internal/app"
	"halligan/posture"
)

// writeCheckJSON writes the report in the form of docs/check.schema.json.
func writeCheckJSON(w io.Writer, r *app.CheckReport, _ look) error { return indented(w, r) }

// --- CSV ----------------------------------------------------------------------

// writeCheckCSV writes one line for each finding (RFC 4180, UTF-8). No cell begins
// as a formula: spreadsheets would run it.
func writeCheckCSV(w io.Writer, r *app.CheckReport, _ look) error {
	var b strings.Builder
	rows := [][]string{{"check", "account", "accountName", "status", "severity", "theme", "title", "says", "evidence", "missing", "known", "hypothesis", "by", "until", "lapsed", "why", "references", "fix"}}
	for _, f := range r.Findings {
		var evidence, missing []string
		for _, e := range f.Evidence {
			evidence = append(evidence, evidenceText(e))
		}
		for _, m := range f.Missing {
			missing = append(missing, missingText(m))
		}
		rows = append(rows, []string{f.Check, string(f.Account), f.AccountName, string(f.Status), string(f.Severity), string(f.Theme), f.Title, f.Says,
			strings.Join(evidence, "; "), strings.Join(missing, "; "), ifElse(f.Known, "known", ""), ifElse(f.Hypothesis, "hypothesis", ""), f.By, string(f.Until), f.Lapsed, strings.Join(f.Why, "; "), strings.Join(f.References, "; "), stepOf(f)})
	}
	for _, row := range rows {
		for i := range row {
			// Every cell is quoted: where the separator is a semicolon, one within
			// a cell would begin another.
			row[i] = `"` + strings.ReplaceAll(harmlessCell(row[i]), `"`, `""`) + `"`
		}
		b.WriteString(strings.Join(row, ",") + "\r\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// harmlessCell keeps a spreadsheet from taking a text for a formula (OWASP, CSV
// injection) and a terminal from obeying it.
func harmlessCell(text string) string {
	text = escape(text)
	if text != "" && strings.ContainsRune("=+-@|%\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func missingText(m posture.Missing) string {
	text := string(m.Part)
	if m.Property != "" {
		text += "." + m.Property
	}
	return text + " (" + string(m.Status) + "; " + m.Permission + ")"
}

// --- JUnit ----------------------------------------------------------------------

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Failure   *junitMessage `xml:"failure,omitempty"`
	Error     *junitMessage `xml:"error,omitempty"`
	Skipped   *junitMessage `xml:"skipped,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// writeCheckJUnit writes the findings as test cases, one suite for each theme. A
// check that could not tell is an error, never a success; the verdicts of the
// prover are a suite of their own.
func writeCheckJUnit(w io.Writer, r *app.CheckReport, _ look) error {
	all := junitSuites{Name: "halligan check"}
	suites := map[string]*junitSuite{}
	var order []string
	add := func(suite string, c junitCase) {
		s := suites[suite]
		if s == nil {
			s = &junitSuite{Name: suite}
			suites[suite] = s
			order = append(order, suite)
		}
		s.Tests++
		all.Tests++
		switch {
		case c.Failure != nil:
			s.Failures, all.Failures = s.Failures+1, all.Failures+1
		case c.Error != nil:
			s.Errors, all.Errors = s.Errors+1, all.Errors+1
		case c.Skipped != nil:
			s.Skipped, all.Skipped = s.Skipped+1, all.Skipped+1
		}
		s.Cases = append(s.Cases, c)
	}
	for _, a := range r.Accounts {
		for _, g := range a.Goals {
			if !g.Counts {
				continue
			}
			c := junitCase{Name: escape(a.Label() + ": " + g.Goal), ClassName: "halligan.prove"}
			message := &junitMessage{Message: escape(g.Sentence), Type: string(g.Outcome)}
			switch {
			case g.Outcome == "LOCKOUT":
				c.Failure = message
			case g.Outcome != "PROVED" || a.Hypothesis || len(g.Supposing) > 0:
				c.Error = message
			}
			add("prove", c)
		}
	}
	for _, f := range r.Findings {
		name := f.Check
		if f.Account != "" {
			name += " " + nameOf(f)
		}
		c := junitCase{Name: escape(name), ClassName: "halligan." + strings.ReplaceAll(string(f.Theme), " ", "-")}
		says := ifElse(f.Hypothesis, hypothesisWords, "") + f.Says
		if f.Lapsed != "" {
			says += " (" + f.Lapsed + ")"
		}
		message := &junitMessage{Message: escape(says), Type: string(f.Severity), Text: escape(stepOf(f))}
		switch f.Status {
		case posture.Fail:
			c.Failure = message
		case posture.Indeterminate:
			c.Error = &junitMessage{Message: escape(says), Type: "indeterminate", Text: escape(stepOf(f))}
		case posture.Pass:
			if f.Hypothesis {
				c.Skipped = &junitMessage{Message: escape(says)}
			}
		default:
			c.Skipped = &junitMessage{Message: f.Status.Words() + ": " + escape(says)}
		}
		add(string(f.Theme), c)
	}
	for _, name := range order {
		all.Suites = append(all.Suites, *suites[name])
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func nameOf(f *app.FindingReport) string {
	if f.AccountName != "" {
		return f.AccountName
	}
	return string(f.Account)
}
