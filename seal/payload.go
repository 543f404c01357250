package seal

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"halligan/custody"
)

// What is inside is a text that a person reads without this program: lines of a key
// and a value, and behind the last line, "secret:", the secret to the end.

const payloadHead = "HALLIGAN SEALED 1"

func (w *work) payload(manifest string, secret custody.Secret, half int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\naccount: %s\nwhat: %s\nset: %s\nmanifest: %s\n", payloadHead, w.plan.Account, w.plan.What, w.manifest.Set, manifest)
	if half > 0 {
		fmt.Fprintf(&b, "half: %d of 2\n", half)
	}
	for _, a := range w.plan.Announce {
		b.WriteString(announceKey + a.Line() + "\n")
	}
	b.WriteString("secret:\n")
	out := make([]byte, 0, b.Len()+len(secret.Reveal())+1)
	return append(append(append(out, b.Bytes()...), secret.Reveal()...), '\n')
}

// payload is what is inside, read.
type payload struct {
	account, what, set, manifest string
	half                         int
	announce                     []Announce
	wrong                        []string // with who is told
	secret                       custody.Secret
}

// parsePayload reads what was decrypted. The text is the payload's from then on.
func parsePayload(text []byte) (*payload, error) {
	head, secret, found := bytes.Cut(text, []byte("\nsecret:\n"))
	if !found || len(secret) < 2 || secret[len(secret)-1] != '\n' {
		return nil, refuse(ReasonPayload, "it does not have the form")
	}
	p := &payload{secret: custody.NewSecret(secret[:len(secret)-1])}
	lines := strings.Split(string(head), "\n")
	fields := []struct {
		key string
		to  *string
	}{{"account: ", &p.account}, {"what: ", &p.what}, {"set: ", &p.set}, {"manifest: ", &p.manifest}}
	var told []string
	for len(lines) > len(fields)+1 {
		line, is := strings.CutPrefix(lines[len(lines)-1], announceKey)
		if !is {
			break
		}
		lines, told = lines[:len(lines)-1], append(told, line)
	}
	slices.Reverse(told)
	p.announce, p.wrong = announcements(told)
	if lines[0] != payloadHead || len(lines) < len(fields)+1 || len(lines) > len(fields)+2 {
		return nil, refuse(ReasonPayload, "it does not have the form")
	}
	for i, f := range fields {
		value, is := strings.CutPrefix(lines[i+1], f.key)
		if !is || !isLine(value) {
			return nil, refuse(ReasonPayload, "it does not have the form")
		}
		*f.to = value
	}
	if len(lines) == len(fields)+2 {
		number, _ := strings.CutPrefix(lines[len(fields)+1], "half: ")
		number, is := strings.CutSuffix(number, " of 2")
		half, err := strconv.Atoi(number)
		if !is || err != nil || half < 1 || half > 2 {
			return nil, refuse(ReasonPayload, "it does not have the form")
		}
		p.half = half
	}
	return p, nil
}
