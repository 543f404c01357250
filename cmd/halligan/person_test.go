package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"halligan/internal/sandbox"
)

// web is a client that trusts the sandbox's authority alone.
func (s *sandboxStart) web() (*http.Client, error) {
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("the CA file holds no certificate")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: 30 * time.Second}, nil
}

func (s *sandboxStart) person(upn string) (sandbox.Person, error) {
	for _, p := range s.Accounts {
		if strings.EqualFold(p.UPN, upn) {
			return p, nil
		}
	}
	return sandbox.Person{}, fmt.Errorf("nobody is called %s", upn)
}

// somebody is a person at a browser.
type somebody struct {
	at     *sandboxStart
	who    sandbox.Person
	client *http.Client
	url    string // where the browser is
	page   string
}

func (s *sandboxStart) somebody(upn string) (*somebody, error) {
	who, err := s.person(upn)
	if err != nil {
		return nil, err
	}
	client, err := s.web()
	return &somebody{at: s, who: who, client: client}, err
}

func (p *somebody) open(address string) error {
	resp, err := p.client.Get(address)
	return p.took(resp, err)
}

func (p *somebody) took(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	p.page, p.url = string(body), resp.Request.URL.String()
	if err == nil && resp.StatusCode >= 400 {
		err = fmt.Errorf("%s answers %d: %s", p.url, resp.StatusCode, body)
	}
	return err
}

var (
	formTag  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)".*?</form>`)
	inputTag = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// send posts the first form of the page with these fields filled in.
func (p *somebody) send(fields ...string) error {
	m := formTag.FindStringSubmatch(p.page)
	if m == nil {
		return fmt.Errorf("there is no form on %s: %s", p.url, p.page)
	}
	form := url.Values{}
	for _, hidden := range inputTag.FindAllStringSubmatch(m[0], -1) {
		form.Set(hidden[1], html.UnescapeString(hidden[2]))
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	here, err := url.Parse(p.url)
	if err != nil {
		return err
	}
	to, err := here.Parse(html.UnescapeString(m[1]))
	if err != nil {
		return err
	}
	resp, err := p.client.PostForm(to.String(), form)
	return p.took(resp, err)
}

// code is what the person's authenticator app shows (RFC 6238). Each call moves
// the tenant's clock on, since a code is good for one sign-in.
func (p *somebody) code() (string, error) {
	now, err := p.at.advance(p.client, 30*time.Second)
	if err != nil {
		return "", err
	}
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(p.who.TOTP)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha1.New, seed)
	_ = binary.Write(mac, binary.BigEndian, uint64(now.Unix()/30)) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff)%1_000_000), nil
}

// advance moves the tenant's clock and tells its time.
func (s *sandboxStart) advance(client *http.Client, by time.Duration) (time.Time, error) {
	body, err := json.Marshal(map[string]string{"advance": by.String()})
	if err != nil {
		return time.Time{}, err
	}
	req, err := http.NewRequest(http.MethodPost, s.URL+"/sandbox/clock", bytes.NewReader(body))
	if err != nil {
		return time.Time{}, err
	}
	req.Header.Set("X-Sandbox-Key", s.AdminKey)
	resp, err := client.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	var told struct {
		Now time.Time `json:"now"`
	}
	return told.Now, json.NewDecoder(resp.Body).Decode(&told)
}

// signIn answers the pages until they want nothing more: name, password, code,
// consent.
func (p *somebody) signIn() error {
	for range 8 {
		var err error
		has := func(text string) bool { return strings.Contains(p.page, text) }
		switch {
		case has(`name="step" value="name"`):
			err = p.send("user", p.who.UPN)
		case has(`class="choice" name="method" value="totp"`) && !has(`name="step" value="password"`) && !has(`name="step" value="totp"`):
			err = p.send("method", "totp")
		case has("<h1>Choose how to sign in</h1>"):
			err = p.send("method", "password")
		case has(`name="step" value="password"`):
			err = p.send("secret", p.who.Password)
		case has(`name="step" value="totp"`):
			var code string
			if code, err = p.code(); err == nil {
				err = p.send("secret", code)
			}
		case strings.Contains(p.url, "/consent") && formTag.MatchString(p.page):
			err = p.send("answer", "accept")
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("the pages go on and on: %s", p.page)
}

// enter types a device code and signs in.
func (p *somebody) enter(address, code string) error {
	if err := p.open(address); err != nil {
		return err
	}
	if err := p.send("code", code); err != nil {
		return err
	}
	if err := p.signIn(); err != nil {
		return err
	}
	if !strings.Contains(p.page, `id="done"`) || !strings.Contains(p.page, "You have signed in") {
		return fmt.Errorf("%s is not signed in: %s", p.who.UPN, p.page)
	}
	return nil
}
