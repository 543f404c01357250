package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// command is one line of the table below.
type command struct {
	group string // one of groups
	build func(*console) *cobra.Command
}

// commands is everything that halligan can do, in the order in which help lists
// it within a group.
var commands = []command{
	{"judge", checkCommand},
	{"judge", proveCommand},
	{"judge", explainCommand},
	{"judge", attestCommand},
	{"judge", initCommand},
	{"judge", exportCommand},
	{"judge", selftestCommand},
	{"tenant", loginCommand},
	{"tenant", logoutCommand},
	{"tenant", whoamiCommand},
	{"tenant", doctorCommand},
	{"tenant", permissionsCommand},
	{"tenant", snapshotCommand},
	{"tenant", sandboxCommand},
	{"people", personCommand},
	{"people", requestCommand},
	{"people", approveCommand},
	{"keep", custodyCommand},
	{"keep", surviveCommand},
	{"keep", sealCommand},
	{"keep", openCommand},
	{"keep", resealCommand},
	{"keep", evidenceCommand},
	{"keep", storeCommand},
	{"keep", binderCommand},
	{"watch", serveCommand},
	{"act", demoCommand},
	{"program", versionCommand},
	{"program", completionCommand},
	{"program", manCommand},
	{"program", helpCommand},
}

// groups are the owners of the verbs, in the order of a person's work with
// Halligan. Help shows those that have a command.
var groups = []*cobra.Group{
	{ID: "judge", Title: "Judge:"},
	{ID: "tenant", Title: "Tenant:"},
	{ID: "people", Title: "People:"},
	{ID: "keep", Title: "Keep:"},
	{ID: "set up", Title: "Set up:"},
	{ID: "watch", Title: "Watch:"},
	{ID: "act", Title: "Act:"},
	{ID: "program", Title: "This program:"},
}

const about = "Halligan tells whether an emergency account gets into Microsoft Entra ID whatever happens, and proves it."

// beginnings are what bare halligan advises.
var beginnings = []struct{ command, does string }{
	{"halligan demo", "see it at work on an example tenant, offline"},
	{"halligan login", "sign in to your tenant, to read it; then: halligan check"},
	{"halligan sandbox", "an emulated tenant, to try it on"},
	{"halligan check --from FOLDER", "judge the tenant whose policies you exported, by every check"},
	{"halligan init --from FOLDER --account ID", "say which accounts are your emergency accounts"},
}

func init() {
	// The tables above are in the order of use; the alphabet is not.
	cobra.EnableCommandSorting = false
}

// newRoot assembles the command tree for one run. The tree is built anew each
// time because cobra keeps parsed flags in it.
func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:               "halligan",
		Short:             "emergency access to Microsoft Entra ID: judged, kept, rehearsed",
		Long:              about,
		Version:           versionLine(),
		Args:              unknownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.begin(cmd.Context()) },
		SilenceErrors:     true, // report prints them
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}, // completion.go
	}
	root.SetVersionTemplate("{{.Version}}\n")
	// Otherwise the flags of a mistyped command would be reported as unknown
	// before the command is.
	root.Flags().SetInterspersed(false)
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)

	for _, group := range groups {
		if slices.ContainsFunc(commands, func(entry command) bool { return entry.group == group.ID }) {
			root.AddGroup(group)
		}
	}
	for _, entry := range commands {
		cmd := entry.build(c)
		cmd.GroupID = entry.group
		if cmd.Name() == "help" {
			root.SetHelpCommand(cmd)
		}
		root.AddCommand(cmd)
	}
	finish(root)
	return root
}

// finish gives every command of the tree what all have in common.
func finish(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true // a date in generated documents would make them differ every day
	if cmd.HasSubCommands() && !cmd.Runnable() {
		// cobra would print help and succeed.
		cmd.Args = unknownCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error {
			return misused("", "%s needs to know what to do", cmd.CommandPath())
		}
	}
	if body := cmd.RunE; body != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := body(cmd, args); err != nil {
				return &ran{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		finish(sub)
	}
}

// takes is the [cobra.PositionalArgs] of a command with exactly these arguments,
// named as in its usage line.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return misused("", "%s needs %s", cmd.CommandPath(), names[len(args)])
		case len(args) > len(names):
			return misused(meantAsPath(cmd, args[len(names)]), "%s does not take %q", cmd.CommandPath(), args[len(names)])
		}
		return nil
	}
}

// meantAsPath helps with an argument that is a path of this machine, where only
// --from takes one.
func meantAsPath(cmd *cobra.Command, arg string) string {
	if cmd.Flags().Lookup("from") == nil {
		return ""
	}
	if _, err := os.Stat(arg); err != nil {
		return ""
	}
	return fmt.Sprintf("did you mean --from %s?", arg)
}

// begin is bare halligan: where a register is, what is due, else what a newcomer
// does first.
func (c *console) begin(ctx context.Context) error {
	r, file, err := readRegister("")
	if err != nil {
		return err
	}
	if r != nil {
		return c.status(ctx, r, file, time.Now())
	}
	p := c.paintOn(c.stdout)
	widest := 0
	for _, b := range beginnings {
		widest = max(widest, len(b.command))
	}
	text := wrap(about, width(c.stdout, c.getenv), "") + "\n\nTo begin:\n\n"
	for _, b := range beginnings {
		text += fmt.Sprintf("  %s%*s   %s\n", p.in(bold, b.command), widest-len(b.command), "", b.does)
	}
	text += "\nAll commands: halligan --help\n"
	_, err = fmt.Fprint(c.stdout, text)
	return err
}
