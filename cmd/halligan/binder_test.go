package main

import (
	"slices"
	"strings"
	"testing"

	"halligan/procedure"
)

// Whoever types what a runbook says must not be told that there is no such command.
func TestRunbooksNameCommandsThatThereAre(t *testing.T) {
	// Commands that come with sealing; each is held to the table once it is there.
	coming := []string{"open", "reseal"}
	books := append(procedure.Runbooks(), procedure.Runbook{ID: "opening", Steps: procedure.StockOpening()}, procedure.Runbook{ID: "card", Steps: procedure.FirstMinutes()})
	named := 0
	for _, book := range books {
		for i, s := range book.Steps {
			for line := range strings.SplitSeq(s.Command, "\n") {
				words := strings.Fields(line)
				if len(words) == 0 || words[0] != "halligan" {
					continue
				}
				named++
				root := newRoot(testConsole())
				cmd, rest, err := root.Find(words[1:])
				if slices.Contains(coming, words[1]) && (err != nil || cmd == root) {
					continue
				}
				if err != nil || cmd == root || cmd.HasSubCommands() {
					t.Errorf("%s, step %d: %s: %v", book.ID, i+1, line, err)
					continue
				}
				if err := cmd.ParseFlags(rest); err != nil {
					t.Errorf("%s, step %d: %s: %v", book.ID, i+1, line, err)
				} else if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
					t.Errorf("%s, step %d: %s: %v", book.ID, i+1, line, err)
				} else if err := cmd.ValidateRequiredFlags(); err != nil {
					t.Errorf("%s, step %d: %s: %v", book.ID, i+1, line, err)
				}
			}
		}
	}
	if named < 8 {
		t.Errorf("only %d commands were found", named)
	}
}
