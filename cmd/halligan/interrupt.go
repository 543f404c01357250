package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// interruption is Ctrl-C at a question.
type interruption struct {
	so   string // what is so now, "" nothing to tell
	hint string
}

func (i *interruption) Error() string {
	if i.so == "" {
		return "interrupted"
	}
	return "interrupted: " + i.so
}

// Hint says what to do next.
func (i *interruption) Hint() string { return i.hint }

// interrupted reports whether somebody pressed Ctrl-C at a question.
func interrupted(err error) bool {
	_, is := errors.AsType[*interruption](err)
	return is
}

// awaits reads what a person types until they press Ctrl-C. The program ends then,
// and with it the reading: no system ends a read of a terminal from outside.
func awaits[T any](c *console, read func() (T, error)) (T, error) {
	return awaitsIn(c, new(chan answer[T]), read)
}

// answer is what a person typed.
type answer[T any] struct {
	given T
	err   error
}

// awaitsIn is awaits where a reading that Ctrl-C left behind is still there for the next
// question, which waits for it in place of a reading beside it.
func awaitsIn[T any](c *console, answers *chan answer[T], read func() (T, error)) (T, error) {
	select {
	case <-c.stop:
		return *new(T), &interruption{}
	default:
	}
	if *answers == nil {
		begun := make(chan answer[T], 1) // what comes too late finds room
		*answers = begun
		go func() {
			given, err := read()
			begun <- answer[T]{given, err}
		}()
	}
	select {
	case a := <-*answers:
		*answers = nil
		return a.given, a.err
	case <-c.stop:
		_, _ = fmt.Fprintln(c.stderr) // behind ^C
		return *new(T), &interruption{}
	}
}

// endedByCtrlC reports whether a program that this one started ended of Ctrl-C, which a
// terminal tells both of them.
func endedByCtrlC(err error) bool {
	exit, is := errors.AsType[*exec.ExitError](err)
	if !is {
		return false
	}
	const onWindows = 0xC000013A // STATUS_CONTROL_C_EXIT of MS-ERREF
	status, is := exit.Sys().(syscall.WaitStatus)
	return uint32(exit.ExitCode()) == onWindows || is && status.Signaled() && status.Signal() == syscall.SIGINT
}

// ctrlCArrives is how long the same Ctrl-C may take to come to this program.
const ctrlCArrives = time.Second

// skipped reports whether Ctrl-C ended what was done under a context of nextStop. Where a
// program that was started ended of it first, it waits for it to come here, too: later it
// would be taken for another one.
func skipped(during context.Context, err error) bool {
	if !endedByCtrlC(err) {
		return during.Err() != nil
	}
	late := time.NewTimer(ctrlCArrives)
	defer late.Stop()
	select {
	case <-during.Done():
	case <-late.C:
	}
	return true
}
