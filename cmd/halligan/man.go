package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func manCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "write the man pages into a folder",
		Long: `Write one man page for each command into a folder, which is made if it does not exist.
Pages of the same name are replaced.

The date in a page is the current month, or that of SOURCE_DATE_EPOCH (seconds since 1970) if it is set.`,
		Example: "  halligan man ~/.local/share/man/man1",
		Args:    takes("FOLDER"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			date, err := sourceDate(c.getenv)
			if err != nil {
				return err
			}
			folder := args[0]
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return fmt.Errorf("make folder for man pages: %w", err)
			}
			header := &doc.GenManHeader{Section: "1", Date: &date, Source: "halligan " + versionName(), Manual: "Halligan"}
			if err := doc.GenManTree(cmd.Root(), header, folder); err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			_, err = fmt.Fprintf(c.stderr, "man pages written to %s\n", escape(folder))
			return err
		},
	}
}

// sourceDate is the date of generated files: SOURCE_DATE_EPOCH, so that two
// builds of one release agree, else now.
func sourceDate(getenv func(string) string) (time.Time, error) {
	text := getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now().UTC(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, misused("unset it, or set it to seconds since 1970", "read SOURCE_DATE_EPOCH %q: not a whole number", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
