package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"halligan/custody"
)

// approvalWords say how many others must approve.
var approvalWords = map[custody.Approvals]string{custody.ByNobody: "nobody", custody.ByOne: "one other", custody.ByQuorum: "as many others as the quorum says"}

// rightView is a row of the table of rights.
type rightView struct {
	Verb      custody.Verb `json:"verb"`
	Does      string       `json:"does"`
	May       []string     `json:"may"`
	Approvals string       `json:"approvals"`
}

func rights() []rightView {
	var out []rightView
	for _, r := range custody.Rights {
		v := rightView{Verb: r.Verb, Does: r.Doc, Approvals: approvalWords[r.Approvals]}
		for _, role := range r.May {
			v.May = append(v.May, string(role))
		}
		out = append(out, v)
	}
	return out
}

func personRolesCommand(c *console) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "roles",
		Short: "list who may do what, and who must approve it",
		Long: `List the table of rights: what can be done, which roles may do or ask for it, and how many others must approve it. What is not in
it, nobody may.`,
		Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("format", format, "terminal", "json", "markdown"); err != nil {
				return err
			}
			switch format {
			case "json":
				return indented(c.stdout, rights())
			case "markdown":
				_, err := fmt.Fprint(c.stdout, rightsDocument())
				return err
			}
			p := c.page(c.stdout)
			for _, r := range rights() {
				p.styled(0, 4, bold, string(r.Verb)+":", r.Does+". May: "+strings.Join(r.May, ", ")+". Approved by "+r.Approvals+".")
			}
			_, err := fmt.Fprint(c.stdout, p.b.String())
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json, markdown")
	complete(cmd, "format", "terminal", "json", "markdown")
	return cmd
}

// rightsDocument is docs/rights.md.
func rightsDocument() string {
	var b strings.Builder
	b.WriteString(`# Rights

<!-- Written by go test ./cmd/halligan -update from the table of rights in custody. Do not edit. -->

Who may do or ask for something, and how many others must approve it. What is not here, nobody may. Who asks never counts as one of those who
approve; the quorum is one other where there are two or three people, two others where there are more, or what the register says (` + "`quorum.approvals`" + `).
Where there is one person, that person's own approval counts, and everything is marked so. Who asked can take a request back
(` + "`halligan request withdraw`" + `), and nobody else.

| verb | what is done | who may | approved by |
|---|---|---|---|
`)
	for _, r := range rights() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Verb, r.Does, strings.Join(r.May, ", "), r.Approvals)
	}
	return b.String()
}
