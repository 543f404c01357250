package main

import "golang.org/x/sys/unix"

// harden keeps what this process has in memory from dumps, from other processes of
// the account, and from the swap where the system allows that. What it cannot do is
// in docs/threat-model.md; a failure keeps nobody from opening what they need.
func harden() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	// Under a limit, locking what comes later would end the program at the limit.
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil && limit.Cur == unix.RLIM_INFINITY {
		_ = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
	}
}

// How a terminal is asked for its settings, and told others.
const getTermios, setTermios = unix.TCGETS, unix.TCSETS

// dropTyped throws away what was typed at a terminal and nobody has read.
func dropTyped(fd int) { _ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }
