//go:build unix

package store

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// longestSocket is what fits into the address of a unix socket everywhere.
const longestSocket = 100

type longSocketError struct{ path string }

func (e *longSocketError) Error() string {
	return fmt.Sprintf("the path of the socket has more than %d characters: %s", longestSocket, e.path)
}

// Hint says what to do next.
func (*longSocketError) Hint() string { return "keep the store in a folder with a shorter path" }

// listenLocal listens on a socket for this account alone. Only the owner of the
// store gets here, so that what lies at the path is of an owner that has ended.
func listenLocal(path string) (net.Listener, error) {
	if len(path) > longestSocket {
		return nil, &longSocketError{path}
	}
	if err := stale(path); err != nil {
		return nil, err
	}
	// The socket is made in a folder that nobody else can enter, and moved: between
	// its making and its mode others could connect.
	folder, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	inside := filepath.Join(folder, "s")
	listener, err := net.Listen("unix", inside)
	if err != nil {
		if strings.Contains(err.Error(), "invalid argument") {
			return nil, &longSocketError{path}
		}
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err = os.Chmod(inside, 0o600); err == nil {
		err = os.Rename(inside, path)
	}
	if err != nil {
		listener.Close()
		return nil, err
	}
	return guarded{&ended{listener, path}}, nil
}

// ended removes the socket when it is closed.
type ended struct {
	net.Listener
	path string
}

func (e *ended) Close() error {
	_ = os.Remove(e.path)
	return e.Listener.Close()
}

// dialLocal connects to a socket, and looks who is there before anything is said.
func dialLocal(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := samePeer(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// samePeer returns an error unless the process at the other end has our account.
func samePeer(c net.Conn) error {
	u, is := c.(*net.UnixConn)
	if !is {
		return errPeer
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	var uid int
	var failed error
	if err := raw.Control(func(fd uintptr) { uid, failed = peerAccount(int(fd)) }); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	if uid != syscall.Geteuid() {
		return errPeer
	}
	return nil
}
