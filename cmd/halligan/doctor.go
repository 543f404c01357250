package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"halligan/internal/graph"
)

// probeView is one line of doctor as it is written.
type probeView struct {
	Name   string      `json:"name"`
	State  graph.State `json:"state"`
	Says   string      `json:"says"`
	Remedy string      `json:"remedy,omitempty"`
}

// helpers are programs of others that some commands use.
var helpers = []struct{ name, does, remedy string }{
	{"az", "sign-in by --method azurecli", "needed for --method azurecli only: install the Azure CLI"},
	{"fido2-token", "registering security keys", "needed for security keys only: install libfido2's tools (Debian: fido2-tools; macOS: brew install libfido2)"},
}

func doctorCommand(c *console) *cobra.Command {
	var l liveFlags
	var format string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "look why a tenant cannot be read: name, route, TLS, clock, token, permissions",
		Long: `Look at everything between this machine and the tenant, one line each, with what to do about it. Nothing of the tenant is read,
and nothing is changed. Without a sign-in the way to Microsoft's public cloud is looked at.

Exit codes: 0 nothing in the way, 3 something is, 4 not signed in, 5 something may be missing.`,
		Example: "  halligan doctor\n  halligan doctor --format json",
		Args:    takes(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.doctor(cmd.Context(), &l, format) },
	}
	cmd.Flags().StringVar(&l.profile, "profile", "", "`NAME` of the sign-in")
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) doctor(ctx context.Context, l *liveFlags, format string) error {
	if err := oneOf("format", format, "terminal", "json"); err != nil {
		return err
	}
	reg, _, err := readRegister("")
	if err != nil {
		return err
	}
	patient := graph.Patient{SignIn: graph.SignIn{Cloud: graph.Clouds[0]}}
	p, signedOut := c.profile(l.profile)
	if signedOut == nil {
		t, err := c.tenant(l, reg, nil)
		if err != nil {
			return err
		}
		patient = graph.Patient{SignIn: t.signIn, Client: t.client, Permissions: p.Permissions}
	} else if err := network(&patient.SignIn, reg); err != nil {
		return err
	}
	var lines []probeView
	for _, probe := range graph.Examine(ctx, patient) {
		lines = append(lines, probeView(probe))
	}
	lines = append(lines, c.unreadChecks(ctx, patient)...)
	for _, h := range helpers {
		if path, err := exec.LookPath(h.name); err == nil {
			lines = append(lines, probeView{"tool " + h.name, graph.ProbeOK, path + ", for " + h.does, ""})
		} else {
			lines = append(lines, probeView{"tool " + h.name, graph.ProbeSkipped, "not here; for " + h.does, h.remedy})
		}
	}
	if err := c.writeProbes(lines, format); err != nil {
		return err
	}
	c.warnOf(ctx, "")
	has := func(s graph.State) bool {
		return slices.ContainsFunc(lines, func(p probeView) bool { return p.State == s })
	}
	switch {
	case has(graph.ProbeFail):
		return ended(exitTrouble)
	case signedOut != nil:
		return ended(exitNotSignedIn)
	case has(graph.ProbeWarn):
		return ended(exitUndetermined)
	}
	return nil
}

// unreadChecks names the checks that stay open for want of permissions.
func (c *console) unreadChecks(ctx context.Context, patient graph.Patient) []probeView {
	if patient.Client == nil {
		return nil
	}
	claims, err := patient.Client.Claims(ctx)
	if err != nil {
		return nil // the token's own line has said so
	}
	missing := claims.Missing(patient.Permissions)
	var checks []string
	for _, e := range permissionEntries(graph.FeatureRead) {
		if slices.Contains(missing, e.Permission) {
			for _, id := range e.Checks {
				if !slices.Contains(checks, id) {
					checks = append(checks, id)
				}
			}
		}
	}
	if len(checks) == 0 {
		return nil
	}
	return []probeView{{"checks", graph.ProbeWarn, fmt.Sprintf("%s stay indeterminate: %s", plural(len(checks), "check", "checks"), strings.Join(checks, ", ")),
		"halligan login asks for what is missing; an application gets it from an administrator"}}
}

func (c *console) writeProbes(lines []probeView, format string) error {
	if format == "json" {
		return indented(c.stdout, lines)
	}
	o := c.page(c.stdout)
	for _, p := range lines {
		s := map[graph.State]style{graph.ProbeOK: green, graph.ProbeWarn: yellow, graph.ProbeFail: red}[p.State]
		o.styled(0, 12, s, fmt.Sprintf("%-7s", p.State), p.Name+": "+p.Says)
		if p.Remedy != "" {
			o.line(8, 2, p.Remedy)
		}
	}
	_, err := fmt.Fprint(c.stdout, o.b.String())
	return err
}
