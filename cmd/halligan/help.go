package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"halligan/register"
)

func helpCommand(*console) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "tell what a command does and which flags it takes",
		Long:  "Tell what a command does and which flags it takes. \"halligan help prove\" and \"halligan prove --help\" are the same.",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []cobra.Completion
			for _, sub := range topic.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownCommand(topic, rest)
			}
			// cobra adds these two when a command runs, and topic does not run.
			topic.InitDefaultHelpFlag()
			topic.InitDefaultVersionFlag()
			return topic.Help()
		},
	}
}

// unknownCommand refuses arguments of a command that only has commands below it.
// It is a [cobra.PositionalArgs].
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("all commands: %s --help", cmd.CommandPath())
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if near := register.Nearest(args[0], names); near != "" {
		hint = fmt.Sprintf("did you mean %q? All commands: %s --help", cmd.CommandPath()+" "+near, cmd.CommandPath())
	}
	return misused(hint, "unknown command %q", args[0])
}
