package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Codes of RFC 6238 as Microsoft Entra reads them: SHA-1, six digits, thirty
// seconds, and a clock that may be two steps away (entra-docs
// identity/authentication/concept-authentication-oath-tokens).
const (
	totpStep   = 30
	totpWindow = 2
)

// newSeed makes a seed in Base32.
func newSeed() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])
}

// totpAt is the code of a seed for a counter; "" for a seed that is none.
func totpAt(seed string, counter uint64) string {
	clean := strings.ToUpper(strings.NewReplacer(" ", "", "=", "", "-", "").Replace(seed))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(clean)
	if err != nil || len(secret) == 0 {
		return ""
	}
	mac := hmac.New(sha1.New, secret)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], counter)
	mac.Write(b[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// checkTOTP finds the counter that a code belongs to, later than the last one
// that was used: a code is good once (RFC 6238 section 5.2).
func checkTOTP(seed, code string, now time.Time, last uint64) (uint64, bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	middle := uint64(now.Unix() / totpStep)
	for c := middle - totpWindow; c <= middle+totpWindow; c++ {
		want := totpAt(seed, c)
		if c > last && want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return c, true
		}
	}
	return 0, false
}
