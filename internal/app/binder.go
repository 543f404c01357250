package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/print"
	"halligan/internal/store"
	"halligan/procedure"
	"halligan/register"
)

// BinderPrinted is the data of an entry about a printed binder.
type BinderPrinted struct {
	Version int    `json:"version"`
	Digest  string `json:"digest"`
}

// RegisterDigest is the mark of a whole register on paper: the first 16 hexadecimal
// digits of the SHA-256 of its canonical form.
func RegisterDigest(r *register.Register) (string, error) {
	text, err := json.Marshal(keyedValue(reflect.ValueOf(*r.Or())))
	if err == nil {
		text, err = entra.Canonical(text)
	}
	if err != nil {
		return "", fmt.Errorf("digest of the register: %v", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:16], nil
}
