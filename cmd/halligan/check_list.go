package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"halligan/posture"
)

// checkEntry is one check of the catalogue as it is written.
type checkEntry struct {
	ID         string           `json:"id"`
	Theme      posture.Theme    `json:"theme"`
	Severity   posture.Severity `json:"severity"`
	Title      string           `json:"title"`
	PerAccount bool             `json:"perAccount"`
	Licence    string           `json:"licence,omitempty"`
	Reads      []readEntry      `json:"reads"`
	Attestable bool             `json:"attestable"`
	Setting    string           `json:"setting,omitempty"`
	Conflict   string           `json:"conflict,omitempty"`
	Why        []string         `json:"why"`
	References []string         `json:"references"`
	Fix        posture.Fix      `json:"fix"`
}

type readEntry struct {
	Part       string `json:"part"`
	Request    string `json:"request"`
	Permission string `json:"permission"`
	Beta       bool   `json:"beta,omitempty"`
}

func entryOf(c *posture.Check) checkEntry {
	e := checkEntry{ID: c.ID, Theme: c.Theme, Severity: c.Severity, Title: c.Title, PerAccount: c.PerAccount, Licence: c.Licence, Reads: []readEntry{},
		Attestable: c.Attestable, Setting: c.Setting, Conflict: c.Conflict, Why: c.Reasons(), References: c.References, Fix: c.Fix}
	if e.References == nil {
		e.References = []string{}
	}
	for _, p := range slices.Concat(c.Reads, c.Asks) {
		info := p.Info()
		e.Reads = append(e.Reads, readEntry{string(p), info.Request, info.Permission, info.Beta})
	}
	return e
}

// listChecks writes the catalogue; it reads nothing.
func (c *console) listChecks(f *checkFlags) error {
	var out bytes.Buffer
	switch f.format {
	case "json":
		list := []checkEntry{}
		for _, check := range posture.Catalogue() {
			list = append(list, entryOf(check))
		}
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(list); err != nil {
			return err
		}
	case "markdown":
		out.WriteString(checksDocument())
	case "", "terminal":
		p := c.page(c.stdout)
		var theme posture.Theme
		for _, check := range posture.Catalogue() {
			if check.Theme != theme {
				theme = check.Theme
				p.heading(string(theme))
			}
			const indent = 40
			title := strings.ReplaceAll(wrap(check.Title, max(p.columns-indent, 20), ""), "\n", "\n"+strings.Repeat(" ", indent))
			fmt.Fprintf(&p.b, "    %s %-26s %s\n", p.paint.in(severityStyle(check.Severity), fmt.Sprintf("%-8s", check.Severity)), check.ID, title)
		}
		p.blank()
		p.line(2, 2, plural(len(posture.Catalogue()), "check", "checks")+"; one of them told: halligan explain CHECK")
		out.WriteString(strings.TrimPrefix(p.b.String(), "\n"))
	default:
		return misused("formats of the catalogue: terminal, json, markdown", "the catalogue has no form %q", f.format)
	}
	return c.deliver(f.output, out.Bytes())
}

func severityStyle(s posture.Severity) style {
	switch s {
	case posture.Critical:
		return red
	case posture.High:
		return yellow
	}
	return 0
}

// checksDocument is docs/checks.md: the catalogue, generated.
func checksDocument() string {
	var b strings.Builder
	b.WriteString("# The checks\n\nGenerated from the tables in posture/ (`go test ./cmd/halligan -update`). `halligan check` asks all of them; `halligan explain CHECK` tells one.\n\n")
	b.WriteString("A check that could not read what it needs is *indeterminate*, never passed. S-numbers are the practices that the checks come from.\n")
	var theme posture.Theme
	for _, c := range posture.Catalogue() {
		if c.Theme != theme {
			theme = c.Theme
			fmt.Fprintf(&b, "\n## %s%s\n", strings.ToUpper(string(theme[:1])), theme[1:])
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s. **%s**, %s.\n\n", c.ID, c.Title, c.Severity, map[bool]string{true: "for each account", false: "for the tenant"}[c.PerAccount])
		row := func(name, text string) {
			if text != "" {
				fmt.Fprintf(&b, "- %s: %s\n", name, text)
			}
		}
		for _, why := range c.Reasons() {
			row("why", why)
		}
		row("also asked for by", strings.Join(c.References, ", "))
		row("licence", c.Licence)
		var reads []string
		for _, p := range slices.Concat(c.Reads, c.Asks) {
			info := p.Info()
			reads = append(reads, fmt.Sprintf("%s (`%s`, %s%s)", info.What, info.Request, info.Permission, map[bool]string{true: ", beta", false: ""}[info.Beta]))
		}
		row("reads", strings.Join(reads, "; "))
		row("setting", c.Setting)
		row("the sources contradict each other", c.Conflict)
		if c.Attestable {
			row("attest", "`halligan attest "+c.ID+" --by NAME --until DAY --note TEXT`")
		}
		for _, line := range fixLines(c.Fix) {
			row("fix", line)
		}
	}
	return b.String()
}
