package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// spoken finds a command in a text for people: halligan and the lower-case words, flags
// and ARGUMENTS that follow.
var spoken = regexp.MustCompile(`\bhalligan((?: +(?:(?:--?)?[a-z][a-z-]*|[A-Z][A-Z-]+\b))+)`)

// A hint that names a command or flag that is not there costs the one minute that
// somebody had. Every text in the program that says "halligan ..." is held against
// the commands: the first word must be one, or the text is prose.
func TestTextsNameCommandsAndFlagsThatExist(t *testing.T) {
	root := newRoot(testConsole())
	groups := map[string]bool{}
	for _, cmd := range root.Commands() {
		groups[cmd.Name()] = true
	}
	seen := 0
	tree := os.DirFS(filepath.Join("..", ".."))
	must(t, fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(tree, path)
		must(t, err)
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, text, 0)
		must(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			lit, is := n.(*ast.BasicLit)
			if !is || lit.Kind != token.STRING {
				return true
			}
			said, err := strconv.Unquote(lit.Value)
			must(t, err)
			for _, m := range spoken.FindAllStringSubmatch(said, -1) {
				words := strings.Fields(m[1])
				if !groups[words[0]] {
					if strings.HasPrefix(words[0], "--") && words[0] != "--help" && root.Flags().Lookup(words[0][2:]) == nil {
						t.Errorf("%s: %q: there is no %s", files.Position(lit.Pos()), m[0], words[0])
					}
					continue // prose: the halligan that wrote it
				}
				seen++
				if why := strange(root, words); why != "" {
					t.Errorf("%s: %q: %s", files.Position(lit.Pos()), strings.TrimSpace(m[0]), why)
				}
			}
			return true
		})
		return nil
	}))
	if seen < 50 {
		t.Errorf("only %d commands were found in texts: the search is broken", seen)
	}
}

// strange says what of a command line does not exist. Words after a command that has
// none below it are arguments, or the prose that goes on.
func strange(root *cobra.Command, words []string) string {
	cmd := root
	for _, word := range words {
		if name, is := strings.CutPrefix(word, "--"); is {
			if cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil && name != "help" {
				return cmd.CommandPath() + " has no --" + name
			}
			continue
		}
		if !cmd.HasSubCommands() || strings.HasPrefix(word, "-") || strings.ToUpper(word) == word {
			continue
		}
		var next *cobra.Command
		for _, sub := range cmd.Commands() {
			if sub.Name() == word {
				next = sub
			}
		}
		if next == nil {
			return cmd.CommandPath() + " has no " + word
		}
		cmd = next
	}
	return ""
}
