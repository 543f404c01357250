package graph

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Profile is how somebody signed in, without any secret: enough to sign in the
// same way again, and to find the tokens in the platform's store.
type Profile struct {
	Version         int                              `json:"version"` // 1
	Method          Method                           `json:"method"`
	Cloud           string                           `json:"cloud"`            // name of a cloud, or "custom"
	Base            string                           `json:"base,omitempty"`   // address of a custom cloud
	CAFile          string                           `json:"caFile,omitempty"` // its authority's certificate (PEM)
	Tenant          string                           `json:"tenant,omitempty"`
	ClientID        string                           `json:"clientId,omitempty"`
	Username        string                           `json:"username,omitempty"`
	Account         *azidentity.AuthenticationRecord `json:"account,omitempty"`
	CertificateFile string                           `json:"certificateFile,omitempty"`
	SecretFile      string                           `json:"secretFile,omitempty"`
	TokenFile       string                           `json:"tokenFile,omitempty"`
	Permissions     []string                         `json:"permissions,omitempty"` // that were asked for
	Store           string                           `json:"store,omitempty"`       // name of the token store; "" keeps tokens in memory
}

// ErrNoProfile says that nobody has signed in under that name.
var ErrNoProfile = errors.New("there is no such profile")

var profileName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// maxProfile is the largest profile that is read.
const maxProfile = 64 << 10

// profileFile is the name of a profile's file in its folder.
func profileFile(name string) (string, error) {
	switch {
	case name == "" || name == "default":
		return "profile.json", nil
	case !profileName.MatchString(name):
		return "", &ConfigError{What: fmt.Sprintf("use profile %q: that is no name", clean(name, 60)), Cure: "Use small letters, digits and hyphens."}
	}
	return "profile-" + name + ".json", nil
}

// NewStoreName returns the name of a new token store.
func NewStoreName() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // does not fail: crypto/rand ends the program instead
	return "halligan-" + hex.EncodeToString(b[:])
}

// SaveProfile writes a profile into a folder, which is made if needed. It
// replaces the old file in one step.
func SaveProfile(dir, name string, p Profile) error {
	file, err := profileFile(name)
	if err != nil {
		return err
	}
	p.Version = 1
	if p.Store != "" {
		if err := checkStoreName(p.Store); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("save the profile: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("save the profile: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("save the profile: %w", err)
	}
	defer root.Close()
	next := file + ".new"
	if err := root.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("save the profile: %w", err)
	}
	f, err := root.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("save the profile: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("save the profile: %w", err)
	}
	if err := root.Rename(next, file); err != nil {
		return fmt.Errorf("save the profile: %w", err)
	}
	return nil
}

// LoadProfile reads a profile. The error wraps ErrNoProfile when there is none.
func LoadProfile(dir, name string) (Profile, error) {
	var p Profile
	file, err := profileFile(name)
	if err != nil {
		return p, err
	}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return p, ErrNoProfile
	}
	if err != nil {
		return p, fmt.Errorf("read the profile: %w", err)
	}
	defer root.Close()
	f, err := root.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, ErrNoProfile
	}
	if err != nil {
		return p, fmt.Errorf("read the profile: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err != nil {
		return p, fmt.Errorf("read the profile: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil || len(data) > maxProfile || p.Version != 1 {
		return Profile{}, &ConfigError{What: fmt.Sprintf("read the profile %s: it is not one of this version", file), Cure: "Run `halligan logout`, then `halligan login`."}
	}
	if p.Store != "" {
		if err := checkStoreName(p.Store); err != nil {
			return Profile{}, err
		}
	}
	return p, nil
}

// RemoveProfile signs out: the tokens of the profile go first, then the profile.
// Tokens that are in use elsewhere live until they end; an administrator can
// revoke them.
func RemoveProfile(dir, name string) error {
	file, err := profileFile(name)
	if err != nil {
		return err
	}
	p, err := LoadProfile(dir, name)
	if errors.Is(err, ErrNoProfile) {
		return err
	}
	var failed error
	if err == nil && p.Store != "" {
		failed = RemoveTokens(p.Store)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return errors.Join(failed, fmt.Errorf("remove the profile: %w", err))
	}
	defer root.Close()
	if err := root.Remove(file); err != nil {
		return errors.Join(failed, fmt.Errorf("remove the profile: %w", err))
	}
	return failed
}

// CloudOf returns the cloud of a profile, and reads its authority's certificate.
func (p Profile) CloudOf() (Cloud, error) {
	if p.Cloud != customName {
		return CloudNamed(p.Cloud)
	}
	var roots *x509.CertPool
	if p.CAFile != "" {
		var err error
		if roots, err = LoadRoots(p.CAFile, false); err != nil {
			return Cloud{}, err
		}
	}
	return CustomCloud(p.Base, roots)
}

// SignIn returns the sign-in of a profile; network settings and prompts are the
// caller's to add.
func (p Profile) SignIn() (SignIn, error) {
	cloud, err := p.CloudOf()
	if err != nil {
		return SignIn{}, err
	}
	s := SignIn{
		Method: p.Method, Cloud: cloud, Tenant: p.Tenant, ClientID: p.ClientID, Username: p.Username,
		CertificateFile: p.CertificateFile, SecretFile: p.SecretFile, TokenFile: p.TokenFile, CacheName: p.Store,
	}
	if p.Account != nil {
		s.Account = *p.Account
	}
	return s, nil
}

// LoadRoots reads the certificates of a PEM file: alone, for a cloud with an
// authority of its own, or beside those of the system, for a proxy that opens
// connections.
func LoadRoots(path string, system bool) (*x509.CertPool, error) {
	fail := func(why string) error {
		return &ConfigError{What: fmt.Sprintf("read certificates %s: %s", path, why), Cure: "Give a file with certificates in PEM form."}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fail(errors.Unwrap(err).Error())
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPrivate))
	if err != nil {
		return nil, fail("it cannot be read")
	}
	pool := x509.NewCertPool()
	if system {
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, fail("the certificates of the system cannot be read")
		}
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fail("it holds none")
	}
	return pool, nil
}
