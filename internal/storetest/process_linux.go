package storetest

import (
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
)

// account is the user that a server runs as when the test runs as root.
var accounts = []string{"postgres", "nobody"}

func servant() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range accounts {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

func giveAway(folder string) error {
	if c := servant(); c != nil {
		return os.Chown(folder, int(c.Uid), int(c.Gid))
	}
	return nil
}

// lower makes a command run without root's rights, in a group of its own.
func lower(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: servant(), Setpgid: true}
}

// runTied starts a command that is killed when this process ends however it
// ends. The kernel watches the thread that started it, so the goroutine keeps its
// thread, and must live as long as the command.
func runTied(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT // immediate shutdown: it takes its children along
	return cmd.Start()
}

// signalAll sends a signal to a server. A kill goes to all its processes at once,
// as when the machine loses power. It may have ended by itself.
func signalAll(cmd *exec.Cmd, signal os.Signal) error {
	if signal == os.Kill {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if err == syscall.ESRCH {
			return os.ErrProcessDone
		}
		return err
	}
	return cmd.Process.Signal(signal)
}
