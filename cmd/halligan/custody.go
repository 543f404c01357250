package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

func custodyCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "custody",
		Short: "who holds what where, under which seal: written down, moved, handed over, looked at",
		Long: `The parts of every credential (keys, PINs, halves, shares, tokens, combinations, binders): who holds each, where it lies, under which
seal and since when. It stands in the register, without any secret. A change of it is asked for here and approved by others
(halligan approve); then the register is changed, and the evidence says by whom. Whoever receives a part signs for it.`,
	}
	cmd.AddCommand(custodyListCommand(c), custodyAddCommand(c), custodyPlaceCommand(c), custodyMoveCommand(c), custodyHandOverCommand(c), custodyVerifyCommand(c))
	return cmd
}

var partKinds = []string{string(register.PartKey), string(register.PartPIN), string(register.PartPassword), string(register.PartPasswordHalf), string(register.PartShare), string(register.PartToken),
	string(register.PartCertificate), string(register.PartTAP), string(register.PartCombination), string(register.PartBinder)}

// askCustody asks for a change of custody.
func (c *console) askCustody(ctx context.Context, f *askFlags, verb custody.Verb, change app.CustodyChange) error {
	q, err := change.Question(app.Question{})
	if err != nil {
		return err
	}
	return c.ask(ctx, f, verb, q.On)
}

// partFlags are the flags of custody add.
type partFlags struct {
	askFlags
	part    register.Part
	account string
	kind    string
	since   string
}

