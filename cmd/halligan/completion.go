package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// shells are those for which completion can write a script.
var shells = []struct {
	name  string
	write func(root *cobra.Command, w io.Writer) error
}{
	{"bash", func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
	{"zsh", func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) }},
	{"fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }},
	{"powershell", func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) }},
}

func completionCommand(c *console) *cobra.Command {
	var names []string
	for _, shell := range shells {
		names = append(names, shell.name)
	}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "write the completion script of a shell: bash, zsh, fish or powershell",
		Long: `Write the script with which a shell completes the commands and flags of halligan.

It goes to stdout. To have it in every new shell, put it where the shell looks:

  bash         halligan completion bash > ~/.local/share/bash-completion/completions/halligan
  zsh          halligan completion zsh > "${fpath[1]}/_halligan"
  fish         halligan completion fish > ~/.config/fish/completions/halligan.fish
  powershell   halligan completion powershell >> $PROFILE`,
		Example:   "  source <(halligan completion bash)",
		ValidArgs: names,
		Args:      takes("SHELL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			i := slices.Index(names, args[0])
			if i < 0 {
				return misused("one of "+strings.Join(names, ", "), "no completion for shell %q", args[0])
			}
			return shells[i].write(cmd.Root(), c.stdout)
		},
	}
}
