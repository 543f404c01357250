package store

import "golang.org/x/sys/unix"

// peerAccount asks the kernel for the account at the other end (unix(4), LOCAL_PEERCRED).
func peerAccount(fd int) (int, error) {
	c, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(c.Uid), nil
}
