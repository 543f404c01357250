package main

import (
	"github.com/spf13/cobra"

	"halligan/register"
)

// exports are the forms in which other tools want to know the accounts.
var exports = []struct {
	name, short string
	write       func(r *register.Register) ([]byte, error)
}{
	{"maester", "the list EmergencyAccessAccounts of maester-config.json, which ZeroTrustAssessment reads too", (*register.Register).MaesterConfig},
	{"scubagear", "the lists CapExclusions and RoleExclusions of a ScubaGear configuration", func(r *register.Register) ([]byte, error) { return r.ScubaGearConfig(), nil }},
}

func exportCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "write the emergency accounts in the form of another tool",
		Long: `Write the accounts of the register in the form in which another tool reads them, so that it stops calling them a finding.
Lists that came in with halligan init go out as they were; a registered account that none of them has is added to each.`,
	}
	for _, e := range exports {
		var file, output string
		sub := &cobra.Command{
			Use: e.name, Short: "write " + e.short, Long: "Write " + e.short + ".",
			Example: "  halligan export " + e.name,
			Args:    takes(),
			RunE: func(*cobra.Command, []string) error {
				r, _, err := readRegister(file)
				if err != nil {
					return err
				}
				if r == nil {
					return misused("halligan init writes one; or give it with --register", "there is no %s in this folder", registerFile)
				}
				text, err := e.write(r)
				if err != nil {
					return err
				}
				return c.deliver(output, text)
			},
		}
		sub.Flags().StringVar(&file, "register", "", "`FILE` of the register (default: "+registerFile+")")
		sub.Flags().StringVarP(&output, "output", "o", "", "`FILE` to write to (default: stdout)")
		cmd.AddCommand(sub)
	}
	return cmd
}
