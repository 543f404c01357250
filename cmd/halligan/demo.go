package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"halligan/internal/app"
	"halligan/lockout"
)

func demoCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "see it at work on an example tenant, offline",
		Long: `Judge an example tenant: as it is, with a careless policy, with that policy repaired, and by every check. Then seal a password for
three people, lose one of them, and open it.

Nothing is read but what the program carries, and nothing is changed. In a checkout the commands that it shows give the same
answers with every detail.`,
		Example: "  halligan demo",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			day := lockout.Date(time.Now().UTC().Format(time.DateOnly))
			acts, err := app.Demo(cmd.Context(), day, "halligan "+versionName())
			if err != nil {
				return err
			}
			return c.showDemo(acts)
		},
	}
}

func (c *console) showDemo(acts []app.Act) error {
	p := c.page(c.stdout)
	for i, act := range acts {
		if i > 0 {
			p.blank()
		}
		p.styled(0, 0, bold, fmt.Sprintf("Act %d.", i+1), act.Title+". "+act.Tells)
		p.blank()
		p.b.WriteString("  $ " + escape(act.Command) + "\n\n")
		if act.Check != nil {
			p.demoCheck(act.Check)
			continue
		}
		if len(act.Steps) > 0 {
			for _, s := range act.Steps {
				p.styled(2, 2, bold, s.Does, "– "+s.Tells)
			}
			continue
		}
		v := viewOf(act.Report, false)
		if v.Change != nil {
			for _, line := range v.Change.Lines {
				p.line(2, 2, line)
			}
		}
		for a := range v.Accounts {
			for _, g := range v.Accounts[a].Verdicts {
				if g.Counts {
					p.styled(2, 2, outcomeStyle(g.Outcome), g.Word, "– "+g.Told)
				}
			}
		}
		if v.Change == nil {
			p.line(2, 2, fmt.Sprintf("%s were read, and each verdict has a certificate that others can check.", plural(act.Report.PoliciesRead, "policy", "policies")))
		}
	}
	p.blank()
	p.line(0, 0, "Now yours: halligan check --from FOLDER, with the policies that you exported.")
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}

// demoFindings is how many findings the demo tells.
const demoFindings = 3

// demoCheck tells the grade, the worst findings and the counts.
func (p *page) demoCheck(r *app.CheckReport) {
	v := viewCheck(r, false)
	p.styled(2, 2, gradeStyle(r.Grade), v.Word, "– "+v.Means)
	p.line(2, 2, v.Drill)
	for i := range v.Worst[:min(len(v.Worst), demoFindings)] {
		p.finding(&v.Worst[i])
	}
	for _, line := range v.Rest {
		p.line(2, 2, line)
	}
}
