package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/register"
)

// personFlags are the flags of person add and person change.
type personFlags struct {
	register, id, title, signing, receiving, manager string
	roles, reach                                     []string
	passkey                                          bool
}

func personCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "person",
		Short: "who holds and decides what: roles and keys of the people in the register",
		Long: `The people of the register: their roles, the one key with which each signs, the one to which things are sealed for them, their
line of managers, and two ways to reach them. What is written here counts once it is approved: halligan request register.`,
	}
	cmd.AddCommand(personAddCommand(c), personChangeCommand(c), personListCommand(c), personRemoveCommand(c), personRolesCommand(c))
	return cmd
}

var roleNames = []string{string(register.RoleViewer), string(register.RoleOperator), string(register.RoleCustodian), string(register.RoleApprover), string(register.RoleAuditor)}

func personAddCommand(c *console) *cobra.Command {
	var f personFlags
	cmd := &cobra.Command{
		Use:   "add NAME --role ROLE --signing FILE",
		Short: "write a person into the register",
		Long: `Write a person into the register, with roles (halligan person roles tells what each may do), the one public key with which the
person signs, and two ways to reach them. Nothing of it counts before it is approved.`,
		Example: `  halligan person add "Ana Weiss" --role operator --role approver --signing ana.pub --reach "phone +49 30 1234567" --reach ana@home.example
  halligan person add "Ben Ode" --role approver --passkey`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.personAdd(cmd.Context(), &f, args[0]) },
	}
	f.add(cmd)
	return cmd
}

func (f *personFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.register, "register", registerFile, "`FILE` of the register")
	flags.StringArrayVar(&f.roles, "role", nil, "`ROLE`: "+strings.Join(roleNames, ", ")+"; repeatable")
	flags.StringVar(&f.signing, "signing", "", "public SSH `KEY` with which the person signs, or a file that holds it (id_ed25519.pub)")
	flags.BoolVar(&f.passkey, "passkey", false, "have the person make a passkey to sign with, in the browser of this machine")
	flags.StringVar(&f.receiving, "receiving", "", "`KEY` to which things are sealed for the person: age1… or a public SSH key, or a file that holds it")
	flags.StringVar(&f.manager, "manager", "", "`NAME` of the person's manager, also in the register")
	flags.StringArrayVar(&f.reach, "reach", nil, "`WAY` to reach the person; give two that do not need the tenant")
	flags.StringVar(&f.id, "id", "", "object `ID` of the person's own account in the directory, by which leavers are noticed")
	flags.StringVar(&f.title, "title", "", "what the person is called: head of IT")
	complete(cmd, "role", roleNames...)
}

func (c *console) personAdd(ctx context.Context, f *personFlags, name string) error {
	p := register.Person{Name: name, ID: entra.ID(f.id), Title: f.title, Manager: f.manager, Reach: f.reach}
	for _, r := range f.roles {
		if err := oneOf("role", r, roleNames...); err != nil {
			return err
		}
		p.Roles = append(p.Roles, register.Role(r))
	}
	if f.signing != "" && f.passkey {
		return misused("each person signs with one key", "--signing and --passkey exclude each other")
	}
	var err error
	if p.Signing, err = keyOrFile("--signing", f.signing); err != nil {
		return err
	}
	if p.Receiving, err = keyOrFile("--receiving", f.receiving); err != nil {
		return err
	}
	if f.passkey {
		made, err := c.passkeyMake(ctx, name)
		if err != nil {
			return err
		}
		p.Passkey = *made
	}
	if err := editRegister(ctx, f.register, func(text []byte, _ *register.Register) ([]byte, error) { return register.AddPerson(text, p) }); err != nil {
		return err
	}
	out := c.page(c.stdout)
	out.line(0, 2, f.register+": "+name+ifElse(len(f.roles) > 0, " ("+strings.Join(f.roles, ", ")+")", " without a role"))
	if f.passkey {
		out.line(0, 2, "signs with "+app.PasskeyFingerprint(p.Passkey.PublicKey)+": whoever approves this person must see the same")
	}
	for _, odd := range custody.Alike(name) {
		out.line(0, 2, "warning: "+odd+". Nobody by such a name can ask or approve; write it in the letters of one script")
	}
	if len(f.roles) > 0 && p.Signing == "" && p.Passkey.CredentialID == "" {
		out.line(0, 2, "note: without a key "+name+" can neither ask nor approve: halligan person change "+posixQuoted(name)+" --signing FILE, or --passkey")
	}
	if len(f.reach) < 2 {
		out.line(0, 2, "note: two ways to reach a person are better than "+ifElse(len(f.reach) == 1, "one", "none")+": --reach")
	}
	out.line(0, 2, "It counts once it is approved: halligan request begin, or halligan request register where something was approved before.")
	_, err = fmt.Fprint(c.stdout, out.b.String())
	return err
}

func personRemoveCommand(c *console) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "take a person out of the register",
		Long: `Take a person out of the register. It is refused while the person holds parts, opens places or manages somebody. It counts once it
is approved; then the person's approvals of open requests count no more. A change after which nobody could decide anything is told, and
is never approved: write somebody else in first.`,
		Example: `  halligan person remove "Carl Roe"`,
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.tellHolds(cmd.Context(), file, args[0])
			var undecidable error
			if err := editRegister(cmd.Context(), file, func(text []byte, was *register.Register) ([]byte, error) {
				next, err := register.RemovePerson(text, args[0])
				if err == nil {
					undecidable = undecidableAfter(file, was, next)
				}
				return next, err
			}); err != nil {
				return err
			}
			if undecidable != nil { // somebody else may be written in next
				c.say("warning:", yellow, undecidable.Error())
				c.say("hint:", bold, hintOf(undecidable))
			}
			_, err := fmt.Fprintf(c.stdout, "%s: %s is taken out. It counts once it is approved: halligan request register\n", escape(file), escape(args[0]))
			return err
		},
	}
	cmd.Flags().StringVar(&file, "register", registerFile, "`FILE` of the register")
	return cmd
}

