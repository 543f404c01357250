package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"halligan/register"
)

// exitCode is how the program ends. Scripts branch on it, so a number never
// changes its meaning.
type exitCode int

const (
	exitDone         exitCode = 0
	exitFailed       exitCode = 1
	exitMisused      exitCode = 2 // wrong command, flag or argument; nothing was done
	exitTrouble      exitCode = 3 // looked and found trouble
	exitNotSignedIn  exitCode = 4
	exitUndetermined exitCode = 5 // looked and could not tell: undetermined, incomplete or denied
)

// worse combines what two parts of one run found. Trouble wins over not being
// able to tell, which wins over nothing found. It is for findings only: a
// failure ends the run and has no second part.
func worse(a, b exitCode) exitCode {
	for _, code := range []exitCode{exitTrouble, exitUndetermined} {
		if a == code || b == code {
			return code
		}
	}
	return exitDone
}

// outcome ends the program with a code and no message: the results are on
// stdout and say it better.
type outcome exitCode

func (o outcome) Error() string { return fmt.Sprintf("ends with code %d", int(o)) }

// ended is how a command returns what it found: an error that carries code, or
// nil when all is well.
func ended(code exitCode) error {
	if code == exitDone {
		return nil
	}
	return outcome(code)
}

// fault is an error that knows its exit code and what the user can do.
type fault struct {
	code exitCode
	err  error
	hint string // empty: none
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// Hint returns what the user can do about the error, or nothing.
func (f *fault) Hint() string { return f.hint }

// misused is the fault of a command line that asks for something that does not exist.
func misused(hint, format string, args ...any) error {
	return &fault{exitMisused, fmt.Errorf(format, args...), hint}
}

// ran marks an error that the body of a command returned. Any other error comes
// from cobra, before the body: the command line was wrong. cobra has no types
// for these, and matching on their text would break with its next release.
type ran struct{ error }

func (r *ran) Unwrap() error { return r.error }

// report prints err in the two lines that every error has, and returns the exit
// code. cmd is the command that was addressed.
func (c *console) report(ctx context.Context, cmd *cobra.Command, err error) exitCode {
	if err == nil {
		return exitDone
	}
	if silent, is := errors.AsType[outcome](err); is {
		return exitCode(silent)
	}
	code := exitMisused
	if _, is := errors.AsType[*ran](err); is {
		code = exitFailed
	}
	if f, is := errors.AsType[*fault](err); is {
		code = f.code
	}
	hint := hintOf(err)
	if hint == "" && code == exitMisused {
		hint = usageHint(cmd, err)
	}
	text := err.Error()
	if wrong, is := errors.AsType[*pflag.InvalidValueError](err); is && code == exitMisused {
		if plain, like, ok := flagValue(wrong); ok {
			text, hint = plain, like
		}
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	if i, is := errors.AsType[*interruption](err); is {
		text = i.Error()
	}
	c.say("error:", red, text)
	if hint != "" {
		c.say("hint:", yellow, hint)
	}
	return code
}

// hintOf is what the user can do about an error, "" nothing.
func hintOf(err error) string {
	if hinted, is := errors.AsType[interface {
		error
		Hint() string
	}](err); is {
		return hinted.Hint()
	}
	return ""
}

// say prints a labelled message on stderr. The text may quote an export, so
// nothing in it can act on the terminal; further lines are indented.
func (c *console) say(label string, colour style, text string) {
	indent := strings.Repeat(" ", len(label)+1)
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = escape(line)
		if isTerminal(c.stderr) {
			lines[i] = wrap(lines[i], width(c.stderr, c.getenv)-len(indent), "")
		}
	}
	body := strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\n"+indent)
	// There is nowhere left to report that stderr cannot be written.
	_, _ = fmt.Fprintf(c.stderr, "%s %s\n", c.paintOn(c.stderr).in(colour, label), body)
}

// usageHint helps with a wrong command line: the flag that was probably meant,
// and where to read on.
func usageHint(cmd *cobra.Command, err error) string {
	seeHelp := fmt.Sprintf("see %s --help", cmd.CommandPath())
	missing, is := errors.AsType[*pflag.NotExistError](err)
	if !is || missing.GetSpecifiedShortnames() != "" {
		return seeHelp
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	if near := register.Nearest(missing.GetSpecifiedName(), names); near != "" {
		return fmt.Sprintf("did you mean --%s? All flags: %s --help", near, cmd.CommandPath())
	}
	return seeHelp
}