func custodyAddCommand(c *console) *cobra.Command {
	var f partFlags
	cmd := &cobra.Command{
		Use:   "add [NAME] --kind KIND --by NAME --why TEXT --key FILE",
		Short: "ask that a part be written down: what it is, who holds it where",
		Long: `Ask that a part be written into the register. On a terminal it asks for what is missing. Nothing secret is ever asked for: not the
PIN, the password or the combination, but that there is one, and where.

NAME is how people call the part from then on; without one it is named after its kind and key. When enough people have approved,
the register is changed. Who asks and is named as holder has signed for the part; another holder signs by approving.`,
		Example: `  halligan custody add "north key 1" --kind key --account ea-north@contoso.onmicrosoft.com --of "North 1" --holder "Ana Weiss" --place "Main safe" --seal 4401 --by "Ana Weiss" --why "first key" --key ~/.ssh/id_ed25519
  halligan custody add "account 1 share 2" --kind share --needed 2 --account ea-north@contoso.onmicrosoft.com --set 5f0c2a71b9d4e6f8 --holder "Ben Ode" --place "Vault B" --by "Ana Weiss" --why "first seal" --key ~/.ssh/id_ed25519
  halligan custody add --kind binder --place "Vault B" --holder "Ben Ode" --by "Ana Weiss" --why "second binder" --key ~/.ssh/id_ed25519`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.part.Name = strings.Join(args, "")
			return c.custodyAdd(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.StringVar(&f.kind, "kind", "", "`KIND`: "+strings.Join(partKinds, ", "))
	flags.StringVar(&f.account, "account", "", "`ID` or user principal name of the account that it belongs to; none for a binder or a combination")
	flags.StringVar(&f.part.Key, "of", "", "`LABEL`, serial or id of the security key or certificate that it is or belongs to")
	flags.StringVar(&f.part.Opens, "opens", "", "`PLACE` that a combination opens")
	flags.StringVar(&f.part.Set, "set", "", "`ID` of the sealed set that a share, half or sealed password belongs to")
	flags.IntVar(&f.part.Needed, "needed", 0, "of a share: the `NUMBER` of them that opens the account; of a half or another part of a password: of how many different parts it is; say it of each")
	flags.StringVar(&f.part.Holder, "holder", "", "`NAME` of who holds it")
	flags.StringVar(&f.part.Place, "place", "", "`PLACE` where it lies")
	flags.StringVar(&f.part.Seal, "seal", "", "`NUMBER` of its seal")
	flags.StringVar(&f.since, "since", "", "`DAY` since when, as 2006-01-02 (default: today)")
	complete(cmd, "kind", partKinds...)
	return cmd
}

func (c *console) custodyAdd(ctx context.Context, f *partFlags) error {
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	if err := c.canSign(&f.askFlags); err != nil {
		return err
	}
	if err := c.fillIn(asking{"ask for the part", "nothing was asked for, and the register is as it was", "give the answers as flags: halligan custody add --help"}, partQuestions(f, r)); err != nil {
		return err
	}
	p := f.part
	p.Kind = register.PartKind(f.kind)
	if p.Since = register.Day(f.since); p.Since == "" {
		p.Since = register.DayOf(time.Now())
	}
	if f.account != "" {
		a, err := accountNamed(r, f.account)
		if err != nil {
			return err
		}
		p.Account = a.ID
	}
	return c.askCustody(ctx, &f.askFlags, custody.VerbCustody, app.CustodyChange{Add: &p})
}

// partQuestions are the questions for a part, each held to the register as soon as
// it is answered.
func partQuestions(f *partFlags, r *register.Register) []question {
	var places []string
	for _, p := range r.Places {
		places = append(places, p.Name)
	}
	owned := func() bool { return f.kind != "" && register.PartKind(f.kind).Owned() }
	return append([]question{
		{flag: "--kind", to: &f.kind, question: "What is it? " + strings.Join(partKinds, ", ") + ":", check: oneOfThem("kind", partKinds), must: "of which kind is it? " + strings.Join(partKinds, ", ")},
		{flag: "--account", to: &f.account, question: "Of which account (user principal name or id)?", asked: owned, check: accountIn(r), must: "a part of this kind belongs to an account; only a binder and a combination belong to none"},
		{flag: "--of", to: &f.part.Key, question: "Of which security key or certificate: its label or serial number (Enter: none)?", asked: owned, check: keyOf(r, &f.account)},
		{flag: "--opens", to: &f.part.Opens, question: "Which place does the combination open? Never write the combination:", asked: func() bool { return f.kind == string(register.PartCombination) }, check: placeIn(r)},
		{flag: "--holder", to: &f.part.Holder, question: "Who holds it (Enter: nobody)?", check: personIn(r)},
		{flag: "--place", to: &f.part.Place, question: "Where does it lie: " + listOf(places) + " (Enter: not said)?", check: placeIn(r)},
		{flag: "--seal", to: &f.part.Seal, question: "What is the number of its seal (Enter: not sealed)?"},
		{flag: "--since", to: &f.since, asked: never, check: aDay},
	}, whoAsks(&f.askFlags, r)...)
}

// placeCustodyFlags are the flags of custody place.
type placeCustodyFlags struct {
	askFlags
	place   register.Place
	changed string
}

func custodyPlaceCommand(c *console) *cobra.Command {
	var f placeCustodyFlags
	cmd := &cobra.Command{
		Use:   "place NAME --by NAME --why TEXT --key FILE",
		Short: "ask that a place be written down, or that its combination was changed",
		Long: `Ask that a place be written into the register: a safe, a vault, a cabinet; on which site, and who can open it. With
--combination-changed, ask that it be written down that the combination of a known place was changed on that day: after somebody
left who could open it, that must be done. Never give the combination.`,
		Example: `  halligan custody place "Main safe" --place-kind safe --site Lisbon --fireproof --access "Ana Weiss" --by "Ana Weiss" --why "new safe" --key ~/.ssh/id_ed25519
  halligan custody place "Main safe" --combination-changed 2027-02-01 --by "Ana Weiss" --why "Carl has left" --key ~/.ssh/id_ed25519`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.place.Name = args[0]
			change := app.CustodyChange{Place: &f.place}
			if f.changed != "" {
				if !register.Day(f.changed).IsDay() {
					return misused("write a day as 2026-12-31", "no day %q", f.changed)
				}
				change = app.CustodyChange{Combination: args[0], Since: register.Day(f.changed)}
			}
			return c.askCustody(cmd.Context(), &f.askFlags, custody.VerbCustody, change)
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.StringVar(&f.place.Kind, "place-kind", "", "`KIND` of place: safe, vault, cabinet, …")
	flags.StringVar(&f.place.Site, "site", "", "`SITE`: the building; two places of one site are lost together")
	flags.BoolVar(&f.place.Fireproof, "fireproof", false, "it withstands a fire")
	flags.BoolVar(&f.place.OffSite, "off-site", false, "it is away from the main site")
	flags.StringArrayVar(&f.place.Access, "access", nil, "`NAME` of who can open it; repeatable")
	flags.StringVar(&f.changed, "combination-changed", "", "`DAY` on which the combination was last changed, as 2006-01-02")
	return cmd
}

func custodyMoveCommand(c *console) *cobra.Command {
	var f askFlags
	var change app.CustodyChange
	cmd := &cobra.Command{
		Use:   "move PART --to PLACE --by NAME --why TEXT --key FILE",
		Short: "ask that a part be moved to another place, or put under another seal",
		Long: `Ask that a part be moved to another place, under its old seal or a new one. Who holds it stays: halligan custody hand-over changes
that. When enough people have approved, the register says so; move the part then.`,
		Example: `  halligan custody move "north key 1" --to "Vault B" --seal 4402 --by "Ana Weiss" --why "both keys lay in one safe" --key ~/.ssh/id_ed25519`,
		Args:    takes("PART"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if change.To == "" && change.Seal == "" && !change.Unsealed {
				return misused("--to says where to, --seal under which new seal", "a move needs --to or --seal")
			}
			change.Part, change.Since = args[0], register.DayOf(time.Now())
			return c.askCustody(cmd.Context(), &f, custody.VerbMove, change)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&change.To, "to", "", "`PLACE` where it will lie")
	cmd.Flags().StringVar(&change.Seal, "seal", "", "`NUMBER` of its new seal (default: the old one stays)")
	cmd.Flags().BoolVar(&change.Unsealed, "unsealed", false, "it has no seal any more")
	return cmd
}

func custodyHandOverCommand(c *console) *cobra.Command {
	var f askFlags
	var change app.CustodyChange
	cmd := &cobra.Command{
		Use:   "hand-over PART --to NAME --by NAME --why TEXT --key FILE",
		Short: "ask that a part be handed over to another person, who signs for it",
		Long: `Ask that a part be handed over to another person. Whoever receives it signs for it by approving the request with their own key,
also without the role approver: then the signature is the receipt, and does not count as an approval. Nobody asks for a hand-over to
themselves. Without a key in the register there is no receipt, and the evidence is marked so.`,
		Example: `  halligan custody hand-over "north key 1" --to "Ben Ode" --by "Ana Weiss" --why "Ana changes the office" --key ~/.ssh/id_ed25519`,
		Args:    takes("PART"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if change.Holder == "" {
				return misused(`for example --to "Ben Ode"`, "a hand-over needs --to")
			}
			change.Part, change.Since = args[0], register.DayOf(time.Now())
			return c.askCustody(cmd.Context(), &f, custody.VerbHandOver, change)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&change.Holder, "to", "", "`NAME` of who receives it")
	cmd.Flags().StringVar(&change.To, "place", "", "`PLACE` where it will lie (default: where it is)")
	cmd.Flags().StringVar(&change.Seal, "seal", "", "`NUMBER` of its new seal (default: the old one stays)")
	return cmd
}
