package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"halligan/internal/graph"
	"halligan/posture"
)

func permissionsCommand(c *console) *cobra.Command {
	var features []string
	var format, output string
	cmd := &cobra.Command{
		Use:   "permissions",
		Short: "which permissions of Microsoft Graph Halligan needs, and what each is for",
		Long: `List the least permissions, by what needs them. None of them writes. A permission that is not granted makes the checks that
need it indeterminate, never passed.

A person who signs in lends his own rights: beside the permissions he needs a role that may read, such as Global Reader. An
application needs the permissions alone, granted by an administrator.`,
		Example: "  halligan permissions\n  halligan permissions --feature read --format json",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			var chosen []graph.Feature
			for _, f := range features {
				if !slices.Contains(featureNames(), f) {
					return misused(suggest(f, featureNames(), "features: "+strings.Join(featureNames(), ", ")), "no feature %q", f)
				}
				chosen = append(chosen, graph.Feature(f))
			}
			out, err := c.permissions(format, chosen)
			if err != nil {
				return err
			}
			return c.deliver(output, out)
		},
	}
	cmd.Flags().StringArrayVar(&features, "feature", nil, "`NAME` of what is to be used: "+strings.Join(featureNames(), ", ")+"; repeatable (default: all)")
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json, markdown")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`FILE` to write to (default: stdout)")
	complete(cmd, "feature", featureNames()...)
	complete(cmd, "format", "terminal", "json", "markdown")
	return cmd
}

func featureNames() []string {
	var names []string
	for _, f := range graph.Features {
		names = append(names, string(f.Feature))
	}
	return names
}

// permissionEntry is one permission as it is written.
type permissionEntry struct {
	Permission string   `json:"permission"`
	Feature    string   `json:"feature"`
	Azure      bool     `json:"azure"`
	Reads      []string `json:"reads"`
	Requests   []string `json:"requests"`
	Licences   []string `json:"licences"`
	// Checks are those that stay indeterminate without it.
	Checks []string `json:"checks"`
}

func permissionEntries(features ...graph.Feature) []permissionEntry {
	out := []permissionEntry{}
	for _, n := range graph.Needs(features...) {
		e := permissionEntry{Permission: n.Permission, Feature: string(n.Feature), Azure: n.Azure, Reads: n.Reads, Requests: n.Requests, Licences: n.Licences, Checks: []string{}}
		if e.Licences == nil {
			e.Licences = []string{}
		}
		for _, check := range posture.Catalogue() {
			for _, p := range slices.Concat(check.Reads, check.Asks) {
				if slices.Contains(n.Parts, p) && !slices.Contains(e.Checks, check.ID) {
					e.Checks = append(e.Checks, check.ID)
				}
			}
		}
		out = append(out, e)
	}
	return out
}

func (c *console) permissions(format string, features []graph.Feature) ([]byte, error) {
	entries := permissionEntries(features...)
	switch format {
	case "json":
		var out bytes.Buffer
		err := indented(&out, entries)
		return out.Bytes(), err
	case "markdown":
		return []byte(permissionsDocument(entries)), nil
	case "", "terminal":
		p := c.page(c.stdout)
		feature := ""
		for _, e := range entries {
			if e.Feature != feature {
				feature = e.Feature
				p.heading(featureDoes(feature))
			}
			p.styled(4, 4, bold, e.Permission+":", strings.Join(e.Reads, ", ")+licenceNote(e))
		}
		p.blank()
		p.line(2, 2, "None of them writes. Which request needs which: docs/permissions.md, or --format markdown")
		return []byte(strings.TrimPrefix(p.b.String(), "\n")), nil
	}
	return nil, misused("forms: terminal, json, markdown", "no form %q", format)
}

func featureDoes(name string) string {
	for _, f := range graph.Features {
		if string(f.Feature) == name {
			return "To " + f.Does
		}
	}
	return name
}

func licenceNote(e permissionEntry) string {
	if len(e.Licences) == 0 {
		return ""
	}
	return " (in part with " + strings.Join(e.Licences, ", ") + " only)"
}

// permissionsDocument is docs/permissions.md: each permission, and the requests
// and checks that need it.
func permissionsDocument(entries []permissionEntry) string {
	var b strings.Builder
	b.WriteString(`# Permissions

<!-- Written by go test ./cmd/halligan -update from the table of requests in internal/graph. Do not edit. -->

The least permissions, by what needs them. None of them writes. What is not granted makes the checks that need it indeterminate, never passed.

Two identities, by design:

- the *reader*, an application with application permissions of the first list, for unattended reading. It holds no permission that writes and no role.
- the *operator*, a person who signs in. The permissions are delegated: they lend the application the person's own rights, so the person needs a role as well
  (Global Reader is enough to read; Security Reader for risk; per-account methods of administrators need Privileged Authentication Administrator or Global Reader).

Until a tenant has registrations of its own, ` + "`halligan login`" + ` uses Microsoft Graph Command Line Tools (14d82eec-204b-4c2f-b7e8-296a70dab67e), a public client of
Microsoft's that asks for consent to just these permissions. To undo it: Entra admin center, Enterprise applications, Microsoft Graph Command Line Tools,
Permissions, or ` + "`halligan logout`" + ` for the tokens on this machine.

Tokens of the Azure CLI have fixed permissions that lack Policy.Read.All and others (azure-cli #33062): ` + "`halligan doctor`" + ` names what they cannot read.
`)
	feature := ""
	for _, e := range entries {
		if e.Feature != feature {
			feature = e.Feature
			fmt.Fprintf(&b, "\n## %s\n", featureDoes(feature))
		}
		kind := "Microsoft Graph, application or delegated"
		if e.Azure {
			kind = "Azure role"
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s. Reads %s%s.\n\n", e.Permission, kind, strings.Join(e.Reads, ", "), licenceNote(e))
		for _, r := range e.Requests {
			fmt.Fprintf(&b, "- `%s`\n", r)
		}
		if len(e.Checks) > 0 {
			fmt.Fprintf(&b, "\nWithout it indeterminate: %s.\n", strings.Join(e.Checks, ", "))
		}
	}
	return b.String()
}
