package store

import "golang.org/x/sys/unix"

// peerAccount asks the kernel for the account at the other end (unix(7), SO_PEERCRED).
func peerAccount(fd int) (int, error) {
	c, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(c.Uid), nil
}
