// Halligan judges, keeps and rehearses emergency access to Microsoft Entra ID.
//
// This package is assembly: it parses flags, opens paths and streams, calls a
// verb of internal/app or a pure package, prints, and ends with an exit code.
// It holds no rules. Results go to stdout, talk goes to stderr.
//
// To add a command, write one file with a function that builds it, and one line
// in the table in commands.go. Help, docs/cli.md, completion and man pages follow.
package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"halligan/internal/graph"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first Ctrl-C asks. With the default restored, a second one ends a
	// program that does not listen.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// console is what one run of the program can touch: its streams and its
// environment. Commands use it instead of package os, so that a test sees all.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	// tune lets a test change how a tenant is spoken to; nil changes nothing.
	tune func(*graph.Config)
	// browse opens a file for a test; nil opens the browser.
	browse func(file string) error
	// told are warnings that were said in this run.
	told map[string]bool
	// lines is stdin for questions that several commands of a run ask; see readLine.
	lines *bufio.Reader
	// left is a reading of a line that a question left behind, nil none.
	left chan answer[string]
	// rest lets a test say what is typed while a terminal rests; see forgetTyped.
	rest func() <-chan time.Time
	// stop is closed by Ctrl-C, which ends questions; nil never is.
	stop <-chan struct{}
}

// run executes the program with args, which do not include its name, and
// returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	return (&console{stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv}).run(ctx, args)
}

func (c *console) run(ctx context.Context, args []string) int {
	c.stop = ctx.Done()
	root := newRoot(c)
	// cobra reads os.Args when it is given nil.
	root.SetArgs(append([]string{}, args...))
	cmd, err := root.ExecuteContextC(ctx)
	return int(c.report(ctx, cmd, err))
}
