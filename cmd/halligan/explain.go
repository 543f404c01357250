package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"halligan/internal/app"
	"halligan/lockout"
	"halligan/posture"
	"halligan/register"
)

func explainCommand(c *console) *cobra.Command {
	var f proveFlags
	cmd := &cobra.Command{
		Use:   "explain POLICY|ACCOUNT|CHECK --from PATH",
		Short: "tell what a policy asks of whom, what is known of an account, or what a check wants",
		Long: `Tell a check: what it asserts and why, what it reads, how to mend what it finds, and with --from what it found. Tell a policy in sentences and what it means for each judged account; or tell an account: its groups, roles and
credentials, by which route each policy excludes it, and the gates outside the policies.

A policy is named by its id, its display name, or a part of the name that fits one only; an account by its object id or user
principal name. A policy is told against the accounts given with --account, else against the candidates of halligan prove.
For a policy or an account it looks and does not judge: the exit code is 0 unless something could not be read, or the user,
groups, roles or methods of an account that is told were neither read nor supposed (5). For a check it is 3 when the check fails
and 5 when it cannot be told.`,
		Example: `  halligan explain CA012 --from export/ --account bg1@contoso.example
  halligan explain bg1@contoso.example --from export/
  halligan explain id-domain`,
		Args: takes("POLICY|ACCOUNT|CHECK"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.explain(cmd.Context(), &f, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "`PATH` of an export: file, folder, zip, or - for stdin; repeatable")
	flags.StringArrayVar(&f.accounts, "account", nil, "`ID` or user principal name of an account to tell the policy against; repeatable")
	flags.StringArrayVar(&f.goals, "goal", nil, "`NAME` of what must be reached; repeatable")
	flags.StringArrayVar(&f.suppose, "suppose", nil, "`EXPRESSION` that states what was not read, or @FILE; repeatable")
	flags.StringVar(&f.date, "date", "", "`DAY` for which vendor dates are read (default: today)")
	flags.StringVar(&f.register, "register", "", "`FILE` of the register, for a check (default: "+registerFile+" where there is one)")
	flags.StringVar(&f.format, "format", "terminal", "`FORM`: terminal, json")
	f.live.register(flags)
	complete(cmd, "goal", app.GoalNames()...)
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) explain(ctx context.Context, f *proveFlags, what string) error {
	if err := oneOf("format", f.format, "terminal", "json"); err != nil {
		return err
	}
	if check := posture.Lookup(what); check != nil {
		return c.explainCheck(ctx, f, check)
	}
	if near := register.Nearest(what, app.CheckIDs()); near != "" && len(f.from) == 0 {
		return misused(fmt.Sprintf("did you mean %s?", near), "no check %q, and no export to look in for a policy or an account", what)
	}
	req, from, err := c.proveRequest(ctx, f)
	if err != nil {
		return err
	}
	defer from.close()
	e, err := app.Explain(ctx, *req, what)
	if err != nil {
		return asMisuse(asLive(err))
	}
	if f.format == "json" {
		err = indented(c.stdout, e)
	} else {
		err = writeExplanation(c.stdout, e, look{columns: width(c.stdout, c.getenv), paint: c.paintOn(c.stdout)})
	}
	if err != nil {
		return err
	}
	c.tellTroubles(&app.Report{Troubles: e.Troubles}, true)
	c.warnOf(ctx, f.register)
	if len(e.Troubles) > 0 || len(e.Unread) > 0 {
		return ended(exitUndetermined)
	}
	return nil
}

// oneOf refuses a word that is none of those possible.
func oneOf(flag, word string, possible ...string) error {
	for _, p := range possible {
		if word == p {
			return nil
		}
	}
	all := "possible: "
	for i, p := range possible {
		if i > 0 {
			all += ", "
		}
		all += p
	}
	return misused(suggest(word, possible, all), "no %s %q", flag, word)
}

func writeExplanation(w io.Writer, e *app.Explanation, l look) error {
	p := &page{look: l}
	name := e.Name
	if name == "" {
		name = e.ID
	}
	p.b.WriteString(p.paint.in(bold, escape(e.Kind+" "+name)) + "\n")
	if name != e.ID {
		p.line(2, 2, e.ID)
	}
	if e.File != "" {
		p.line(2, 2, placed(e.File, e.Line, 0))
	}
	p.blank()
	for _, s := range e.Says {
		p.line(2, 2, s)
	}
	p.list("Not modelled, and read against the account", e.Unmodelled)
	titles := map[string]string{}
	for _, g := range e.Goals {
		titles[g.Name] = goalTitle(&g)
	}
	if len(e.Relations) > 0 {
		p.heading("For the accounts")
		p.relations(e.Relations, titles)
	}
	if e.Account != nil {
		v := viewAccount(e.Account, titles, e.Names, true)
		p.heading("Verdicts")
		for _, g := range v.Verdicts {
			p.styled(4, 2, outcomeStyle(g.Outcome), g.Word, "– "+g.Told)
		}
		p.policies(&v)
		p.gates(&v)
		for _, s := range v.Sections {
			p.list(s.Title, s.Items)
		}
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// relations tells a policy against accounts, once where goals agree.
func (p *page) relations(list []app.Relation, titles map[string]string) {
	for i := 0; i < len(list); {
		r := &list[i]
		n, goals := i, ""
		for n < len(list) && list[n].Account == r.Account && list[n].Relation == r.Relation && list[n].Why == r.Why {
			goals += ", " + titles[list[n].Goal]
			n++
		}
		whole := (i == 0 || list[i-1].Account != r.Account) && (n == len(list) || list[n].Account != r.Account)
		row := relationWords[relationAt(r.PolicyLine.Relation)]
		why := r.Why
		if r.PolicyLine.Relation == lockout.RelUnknown && len(r.Unknowns) > 0 {
			why = r.Unknowns[0].What
		}
		text := "– " + r.Label + ": " + why
		if !whole {
			text += " [" + goals[2:] + "]"
		}
		p.styled(4, 2, relationStyle(row.mark), row.mark+" "+row.word, text)
		i = n
	}
}
