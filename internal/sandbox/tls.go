package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority is the sandbox's own certification authority. It can sign for
// localhost alone (a critical name constraint, RFC 5280 section 4.2.1.10), ends
// after a week, and its key is forgotten as soon as the one certificate is
// signed: whoever trusts it trusts nothing else. It never enters the system's
// store of trusted authorities.
type Authority struct {
	ca   *x509.Certificate
	pem  []byte
	leaf tls.Certificate
}

// authorityDays is how long an authority can be trusted.
const authorityDays = 7

// NewAuthority makes an authority and its certificate for localhost, both
// beginning an hour before now.
func NewAuthority(now time.Time) (*Authority, error) {
	from, to := now.Add(-time.Hour), now.AddDate(0, 0, authorityDays)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the sandbox's authority: %v", err)
	}
	everyV4 := &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
	everyV6 := &net.IPNet{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}
	ca := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Halligan sandbox " + from.UTC().Format(time.DateOnly)},
		NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
		ExcludedIPRanges: []*net.IPNet{everyV4, everyV6},
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("make the sandbox's authority: %v", err)
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, fmt.Errorf("make the sandbox's authority: %v", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the sandbox's certificate: %v", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: from, NotAfter: to, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("make the sandbox's certificate: %v", err)
	}
	return &Authority{ca: ca, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		leaf: tls.Certificate{Certificate: [][]byte{leafDER, caDER}, PrivateKey: key}}, nil
}

func serial() *big.Int {
	// 120 bits: positive and within the 20 bytes of RFC 5280.
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return new(big.Int).SetBytes(b[:])
}

// PEM is the authority's certificate, for clients.
func (a *Authority) PEM() []byte { return a.pem }

// Pool trusts the authority and nothing else.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.ca)
	return pool
}

// Ends is when the authority can no longer be trusted.
func (a *Authority) Ends() time.Time { return a.ca.NotAfter }

// server is how the sandbox serves.
func (a *Authority) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// Save writes the authority's certificate, and no key, into a folder and returns
// the path.
func (a *Authority) Save(folder string) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("write the sandbox's authority: %w", err)
	}
	path := filepath.Join(folder, "halligan-sandbox-ca.pem")
	if err := replaceFile(path, a.pem, 0o644); err != nil {
		return "", fmt.Errorf("write the sandbox's authority: %w", err)
	}
	return path, nil
}
