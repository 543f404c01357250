package main

import (
	"fmt"
	"os"
	"time"
)

// stillTyping is how long a terminal rests before a prompt that Enter answers: longer
// than between two letters of a scanner, or between the two presses of a hasty hand.
const stillTyping = 300 * time.Millisecond

// pressed waits for the Enter that answers a prompt, after which a secret is gone from
// the screen or comes to it. What was typed before anybody could read the prompt
// answers nothing.
func (c *console) pressed(prompt string) error {
	c.forgetTyped()
	_, _ = fmt.Fprint(c.stderr, prompt)
	_, err := c.readLine()
	return err
}

// forgetTyped throws away what was typed ahead at a terminal, as blank lines behind the
// code that a scanner typed, and what still comes in a moment. It is done before the
// prompt: whoever answers that is heard, however quick. What is no terminal is nobody
// who presses keys, and keeps all its lines.
func (c *console) forgetTyped() {
	in, is := c.stdin.(*os.File)
	if !is || !isTerminal(in) {
		return
	}
	rest := c.rest
	if rest == nil {
		rest = func() <-chan time.Time { return time.After(stillTyping) }
	}
	select {
	case <-rest():
	case <-c.stop:
	}
	dropTyped(int(in.Fd()))
	if c.lines == nil {
		return
	}
	select {
	case <-c.left: // a line for a question that Ctrl-C ended
		c.left = nil
	default:
	}
	if c.left == nil { // else the buffer is of who reads
		_, _ = c.lines.Discard(c.lines.Buffered())
	}
}
