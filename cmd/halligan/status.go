package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// status is bare halligan where a register is: what is due, and what is known
// without reading the tenant.
func (c *console) status(ctx context.Context, r *register.Register, file string, now time.Time) error {
	c.warnRegister(ctx, r, file, &recordFlags{})
	p := c.page(c.stdout)
	name := r.Tenant.Name
	if name == "" {
		name = string(r.Tenant.ID)
	}
	p.styled(0, 2, bold, strings.TrimSpace("Emergency access "+name)+":", plural(len(r.Accounts), "account", "accounts")+" in "+file)
	in := &posture.Input{Register: r, Now: now, Records: c.recordsOf(ctx, r, file, &recordFlags{})}
	for _, a := range r.Accounts {
		in.Accounts = append(in.Accounts, posture.Subject{ID: a.ID, Name: a.Name})
		p.line(2, 2, accountLine(a))
	}
	if _, ok := posture.LastDrill(in); !ok {
		p.blank()
		p.line(2, 2, "no successful drill is on record")
	}
	var due []string
	for _, d := range posture.Dues(in) {
		due = append(due, string(d.Day)+" "+d.What+ifElse(d.Overdue, " (overdue)", ""))
	}
	p.list("Due", shorten(due, false))
	p.nextSteps([]app.Step{{Do: "halligan check --from PATH", Why: "read an export of the tenant and judge it", Command: true}})
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}
