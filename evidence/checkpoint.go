package evidence

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// OriginPrefix begins the origin of every log; the id of the store follows, 32
// hexadecimal digits.
const OriginPrefix = "halligan/evidence/"

// Checkpoint is the statement that the first Size entries of a log have this
// root. Signed it is a C2SP tlog-checkpoint with one or two extension lines.
type Checkpoint struct {
	Origin     string    // OriginPrefix and the id of the store
	Size       uint64    // number of entries, at least 1
	Root       Hash      // root of the tree of these entries
	Time       time.Time // when it was signed, by our own clock; UTC, milliseconds
	Generation uint64    // how often the store was restored from a backup
}

// The form of a signed checkpoint. docs/evidence-format.md has the numbers of
// characters in the expression too; here readNote counts, because an expression
// that counts is slow.
const (
	textForm = `(halligan/evidence/[0-9a-f]{32})\n([1-9][0-9]*)\n([A-Za-z0-9+/]+=)\n` +
		`time ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)\n(?:generation ([1-9][0-9]*)\n)?`
	signatureForm = `— [!-*,-~]+ [A-Za-z0-9+/]+=\n`
	maxDigits     = 18
)

var signedNote = regexp.MustCompile(`^` + textForm + `\n(` + signatureForm + `(?:` + signatureForm + `)?)$`)

// text returns what is signed.
func (c Checkpoint) text() (string, error) {
	if !c.sayable() {
		return "", errors.New("sign checkpoint: origin, size or time is not what it must be")
	}
	text := fmt.Sprintf("%s\n%d\n%s\ntime %s\n", c.Origin, c.Size, c.Root, c.Time.UTC().Format(timeForm))
	if c.Generation > 0 {
		text += fmt.Sprintf("generation %d\n", c.Generation)
	}
	return text, nil
}

// sayable reports whether the text of the checkpoint is one that readNote reads.
func (c Checkpoint) sayable() bool {
	id, ours := strings.CutPrefix(c.Origin, OriginPrefix)
	year := c.Time.UTC().Year()
	return ours && len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" &&
		c.Size > 0 && max(c.Size, c.Generation) < 1e18 && !c.Time.IsZero() && year >= 0 && year <= 9999
}

// Sign returns the checkpoint as a signed note.
func (k *LogKey) Sign(c Checkpoint) ([]byte, error) {
	text, err := c.text()
	if err != nil {
		return nil, err
	}
	signers := []note.Signer{k.hidden.signer}
	if k.before != nil {
		signers = []note.Signer{k.before.hidden.signer, k.hidden.signer}
	}
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// OpenCheckpoint reads a signed checkpoint and believes it when one of the keys,
// each in the form that LogKey.Public gives, has signed it and no signature of
// these keys is false. Any spelling but the one that Sign writes is refused.
func OpenCheckpoint(signed []byte, keys ...string) (Checkpoint, error) {
	var verifiers []note.Verifier
	for _, k := range keys {
		v, err := parsePublic(k)
		if err != nil {
			return Checkpoint{}, err
		}
		verifiers = append(verifiers, v)
	}
	n, err := readNote(signed)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	good := 0
	for _, s := range n.signatures {
		for _, v := range verifiers {
			if s.by(v) && !v.Verify(n.text, s.raw[4:]) {
				return Checkpoint{}, fmt.Errorf("open checkpoint of size %d: the signature of %s is false", n.Size, s.name)
			}
			if s.by(v) {
				good++
			}
		}
	}
	if good == 0 {
		return Checkpoint{}, fmt.Errorf("open checkpoint of size %d: signed by none of the keys given", n.Size)
	}
	return n.Checkpoint, nil
}

// signedCheckpoint is a note that was read and not believed yet.
type signedCheckpoint struct {
	Checkpoint
	text       []byte // what is signed
	signatures []signature
}

type signature struct {
	name string
	raw  []byte // four bytes of the key's hash, then the signature
}

func (s signature) by(v note.Verifier) bool {
	return s.name == v.Name() && binary.BigEndian.Uint32(s.raw) == v.KeyHash()
}

var errNote = errors.New("not a signed checkpoint of a log")

// readNote reads a whole note in its one form. It does not look at the calendar:
// what a date means is the signer's word, and a stranger's verifier need not agree
// with ours on leap years.
func readNote(signed []byte) (*signedCheckpoint, error) {
	m := signedNote.FindSubmatchIndex(signed)
	if m == nil {
		return nil, errNote
	}
	group := func(i int) string { return string(signed[m[2*i]:m[2*i+1]]) }
	n := &signedCheckpoint{text: signed[:m[12]-1]}
	if len(group(2)) > maxDigits || m[10] >= 0 && len(group(5)) > maxDigits {
		return nil, errNote
	}
	n.Origin = group(1)
	n.Size, _ = strconv.ParseUint(group(2), 10, 64)
	root, err := tlog.ParseHash(group(3))
	if err != nil || root.String() != group(3) {
		return nil, errNote
	}
	n.Root = root
	n.Time, _ = time.Parse(timeForm, group(4)) // zero for a day that does not exist
	if m[10] >= 0 {
		n.Generation, _ = strconv.ParseUint(group(5), 10, 64)
	}
	for line := range bytes.Lines([]byte(group(6))) {
		name, b64, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n"))[len("— "):], []byte(" "))
		raw, err := base64.StdEncoding.DecodeString(string(b64))
		if err != nil || len(name) > maxName || len(raw) != 4+ed25519.SignatureSize || base64.StdEncoding.EncodeToString(raw) != string(b64) {
			return nil, errNote // bits that no signature covers would be free to change
		}
		n.signatures = append(n.signatures, signature{string(name), raw})
	}
	return n, nil
}
