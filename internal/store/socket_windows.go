package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// listenLocal listens on a named pipe that this account alone may open. The name
// follows from the path, as PipeName says.
func listenLocal(path string) (net.Listener, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	// Full access for the account, nothing for others or the network
	// (windows-docs "Security Descriptor String Format").
	return winio.ListenPipe(PipeName(path), &winio.PipeConfig{SecurityDescriptor: fmt.Sprintf("D:P(D;;GA;;;NU)(A;;GA;;;%s)", user.User.Sid.String())})
}

// PipeName is the name of the pipe for the path of a socket.
func PipeName(path string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(filepath.Clean(path))))
	return `\\.\pipe\halligan-` + hex.EncodeToString(sum[:16])
}

// dialLocal connects to the pipe.
func dialLocal(ctx context.Context, path string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, PipeName(path))
}

// samePeer has nothing to ask: the pipe's own list lets in one account.
func samePeer(net.Conn) error { return nil }
