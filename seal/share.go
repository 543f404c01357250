package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strings"

	"halligan/custody"
)

// Share is one share of the key of a set.
type Share struct {
	Hybrid bool   // of a hybrid key of age; else of an X25519 key
	Set    string // 16 hexadecimal digits
	Need   int    // how many make the key
	Of     int    // how many there are
	Number int    // which this is, from 1
	value  [secretSize]byte
}

const (
	shareSize   = 48
	sharePrefix = "HALLIGAN-SHARE-1:"
	// versions of a share, its first byte.
	shareClassic, shareHybrid = 1, 2
)

// shareLetters is base32 (RFC 4648, 6) without fill: QR codes have a compact mode
// for its letters.
var shareLetters = base32.StdEncoding.WithPadding(base32.NoPadding)

// bytes is the share as it is counted and hashed: version, set, k, n, x, the value
// of 32 bytes, and the first four bytes of the SHA-256 of all that.
func (s *Share) bytes() []byte {
	b := make([]byte, 0, shareSize)
	version := byte(shareClassic)
	if s.Hybrid {
		version = shareHybrid
	}
	set, _ := hex.DecodeString(s.Set) // made or read here: it is hexadecimal
	b = append(append(b, version), set...)
	b = append(b, byte(s.Need), byte(s.Of), byte(s.Number))
	b = append(b, s.value[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:4]...)
}

// Digest is the SHA-256 of the share, sha256: and 64 hexadecimal digits. The
// manifest has it.
func (s *Share) Digest() string {
	b := s.bytes()
	defer clear(b)
	return digest(b)
}

// QR is the share as a QR code has it.
func (s *Share) QR() custody.Secret {
	b := s.bytes()
	defer clear(b)
	return custody.NewSecret(shareLetters.AppendEncode([]byte(sharePrefix), b))
}

// Words is the share as rows of words, one to a line.
func (s *Share) Words() custody.Secret {
	b := s.bytes()
	defer clear(b)
	rows, _ := Words(b) // 48 bytes are never too many
	return custody.NewSecret([]byte(strings.Join(rows, "\n")))
}

// wipe clears the value.
func (s *Share) wipe() { clear(s.value[:]) }

// IsQR reports whether a text begins as that of a QR code of a share does.
func IsQR(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) >= len(sharePrefix) && strings.EqualFold(text[:len(sharePrefix)], sharePrefix)
}

// ParseShare reads a share as the text of its QR code or as its words.
func ParseShare(text custody.Secret) (*Share, error) {
	given := bytes.TrimSpace(text.Reveal())
	if len(given) > textMost {
		return nil, refuse(ReasonNoShare, "%d letters are too many", len(given))
	}
	var raw []byte
	if head := []byte(sharePrefix); len(given) >= len(head) && bytes.EqualFold(given[:len(head)], head) {
		body := bytes.Join(bytes.Fields(bytes.ToUpper(given[len(head):])), nil)
		raw = make([]byte, shareLetters.DecodedLen(len(body)))
		n, err := shareLetters.Decode(raw, body)
		raw = raw[:n]
		if err != nil || n != shareSize || string(shareLetters.AppendEncode(nil, raw)) != string(body) {
			return nil, refuse(ReasonNoShare, "behind %s stand 77 letters A to Z and digits 2 to 7, and here are %d signs", sharePrefix, len(body))
		}
	} else {
		var err error
		if raw, err = ParseWords(string(given)); err != nil {
			return nil, err
		}
	}
	defer clear(raw)
	if len(raw) != shareSize {
		return nil, refuse(ReasonNoShare, "it has %d of %d bytes; rows are missing or too many", len(raw), shareSize)
	}
	return readShare(raw)
}

func readShare(raw []byte) (*Share, error) {
	sum := sha256.Sum256(raw[:shareSize-4])
	if !bytes.Equal(sum[:4], raw[shareSize-4:]) {
		return nil, refuse(ReasonAltered, "its checksum is not right")
	}
	s := &Share{Hybrid: raw[0] == shareHybrid, Set: hex.EncodeToString(raw[1:9]), Need: int(raw[9]), Of: int(raw[10]), Number: int(raw[11])}
	if !slices.Contains([]byte{shareClassic, shareHybrid}, raw[0]) || s.Need < 2 || s.Of < s.Need || s.Of > holdersMost || s.Number < 1 || s.Number > s.Of {
		return nil, refuse(ReasonNoShare, "version %d, %d of %d, number %d: this program knows no such share", raw[0], s.Need, s.Of, s.Number)
	}
	copy(s.value[:], raw[12:])
	return s, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Join makes the key of age again of which the shares are, as text. Whether it is
// that of a file, the file says. It is for whoever puts shares together apart from
// their file.
func Join(shares []*Share) (custody.Secret, error) {
	if len(shares) == 0 || len(shares) < shares[0].Need {
		return custody.Secret{}, refuse(ReasonTooFew, "%d shares", len(shares))
	}
	for i, s := range shares {
		if s.Set != shares[0].Set || s.Hybrid != shares[0].Hybrid || s.Need != shares[0].Need {
			return custody.Secret{}, refuse(ReasonOtherSet, "share %d is of set %s, and another of set %s", s.Number, s.Set, shares[0].Set)
		}
		if slices.ContainsFunc(shares[:i], func(other *Share) bool { return other.Number == s.Number }) {
			return custody.Secret{}, refuse(ReasonTwice, "share %d", s.Number)
		}
	}
	key := together(shares[:shares[0].Need])
	defer clear(key[:])
	return custody.NewSecret([]byte(ageKey(shares[0].Hybrid, &key))), nil
}

// together combines the values of distinct shares.
func together(shares []*Share) [secretSize]byte {
	var x []byte
	var y [][secretSize]byte
	for _, s := range shares {
		x, y = append(x, byte(s.Number)), append(y, s.value)
	}
	defer clear(y)
	return combine(x, y)
}
