package seal

import "strings"

// Keys of age are written in Bech32 (BIP 173), without its limit of 90 letters and
// in capitals where they are secret.

const bech32Letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

func bech32Sum(sum uint32, value byte) uint32 {
	top := sum >> 25
	sum = sum&0x1ffffff<<5 ^ uint32(value)
	for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		sum ^= g & -(top >> i & 1)
	}
	return sum
}

// bech32 writes data behind a prefix of lower case letters.
func bech32(prefix string, data []byte) string {
	sum := uint32(1)
	for i := range len(prefix) {
		sum = bech32Sum(sum, prefix[i]>>5)
	}
	sum = bech32Sum(sum, 0)
	for i := range len(prefix) {
		sum = bech32Sum(sum, prefix[i]&31)
	}
	var b strings.Builder
	b.WriteString(prefix + "1")
	put := func(value byte) {
		sum = bech32Sum(sum, value)
		b.WriteByte(bech32Letters[value])
	}
	held, bits := uint32(0), 0
	for _, d := range data {
		held, bits = held<<8|uint32(d), bits+8
		for bits >= 5 {
			bits -= 5
			put(byte(held>>bits) & 31)
		}
	}
	if bits > 0 {
		put(byte(held<<(5-bits)) & 31)
	}
	for range 6 {
		sum = bech32Sum(sum, 0)
	}
	sum ^= 1
	for i := range 6 {
		b.WriteByte(bech32Letters[sum>>(5*(5-i))&31])
	}
	return b.String()
}

// The prefixes of secret keys of age.
const (
	classicPrefix = "age-secret-key-"
	hybridPrefix  = "age-secret-key-pq-"
)

// ageKey is a secret key of age as age reads it.
func ageKey(hybrid bool, key *[secretSize]byte) string {
	prefix := classicPrefix
	if hybrid {
		prefix = hybridPrefix
	}
	return strings.ToUpper(bech32(prefix, key[:]))
}
