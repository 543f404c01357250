package custody

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Namespace is the domain of signatures by SSH keys (OpenSSH PROTOCOL.sshsig):
// ssh-keygen -Y sign -n halligan-approval@v1.
const Namespace = "halligan-approval@v1"

// ApprovalVersion is the form of approvals that this package reads and writes.
const ApprovalVersion = 1

const (
	approvalMost  = 64 << 10
	signatureMost = 16 << 10
)

// Act is what a signature under a request means.
type Act string

// The acts: who asks signs the request, others approve it, and who asked takes it
// back.
const (
	ActRequest  Act = "request"
	ActApprove  Act = "approve"
	ActWithdraw Act = "withdraw"
)

// Method is with what a person signs.
type Method string

// The methods.
const (
	MethodSSH     Method = "ssh"
	MethodPasskey Method = "passkey"
)

// Approval is one person's signature under a request: of who asks, who approves, or
// who takes it back. Everything in it but the signature is in the text that is
// signed.
type Approval struct {
	Version  int       `json:"approval"`
	Act      Act       `json:"act"`
	Request  string    `json:"request"` // hash
	Person   string    `json:"person"`
	Register string    `json:"register"` // digest of the deciding part before the person's eyes
	Time     time.Time `json:"time"`     // UTC, whole seconds
	// Because is why a request is taken back; nothing in any other act.
	Because string `json:"because,omitempty"`
	Method  Method `json:"method"`
	// Signature is an armoured sshsig, or the JSON of a WebAuthn assertion
	// (WebAuthn Level 3, AuthenticationResponseJSON).
	Signature string `json:"signature"`
}

// ParseApproval reads an approval in its canonical form.
func ParseApproval(text []byte) (*Approval, error) {
	if len(text) > approvalMost {
		return nil, refuse(ReasonForm, "", "%d bytes; at most %d are read", len(text), approvalMost)
	}
	var a Approval
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return nil, refuse(ReasonForm, "", "this is no approval")
	}
	if err := a.form(); err != nil {
		return nil, err
	}
	if !bytes.Equal(a.Canonical(), text) {
		return nil, refuse(ReasonForm, "", "the approval is not in canonical form")
	}
	return &a, nil
}

func (a *Approval) form() *Refusal {
	for _, c := range []struct {
		wrong bool
		what  string
	}{
		{a.Version != ApprovalVersion, fmt.Sprintf("version %d of an approval: this program knows version %d", a.Version, ApprovalVersion)},
		{titles[a.Act] == "", "the act is neither request nor approve nor withdraw"},
		{a.Act == ActWithdraw && !isLine(a.Because, whyMost), fmt.Sprintf("the reason for taking it back is empty, or has more than %d bytes", whyMost)},
		{a.Act != ActWithdraw && a.Because != "", "a reason is for taking back alone"},
		{a.Method != MethodSSH && a.Method != MethodPasskey, "the method is neither ssh nor passkey"},
		{!isDigest(a.Request), "the request's hash is none"},
		{!isDigest(a.Register), "the register's digest is none"},
		{!isLine(a.Person, lineMost), "nobody is named"},
		{!isMoment(a.Time), "the time is not in UTC and whole seconds"},
		{strings.TrimSpace(a.Signature) == "" || len(a.Signature) > signatureMost, "there is no signature, or it is too long"},
	} {
		if c.wrong {
			return refuse(ReasonForm, "", "%s", c.what)
		}
	}
	return nil
}

// Canonical returns the approval in the one form in which it is kept.
func (a *Approval) Canonical() []byte { return canonical(a) }

// titles begin the text of each act.
var titles = map[Act]string{
	ActRequest:  "halligan request\nI ask for this:\n",
	ActApprove:  "halligan approval\nI approve this:\n",
	ActWithdraw: "halligan withdrawal\nI take this back, and it must not be done:\n",
}

// Text returns what the person signs: the request in plain words, its hash, and
// who signs when, under which register. Lines cannot be forged by what stands in
// a field: a line break in one is shown, not made.
func (a *Approval) Text(r *Request) []byte {
	lines := strings.Replace(r.lines(), r.Hash(), a.Request, 1) // the same, or Rules refuse it
	if a.Because != "" {
		lines += fmt.Sprintf("\n%-9s %s\n", "because", Visible(a.Because))
	}
	return fmt.Appendf(nil, "%s\n%s\n%-9s %s\n%-9s %s\n%-9s %s\n", titles[a.Act], lines,
		"person", Visible(a.Person), "register", a.Register, "signed", a.Time.UTC().Format(time.RFC3339))
}

// Challenge returns the WebAuthn challenge for the same text: its SHA-256,
// base64url without padding.
func (a *Approval) Challenge(r *Request) string {
	sum := sha256.Sum256(a.Text(r))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// NewApproval returns an approval that lacks only Method and Signature: its Text
// is what the person signs. By the person who asks it is the act of asking; what is
// taken back also lacks Because.
func NewApproval(r *Request, act Act, person, digest string, now time.Time) *Approval {
	return &Approval{Version: ApprovalVersion, Act: act, Request: r.Hash(), Person: person, Register: digest, Time: now.UTC().Truncate(time.Second)}
}
