//go:build !linux && !windows

package main

import "golang.org/x/sys/unix"

// harden keeps what this process has in memory from dumps. What it cannot do is in
// docs/threat-model.md; a failure keeps nobody from opening what they need.
func harden() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }

// How a terminal is asked for its settings, and told others.
const getTermios, setTermios = unix.TIOCGETA, unix.TIOCSETA

// dropTyped throws away what was typed at a terminal and nobody has read.
func dropTyped(fd int) {
	const input = 1 // FREAD of sys/file.h
	_ = unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, input)
}
