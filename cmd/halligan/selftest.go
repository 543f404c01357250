package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"halligan/lockout"
)

// selftestSchema names the JSON form of a self-test.
const selftestSchema = "halligan-selftest/1"

// selftestReport is the JSON form of a self-test.
type selftestReport struct {
	Schema        string         `json:"schema"`
	Tool          string         `json:"tool"`
	Vectors       int            `json:"vectors"`
	Disagreements int            `json:"disagreements"`
	Files         []selftestFile `json:"files"`
}

type selftestFile struct {
	File    string                   `json:"file"`
	Results []lockout.SelftestResult `json:"results"`
}

func selftestCommand(c *console) *cobra.Command {
	format := "terminal"
	cmd := &cobra.Command{
		Use:   "selftest [FILE]...",
		Short: "check the prover against the worked vectors",
		Long: `Ask the prover every question of the worked vectors that this program carries, and compare its answers with those that were
worked out by hand. With files, of the schema ca-vectors/1, ask those instead. A key that a file has and the schema has not is
an error that names it: nothing in a vector is silently ignored.

Exit codes: 0 the prover agrees with every vector, 3 it disagrees with some.`,
		Example: "  halligan selftest\n  halligan selftest my-vectors.json",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, "terminal", "json"); err != nil {
				return err
			}
			return c.selftest(args, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) selftest(paths []string, format string) error {
	r := selftestReport{Schema: selftestSchema, Tool: "halligan " + versionName(), Files: []selftestFile{}}
	add := func(name string, f *lockout.VectorFile, err error) error {
		if err != nil {
			return &fault{exitFailed, fmt.Errorf("read vectors %s: %w", name, err), "the schema is ca-vectors/1; the key conventions of a file says what each key means"}
		}
		results := lockout.Selftest(f)
		r.Files = append(r.Files, selftestFile{name, results})
		for i := range results {
			r.Vectors++
			if !results[i].OK {
				r.Disagreements++
			}
		}
		return nil
	}
	if len(paths) == 0 {
		f, err := lockout.OwnVectors()
		if err := add("own vectors", f, err); err != nil {
			return err
		}
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			hint := ""
			if errors.Is(err, os.ErrNotExist) {
				hint = nearPath(path)
			}
			return &fault{exitFailed, fmt.Errorf("read vectors: %v", err), hint}
		}
		f, err := lockout.ReadVectors(data)
		if err := add(path, f, err); err != nil {
			return err
		}
	}
	write := c.writeSelftest
	if format == "json" {
		write = func(r *selftestReport) error { return indented(c.stdout, r) }
	}
	if err := write(&r); err != nil {
		return err
	}
	if r.Disagreements > 0 {
		return ended(exitTrouble)
	}
	return nil
}

func (c *console) writeSelftest(r *selftestReport) error {
	p := c.page(c.stdout)
	for i := range r.Files {
		for _, v := range r.Files[i].Results {
			mark, s := "✓", green
			if !v.OK {
				mark, s = "✗", red
			}
			p.styled(0, 2, s, mark+" "+escape(v.ID), v.Title)
			p.line(4, 6, "want "+v.Want)
			p.line(4, 6, "got "+v.Got)
			p.line(4, 6, "why "+v.Reason)
		}
	}
	s, word, n := green, "agrees", r.Vectors
	if r.Disagreements > 0 {
		s, word, n = red, "disagrees", r.Disagreements
	}
	p.blank()
	p.styled(0, 2, s, word, fmt.Sprintf("with %d of %s", n, plural(r.Vectors, "vector", "vectors")))
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}
