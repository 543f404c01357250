package sandbox

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// readerLife is how long the reader's certificate lives: as long as the authority.
const readerLife = 7 * 24 * time.Hour

// SaveReader makes a certificate for the application that reads (ReaderName),
// registers it there in place of an earlier one, and writes it with its key into a
// folder, readable by its owner alone. It returns the path, "" where the tenant has
// no such application. The key is made anew by each call; Reset keeps it.
//
// Entra takes RSA certificates from applications (entra-docs
// identity-platform/certificate-credentials).
func (s *Site) SaveReader(folder string) (string, error) {
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("write a certificate for %s: %w", ReaderName, err)
	}
	now := s.now()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fail(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: ReaderName + " (sandbox)"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(readerLife), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fail(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	if is, err := s.register(der, template); err != nil || !is {
		return "", err
	}
	var text bytes.Buffer
	for _, block := range []pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "PRIVATE KEY", Bytes: private}} {
		if err := pem.Encode(&text, &block); err != nil {
			return fail(err)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fail(err)
	}
	path := filepath.Join(folder, "halligan-reader.pem")
	if err := replaceFile(path, text.Bytes(), 0o600); err != nil {
		return fail(err)
	}
	return path, nil
}

// register gives a certificate to the application that reads, in the tenant as it
// is and as it begins again. It reports false where there is no such application.
func (s *Server) register(der []byte, c *x509.Certificate) (is bool, err error) {
	thumbprint := sha1.Sum(der)
	credential := map[string]any{"keyId": graphID(), "displayName": "sandbox", "type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.StdEncoding.EncodeToString(der),
		"customKeyIdentifier": fmt.Sprintf("%X", thumbprint), "startDateTime": stamp(c.NotBefore), "endDateTime": stamp(c.NotAfter)}
	put := func(st *State) error {
		for _, app := range st.All("applications") {
			if text(app, "displayName") == ReaderName {
				app["keyCredentials"] = []any{credential}
				st.Put("applications", text(app, "id"), app)
				is = true
			}
		}
		return nil
	}
	if err := s.Update(put); err != nil {
		return false, err
	}
	begin, err := undump(s.start)
	if err != nil {
		return false, err
	}
	_ = put(begin) // it cannot fail
	s.start, err = dump(begin)
	return is, err
}
