package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// attestFlags are the flags of attest.
type attestFlags struct {
	register, account, by, on, until, note string
	record                                 recordFlags
}

func attestCommand(c *console) *cobra.Command {
	var f attestFlags
	cmd := &cobra.Command{
		Use:   "attest CHECK --by NAME --until DAY --note TEXT",
		Short: "state what only a person can know, until a day",
		Long: `Put an attestation into the register: that somebody looked, where no interface tells, and answers for it until a day.

A check that is attested counts as attested, not as passed, and only where it could not be told from data: what is seen to fail
stays failed. When the day has passed, the check is open again. halligan check --list and docs/checks.md say which checks take
attestations. It may not begin after today or have ended. The comments and the order of the register stay as they are.`,
		Example: `  halligan attest gov-iac-drift --by "Olga Berg" --until 2027-05-31 --note "templates in repository infra reviewed, both groups excluded"`,
		Args:    takes("CHECK"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.attest(cmd.Context(), &f, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.by, "by", "", "`NAME` of the person who looked")
	flags.StringVar(&f.until, "until", "", "last `DAY` on which it holds, as 2006-01-02")
	flags.StringVar(&f.note, "note", "", "`TEXT`: what was looked at, and what was seen")
	flags.StringVar(&f.on, "on", "", "`DAY` on which it was looked at (default: today)")
	flags.StringVar(&f.account, "account", "", "`ID` of the account that it is about (default: all)")
	flags.StringVar(&f.register, "register", registerFile, "`FILE` of the register")
	f.record.add(flags)
	cmd.ValidArgsFunction = cobra.FixedCompletions(attestable(), cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

// attestable lists the checks that take attestations.
func attestable() []string {
	var out []string
	for _, check := range posture.Catalogue() {
		if check.Attestable {
			out = append(out, check.ID)
		}
	}
	return out
}

func (c *console) attest(ctx context.Context, f *attestFlags, id string) error {
	check := posture.Lookup(id)
	switch {
	case check == nil:
		return misused(suggest(id, app.CheckIDs(), "halligan check --list lists them"), "no check %q", id)
	case !check.Attestable:
		return misused("it is read from data: mend what it says, or put an accepted risk with owner, approver and end into the register", "check %s takes no attestation", check.ID)
	case f.by == "" || f.until == "" || f.note == "":
		return misused(`for example --by "Olga Berg" --until 2027-05-31 --note "what was looked at, and what was seen"`, "an attestation needs --by, --until and --note")
	}
	today := register.DayOf(time.Now())
	a := register.Attestation{Check: check.ID, Account: entra.ID(f.account), By: f.by, On: cmp.Or(register.Day(f.on), today), Until: register.Day(f.until), Note: f.note}
	var changed []byte
	err := editRegister(ctx, f.register, func(text []byte, r *register.Register) ([]byte, error) {
		if err := attestationFits(r, &a, today); err != nil {
			return nil, err
		}
		var err error
		changed, err = register.AddAttestation(text, a)
		return changed, err
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.stdout, "%s: %s attests %s until %s\n", escape(f.register), escape(a.By), a.Check, a.Until); err != nil || !f.record.on {
		return err
	}
	return c.record(ctx, f.register, &f.record, app.RecordOfAttestation(&a, changed))
}

// attestationFits refuses what the register would refuse to read, and what would
// not count today, in the words of the flags.
func attestationFits(r *register.Register, a *register.Attestation, today register.Day) error {
	for _, day := range []register.Day{a.On, a.Until} {
		if !day.IsDay() {
			return misused("write a day as 2026-12-31", "no day %q", string(day))
		}
	}
	most := r.Settings.Settled().AttestationDaysMost
	switch days, _ := register.DaysBetween(a.On, a.Until); {
	case a.On > today:
		return misused(fmt.Sprintf("--on is the day on which it was looked at, %s (UTC) at the latest", today), "the attestation would begin on %s, which is after today", a.On)
	case days < 0:
		return misused("", "the attestation would end on %s, before %s", a.Until, a.On)
	case a.Until < today:
		return misused(fmt.Sprintf("--until is the last day on which it holds, %s (UTC) at the earliest", today), "the attestation would have ended on %s, which is before today", a.Until)
	case days > most:
		return misused("the setting attestationDaysMost of the register says how long", "an attestation holds for at most %d days, not %d", most, days)
	}
	if a.Account != "" && r.Account(a.Account) == nil {
		return misused("give the object id of an account in the register", "no account %q in the register", string(a.Account))
	}
	return nil
}
