package seal

import (
	"fmt"
	"io"
)

// Shamir's method (A. Shamir, How to share a secret, CACM 22, 1979) over GF(256)
// with the polynomial of AES, x^8+x^4+x^3+x+1 (FIPS 197, 4.2). Each byte of the
// secret is the constant of a polynomial of degree k-1 of its own; the share at x
// is its value there, x from 1 on. Nothing here branches or reads memory by a
// secret: products are computed, not looked up.

// secretSize is how long a secret key of age is, of X25519 or of its hybrid.
const secretSize = 32

// times multiplies in GF(256).
func times(a, b byte) (product byte) {
	for range 8 {
		product ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return product
}

// inverse is a^254, which is 1/a, and 0 for 0.
func inverse(a byte) byte {
	out := byte(1)
	for bit := byte(128); bit != 0; bit >>= 1 {
		out = times(out, out)
		if 254&bit != 0 {
			out = times(out, a)
		}
	}
	return out
}

// split returns n values, of which any k make the secret again; value i is at i+1.
func split(chance io.Reader, secret *[secretSize]byte, k, n int) ([][secretSize]byte, error) {
	coefficients := make([]byte, (k-1)*secretSize)
	defer clear(coefficients)
	if _, err := io.ReadFull(chance, coefficients); err != nil {
		return nil, fmt.Errorf("split a key: read random bytes: %w", err)
	}
	out := make([][secretSize]byte, n)
	for i := range out {
		for j := range secretSize {
			y := byte(0)
			for c := k - 2; c >= 0; c-- { // Horner
				y = times(y^coefficients[c*secretSize+j], byte(i+1))
			}
			out[i][j] = y ^ secret[j]
		}
	}
	return out, nil
}

// combine is the value at 0 of the polynomials through the given points (Lagrange).
// The places are distinct and not 0.
func combine(x []byte, y [][secretSize]byte) (secret [secretSize]byte) {
	for i := range x {
		weight := byte(1)
		for j := range x {
			if i != j {
				weight = times(weight, times(x[j], inverse(x[i]^x[j])))
			}
		}
		for b := range secretSize {
			secret[b] ^= times(weight, y[i][b])
		}
	}
	return secret
}
