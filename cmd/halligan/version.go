package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"halligan/internal/print"
)

// version is set by scripts/release through the linker.
var version string

func versionCommand(c *console) *cobra.Command {
	licences := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "print the version of this program",
		Long: `Print the version of this program, the Go it was built with, and the system it was built for.

--licences prints the licence of the fonts that are in it, and of which each PDF carries letters. The licences of all that is in the
program lie beside it in each release: THIRD-PARTY-LICENSES.txt.`,
		Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			if licences {
				_, err := fmt.Fprintf(c.stdout, "Fonts: DejaVu Sans Condensed and DejaVu Sans Mono\n\n%s", print.FontLicence)
				return err
			}
			_, err := fmt.Fprintln(c.stdout, versionLine())
			return err
		},
	}
	cmd.Flags().BoolVar(&licences, "licences", false, "print the licence of the fonts that are in the program")
	return cmd
}

func versionLine() string {
	return fmt.Sprintf("halligan %s (%s %s/%s)", versionName(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// versionName returns the version of a release, else what the go command
// stamped into the binary, else "development".
func versionName() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}
