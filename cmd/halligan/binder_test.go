package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"halligan/procedure"
)

// cited are commands within a sentence: they end with it, or with a bracket.
var cited = regexp.MustCompile(`\bhalligan [a-z][^.,;:()“”]*`)

// wrongCommands says which commands of a runbook this program would not take.
func wrongCommands(book procedure.Runbook) (wrong []string, named int) {
	for i, s := range book.Steps {
		lines := strings.Split(s.Command, "\n")
		for _, text := range []string{s.Do, s.Where, s.Expect, s.Otherwise} {
			lines = append(lines, cited.FindAllString(text, -1)...)
		}
		for _, line := range lines {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "halligan" {
				continue
			}
			named++
			root := newRoot(testConsole())
			cmd, rest, err := root.Find(words[1:])
			switch {
			case err != nil:
			case cmd == root || cmd.HasSubCommands():
				err = fmt.Errorf("there is no such command")
			default:
				if err = cmd.ParseFlags(rest); err == nil {
					err = cmd.Args(cmd, cmd.Flags().Args())
				}
				if err == nil {
					err = cmd.ValidateRequiredFlags()
				}
			}
			if err != nil {
				wrong = append(wrong, fmt.Sprintf("%s, step %d: %s: %v", book.ID, i+1, line, err))
			}
		}
	}
	return wrong, named
}

// Whoever types what a runbook says must not be told that there is no such command.
func TestRunbooksNameCommandsThatThereAre(t *testing.T) {
	books := append(procedure.Runbooks(), procedure.Runbook{ID: "opening", Steps: procedure.StockOpening()}, procedure.Runbook{ID: "card", Steps: procedure.FirstMinutes()})
	named := 0
	for _, book := range books {
		wrong, n := wrongCommands(book)
		named += n
		for _, w := range wrong {
			t.Error(w)
		}
	}
	if named < 15 {
		t.Errorf("only %d commands were found", named)
	}
}

// The test above notices a command that is not there, a flag that is not there, one
// that lacks its value, an argument too many or too few; in a command and in a
// sentence.
func TestAWrongCommandInARunbookIsNoticed(t *testing.T) {
	for name, step := range map[string]procedure.Step{
		"no command":        {Command: "halligan chek"},
		"no command below":  {Command: "halligan custody look PART"},
		"half a command":    {Command: "halligan custody"},
		"no flag":           {Command: "halligan check\nhalligan binder --recorded"},
		"a flag of another": {Command: "halligan open FILE.sealed --request HASH --witness-key X"},
		"no value":          {Command: "halligan custody verify PART --as"},
		"too many":          {Command: "halligan custody verify PART OTHER --as NAME"},
		"too few":           {Command: "halligan custody hand-over --to NAME"},
		"in a sentence":     {Otherwise: "If it is lost: halligan store repair FOLDER. Then go on."},
	} {
		if wrong, _ := wrongCommands(procedure.Runbook{ID: "planted", Steps: []procedure.Step{step}}); len(wrong) != 1 {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}

// What keeps a file from being written is told with what to do.
func TestAFileThatCannotBeWrittenHasAHint(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.pdf")
	must(t, os.WriteFile(there, nil, 0o400))
	for name, tt := range map[string]struct {
		path string
		err  error
		want string
	}{
		"no folder":           {filepath.Join(dir, "no", "b.pdf"), fs.ErrNotExist, "is not there: make it"},
		"a folder":            {dir, fs.ErrInvalid, "give the name of a file in it"},
		"a file of others":    {there, fs.ErrPermission, "you may not write over that file"},
		"a folder of others":  {filepath.Join(dir, "b.pdf"), fs.ErrPermission, "nothing can be written in the folder " + dir},
		"a read-only medium":  {filepath.Join(dir, "b.pdf"), fmt.Errorf("read-only file system"), "give a file in another"},
		"a name without path": {"b.pdf", fs.ErrPermission, "in the folder .:"},
	} {
		if got := unwritable(tt.path, tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