// tellHolds names the live sealed sets that somebody can open with others, where the
// evidence is at hand: the register does not have them.
func (c *console) tellHolds(ctx context.Context, file, name string) {
	r, _, err := requiredRegister(file)
	if err != nil || r.Tenant.ID == "" && r.Evidence.Store == "" {
		return
	}
	f := placeFlags{register: file}
	a, end, err := c.reading(ctx, &f)
	if err != nil {
		return // nothing is begun, or it does not answer: it is told where the log is asked for
	}
	held, err := a.Held(ctx)
	if err = errors.Join(err, end()); err != nil {
		c.say("warning:", yellow, "which sealed sets "+name+" opens is not known: "+err.Error())
		return
	}
	for _, l := range held.Live(r, nil) {
		if slices.ContainsFunc(l.Holders, func(h string) bool { return register.SamePerson(h, name) }) {
			c.say("warning:", yellow, name+" is a holder of set "+l.Set+", "+l.What+", sealed on "+string(l.On)+" (opened by "+l.Opens+"). Seal it for others: halligan request seal --reseals FILE, or a new secret with --replaces "+l.Set)
		}
	}
}

// personView is a person as person list prints it.
type personView struct {
	Name    string   `json:"name"`
	Title   string   `json:"title,omitempty"`
	Roles   []string `json:"roles"`
	Signing string   `json:"signing"` // fingerprint, or ""
	Sealed  bool     `json:"receives"`
	Manager string   `json:"manager,omitempty"`
	Reach   []string `json:"reach"`
}

func personListCommand(c *console) *cobra.Command {
	var f placeFlags
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the people of the register, and say whether it is the approved one",
		Long: `List the people with their roles, the fingerprint of the key with which each signs, and the ways to reach them; the quorum; and
whether all that is what was approved.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.personList(cmd.Context(), &f, format)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) personList(ctx context.Context, f *placeFlags, format string) error {
	if err := oneOf("format", format, "terminal", "json"); err != nil {
		return err
	}
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	standing, err := c.standing(ctx, f)
	if err != nil {
		return err
	}
	people := []personView{}
	for _, p := range r.People {
		v := personView{Name: p.Name, Title: p.Title, Roles: []string{}, Sealed: p.Receiving != "", Manager: p.Manager, Reach: append([]string{}, p.Reach...)}
		for _, role := range p.Roles {
			v.Roles = append(v.Roles, string(role))
		}
		switch {
		case p.Signing != "":
			v.Signing = app.Fingerprint(p.Signing)
		case p.Passkey.CredentialID != "":
			v.Signing = app.PasskeyFingerprint(p.Passkey.PublicKey)
		}
		people = append(people, v)
	}
	if format == "json" {
		return indented(c.stdout, map[string]any{"people": people, "quorum": map[string]any{"people": r.Quorum.People, "approvals": r.Quorum.Needed(), "outside": r.Quorum.Outside}, "standing": standing})
	}
	p := c.page(c.stdout)
	if len(people) == 0 {
		p.line(0, 0, "Nobody is in the register yet: halligan person add NAME --role operator --role approver --signing id_ed25519.pub")
	}
	for _, one := range people {
		p.styled(0, 4, bold, one.Name, ifElse(len(one.Roles) > 0, strings.Join(one.Roles, ", "), "no role")+ifElse(one.Signing != "", "; signs with "+one.Signing, "; cannot sign")+
			ifElse(one.Manager != "", "; manager "+one.Manager, "")+ifElse(len(one.Reach) > 0, "; reach: "+strings.Join(one.Reach, ", "), ""))
	}
	p.blank()
	p.quorum(&r.Quorum)
	p.line(0, 2, standingSays(standing))
	_, err = fmt.Fprint(c.stdout, p.b.String())
	return err
}

func (p *page) quorum(q *register.Quorum) {
	switch {
	case q.People == 1:
		p.styled(0, 2, red, "ONE PERSON", "decides alone here, and everything decided so is marked. "+ifElse(q.Outside != "", "The sealed second part is kept outside, by "+q.Outside+".", "Have somebody outside keep the sealed second part: halligan init --people 1 --outside NAME"))
	case q.People == 0:
		p.line(0, 2, "How many people there are is not said: halligan init --people NUMBER")
	default:
		p.line(0, 2, fmt.Sprintf("%d people; who asks and %s decide.", q.People, plural(q.Needed(), "other", "others")))
	}
}

func standingSays(s *app.Standing) string {
	switch {
	case s == nil:
		return "No evidence of this register is here, so what was approved is not known: " + app.NoStoreHint + "."
	case s.Approved == "":
		return "Nothing is approved yet: halligan request begin"
	case s.Stands():
		return fmt.Sprintf("This is what was approved: entry %d, %s.", s.Since, shortDigest(s.Approved))
	}
	return fmt.Sprintf("NOT what was approved: now %s, approved %s (entry %d). Find out who changed it, or have it approved: halligan request register", shortDigest(s.Current), shortDigest(s.Approved), s.Since)
}

// standing is nil where no evidence has begun.
func (c *console) standing(ctx context.Context, f *placeFlags) (s *app.Standing, err error) {
	a, end, err := c.reading(ctx, f)
	if _, none := errors.AsType[*app.NoStoreError](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	return a.Standing(ctx)
}
