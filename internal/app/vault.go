package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"halligan/register"
	"halligan/seal"
)

// A place outside, such as a key vault, is reached by a command of the register: a
// list of words, without a shell. It gets and gives the sealed file alone, in
// base64, and what is sealed stays sealed.

// vaultTime is how long such a command may take.
const vaultTime = 2 * time.Minute

// PutSealed keeps a sealed file at a place.
func PutSealed(ctx context.Context, p *register.Place, data []byte) error {
	_, err := vault(ctx, p.Name, "put", p.Put, base64.StdEncoding.EncodeToString(data)+"\n")
	return err
}

// GetSealed brings the sealed file of a place back, and whether it is one, seal.Parse
// says.
func GetSealed(ctx context.Context, p *register.Place) ([]byte, error) {
	out, err := vault(ctx, p.Name, "get", p.Get, "")
	if err != nil || bytes.HasPrefix(out, []byte("PK")) {
		return out, err
	}
	letters := bytes.Trim(bytes.Join(bytes.Fields(out), nil), `"`)
	data, err := base64.StdEncoding.DecodeString(string(letters))
	if err != nil {
		return nil, &hinted{fmt.Errorf("get the sealed file from %s: the command gives neither the file nor base64", p.Name), "try the command by hand"}
	}
	return data, nil
}

// limited keeps no more than fits into a sealed file in base64. The buffer is not
// embedded: its ReadFrom would pass the limit by.
type limited struct{ kept bytes.Buffer }

var errTooMuch = errors.New("it gives more than a sealed file")

func (l *limited) Write(b []byte) (int, error) {
	if l.kept.Len()+len(b) > seal.FileMost*3/2 {
		return 0, errTooMuch
	}
	return l.kept.Write(b)
}

func vault(ctx context.Context, place, what string, words []string, in string) ([]byte, error) {
	if len(words) == 0 {
		return nil, &hinted{fmt.Errorf("%s the sealed file at %s: the register has no command for it", what, place), "write " + what + ": and the words of the command at the place, in halligan.yaml (docs/operations.md has examples)"}
	}
	ctx, cancel := context.WithTimeout(ctx, vaultTime)
	defer cancel()
	var out, said limited
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(said.kept.String()), "\n")
		return nil, &hinted{fmt.Errorf("%s the sealed file at %s: %s: %w: %.200s", what, place, words[0], err, line), "try the command by hand; sign in to the vault first"}
	}
	return out.kept.Bytes(), nil
}
