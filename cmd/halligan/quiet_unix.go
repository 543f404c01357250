//go:build !windows

package main

import "golang.org/x/sys/unix"

// quiet turns the echo of a terminal off until the function that it returns is
// called. It comes before the prompt: what a quick person types between the prompt
// and the reading would stand on the screen.
func quiet(fd int) (loud func()) {
	was, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {}
	}
	now := *was
	now.Lflag &^= unix.ECHO
	if unix.IoctlSetTermios(fd, setTermios, &now) != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, was) }
}
