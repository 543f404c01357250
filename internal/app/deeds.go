package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
)

// deed is how one verb that needs approval is asked for and carried out.
type deed struct {
	// propose says on what, in which details, and what it would bring about where
	// the details hold a digest only.
	propose func(a *App, k *known, subject string) (on string, details json.RawMessage, proposal string, err error)
	// prepare makes the act of an approved request. It looks once more at
	// everything that may have changed since.
	prepare func(a *App, k *known, p *custody.Pending, d *requestData) (*act, error)
}

// deeds are the verbs that exist today. What writes to a tenant, seals or opens
// comes with its own.
var deeds = map[custody.Verb]deed{
	custody.VerbBegin:    {proposeRegister, prepareRegister},
	custody.VerbRegister: {proposeRegister, prepareRegister},
	custody.VerbLogKey:   {proposeLogKey, prepareLogKey},
	custody.VerbAccept:   {proposeAccept, prepareAccept},
	custody.VerbRestore:  {proposeRestore, prepareRestore},
	custody.VerbCustody:  custodyDeed(custody.VerbCustody),
	custody.VerbMove:     custodyDeed(custody.VerbMove),
	custody.VerbHandOver: custodyDeed(custody.VerbHandOver),
	custody.VerbSeal:     {proposeSeal, prepareElsewhere},
	custody.VerbOpen:     {proposeOpen, prepareElsewhere},
}

// DeedNames are the verbs that can be asked for.
func DeedNames() []string {
	var out []string
	for v := range maps.Keys(deeds) {
		out = append(out, string(v))
	}
	slices.Sort(out)
	return out
}

// registerDetails are the details of a request about the register.
type registerDetails struct {
	From    string   `json:"from,omitempty"` // digest of the deciding part that holds
	To      string   `json:"to"`
	Changes []string `json:"changes"`
}

// decidable returns an error for a register under which nobody could ever decide
// anything again: it could not even be changed back.
func decidable(r *register.Register) error {
	var approvers []string
	signs := func(p *register.Person) bool { return p.Signing != "" || p.Passkey.CredentialID != "" }
	for i := range r.People {
		if p := &r.People[i]; p.Has(register.RoleApprover) && signs(p) {
			approvers = append(approvers, p.Name)
		}
	}
	needed := custody.RightOf(custody.VerbRegister).Needed(r.Quorum)
	for i := range r.People {
		p := &r.People[i]
		others, takes := len(approvers), needed
		if slices.Contains(approvers, p.Name) && r.Quorum.People != 1 {
			others--
		}
		if !signs(p) && r.Quorum.People != 1 {
			takes = max(needed, 2) // nobody knows who asks
		}
		if custody.May(p, custody.VerbAsk) && custody.May(p, custody.VerbRegister) && others >= takes {
			return nil
		}
	}
	return &hinted{fmt.Errorf("with this register nobody could decide anything any more: %d can approve and sign, and a request takes %d beside who asks", len(approvers), needed),
		"name more people with the role approver and a key, or say how many there are: halligan init --people NUMBER"}
}

// StillDecidable returns an error for a change of the register after which nobody could
// decide anything any more, where somebody could before: such a change could not even
// be approved.
func StillDecidable(was, is *register.Register) error {
	if decidable(was.Or()) != nil {
		return nil // it is being set up
	}
	return decidable(is.Or())
}

// mostDetails is what fits into a request: people read all of it.
const mostDetails = 15 << 10

func proposeRegister(a *App, k *known, _ string) (string, json.RawMessage, string, error) {
	text, digest := a.Register.Deciding()
	if digest == k.approved {
		return "", nil, "", &hinted{errors.New("the deciding part of the register is the approved one"), "nothing has to be approved: change people, quorum, silences, channels, accounts or groups first"}
	}
	if err := decidable(a.Register.Or()); err != nil {
		return "", nil, "", err
	}
	if len(text) > evidence.MaxLine/2 {
		return "", nil, "", &hinted{fmt.Errorf("the deciding part of the register has %d bytes, more than fit into the evidence", len(text)), "take out people and channels that decide nothing"}
	}
	d := registerDetails{From: k.approved, To: digest, Changes: changesBetween(k.rules, text)}
	details, err := json.Marshal(d)
	if err == nil && len(details) > mostDetails {
		err = &hinted{fmt.Errorf("the change has %d lines, more than people read before they approve", len(d.Changes)), "change fewer things at once, and have each part approved"}
	}
	return "halligan.yaml, deciding part", details, string(text), err
}

// checkRegister looks at a change of the register as its approvers must be able to
// rely on: the lines that they read are the change, and nothing came between.
func checkRegister(approved string, rules []byte, p *custody.Pending, data *requestData) (*registerDetails, error) {
	var d registerDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return nil, fmt.Errorf("read the details of the request: %v", err)
	}
	switch {
	case register.DigestOf([]byte(data.Proposal)) != d.To:
		return nil, &custody.Refusal{Reason: custody.ReasonOther, Detail: "what it would bring about does not have the digest that was approved"}
	case d.From != approved:
		return nil, &hinted{errors.New("another change of the register was approved meanwhile"), "compare halligan.yaml with it, and ask anew: halligan request register"}
	case !slices.Equal(d.Changes, changesBetween(rules, []byte(data.Proposal))):
		return nil, &hinted{errors.New("the request does not tell the change that it would bring about"), "do not approve it. Ask who made it; it is meant to look like another"}
	}
	_, err := register.FromDeciding([]byte(data.Proposal))
	return &d, err
}

// relied are checks of what approvers read, made before they sign.
var relied = map[custody.Verb]func(*App, *known, *custody.Pending, *requestData) error{
	custody.VerbBegin: reliedRegister, custody.VerbRegister: reliedRegister,
	custody.VerbCustody: reliedCustody, custody.VerbMove: reliedCustody, custody.VerbHandOver: reliedCustody,
	custody.VerbSeal: reliedSeal,
}

func reliedRegister(_ *App, k *known, p *custody.Pending, data *requestData) error {
	_, err := checkRegister(k.approved, k.rules, p, data)
	return err
}

func prepareRegister(_ *App, k *known, p *custody.Pending, data *requestData) (*act, error) {
	d, err := checkRegister(k.approved, k.rules, p, data)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(registerData{Deciding: data.Proposal})
	if err != nil {
		return nil, err
	}
	return &act{before: d.From, entries: []evidence.Entry{{Kind: evidence.KindRegister, Tenant: p.Request.Tenant, What: string(p.Request.What), On: p.Request.On, Who: []string{p.Request.By},
		Before: d.From, After: d.To, Subject: p.Request.Hash(), Data: text}}}, nil
}

// changesBetween says in lines what a change of the deciding part changes: all of it,
// what comes in before what goes out, and the rules of deciding before the rest.
func changesBetween(before, after []byte) []string {
	was, is := decidingLines(before), decidingLines(after)
	out := []string{}
	for _, l := range is {
		if !slices.Contains(was, l) {
			out = append(out, "+ "+l)
		}
	}
	for _, l := range was {
		if !slices.Contains(is, l) {
			out = append(out, "- "+l)
		}
	}
	return out
}

// tellFirst are the parts that are told first.
var tellFirst = []string{"quorum", "people"}

// decidingLines tells a deciding part in lines, one for each thing in it.
func decidingLines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal(text, &parts) != nil {
		return []string{string(text)}
	}
	var out []string
	keys := append(slices.Clone(tellFirst), slices.DeleteFunc(slices.Sorted(maps.Keys(parts)), func(k string) bool { return slices.Contains(tellFirst, k) })...)
	for _, key := range keys {
		var list []json.RawMessage
		switch {
		case key == "form":
		case json.Unmarshal(parts[key], &list) == nil:
			for _, one := range list {
				out = append(out, decidingLine(key, one))
			}
		default:
			out = append(out, decidingLine(key, parts[key]))
		}
	}
	return out
}

func decidingLine(key string, raw json.RawMessage) string {
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil {
		return key + " " + string(raw)
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fmt.Sprint(fields[name])
		switch of := fields[name].(type) {
		case string:
			if name == "signing" || name == "receiving" {
				value = Fingerprint(of)
			}
		case []any:
			if name == "reach" {
				value = listed(asTexts(of))
			}
		case map[string]any:
			value = fingerprintOf(of)
		}
		if value != "" && value != "[]" {
			words = append(words, name+" "+value)
		}
	}
	return key + ": " + strings.Join(words, ", ")
}

func asTexts(list []any) []string {
	out := []string{}
	for _, one := range list {
		out = append(out, fmt.Sprint(one))
	}
	return out
}

// fingerprintOf shortens a passkey to what people compare: its key, which credential
// it is, and the page where it is used.
func fingerprintOf(passkey map[string]any) string {
	text := func(name string) string { t, _ := passkey[name].(string); return t }
	return fmt.Sprintf("%s (credential %s, %s)", PasskeyFingerprint(text("publicKey")), text("credentialId"), text("origin"))
}

// Fingerprint shortens a public key to what people compare.
func Fingerprint(key string) string {
	if public, err := register.ParseSigningKey(key); err == nil {
		return public.Type() + " " + ssh.FingerprintSHA256(public)
	}
	return key
}

// logKeyDetails are the details of a request for another log key.
type logKeyDetails struct {
	Old string `json:"old"`
	New string `json:"new"` // the name that the new key will have
}

func proposeLogKey(a *App, _ *known, _ string) (string, json.RawMessage, string, error) {
	key, err := a.logKey()
	if err != nil {
		return "", nil, "", err
	}
	details, err := json.Marshal(logKeyDetails{Old: key.Public(), New: nextName(key.Public())})
	return "the key that signs the log", details, "", err
}

// nextName counts the name of a key up: tidewater-1, tidewater-2.
func nextName(public string) string {
	name, _, _ := strings.Cut(public, "+")
	if i := strings.LastIndex(name, "-"); i >= 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil && n > 0 {
			return name[:i+1] + strconv.Itoa(n+1)
		}
	}
	return name + "-2"
}

// errNotOwner is for what only the owner of a store can do.
var errNotOwner = &hinted{errors.New("another process owns the store, and only the owner can change the log key"), "end halligan serve, and give the command again"}

func prepareLogKey(a *App, _ *known, p *custody.Pending, _ *requestData) (*act, error) {
	owned, is := a.Ledger.(Owned)
	if !is {
		return nil, errNotOwner
	}
	var d logKeyDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return nil, fmt.Errorf("read the details of the request: %v", err)
	}
	if owned.Key.Public() != d.Old {
		return nil, &hinted{errors.New("the log has another key by now"), "ask anew: halligan request log-key"}
	}
	key, err := evidence.NewLogKey(a.Chance, d.New)
	if err != nil {
		return nil, err
	}
	signatures, err := signaturesOf(p)
	if err != nil {
		return nil, err
	}
	entry := evidence.Rotate(d.Old, key.Public(), signatures)
	entry.Tenant, entry.Subject, entry.Who = p.Request.Tenant, p.Request.Hash(), []string{p.Request.By}
	return &act{entries: []evidence.Entry{entry}, last: true, append: func(ctx context.Context, draft store.Draft) ([]evidence.Entry, error) {
		entries, err := ChangeKey(a.Keys, key, func() ([]evidence.Entry, error) { return owned.Rotate(ctx, owned.Key, key, draft) })
		if len(entries) > 0 {
			a.Ledger = Owned{owned.DB, key} // the log takes nothing by the old one any more
		}
		return entries, err
	}}, nil
}

// signaturesOf are the approvals of a request, as they stand in an entry about keys.
func signaturesOf(p *custody.Pending) (json.RawMessage, error) {
	out := []string{}
	if p.Asked != nil {
		out = append(out, string(p.Asked.Canonical()))
	}
	for _, s := range p.Approvals {
		out = append(out, string(s.Canonical()))
	}
	return json.Marshal(out)
}

// logKey is the key that signs the log.
func (a *App) logKey() (*evidence.LogKey, error) {
	if owned, is := a.Ledger.(Owned); is && owned.Key != nil {
		return owned.Key, nil
	}
	return nil, errNotOwner
}

func proposeAccept(a *App, _ *known, check string) (string, json.RawMessage, string, error) {
	for _, r := range a.Register.Or().Accepted {
		if r.Check != check {
			continue
		}
		text, err := acceptedText(&r)
		if err != nil {
			return "", nil, "", err
		}
		return "check " + r.Check, text, "", nil
	}
	return "", nil, "", &hinted{fmt.Errorf("the register has no accepted risk for check %.80q", check), "write it under accepted: in halligan.yaml first (docs/config.md), and name the check"}
}

// acceptedText is an accepted risk in one form.
func acceptedText(r *register.Accepted) (json.RawMessage, error) {
	raw, err := json.Marshal(map[string]any{"check": r.Check, "account": r.Account.Key(), "reason": r.Reason, "owner": r.Owner, "approver": r.Approver, "on": r.On, "until": r.Until, "compensating": r.Compensating})
	if err != nil {
		return nil, err
	}
	return entra.Canonical(raw)
}

// riskAccepted is what an entry says of a risk that was approved.
const riskAccepted = "accept a risk"

func prepareAccept(a *App, k *known, p *custody.Pending, _ *requestData) (*act, error) {
	_, now, _, err := proposeAccept(a, k, strings.TrimPrefix(p.Request.On, "check "))
	if err != nil {
		return nil, err
	}
	if string(now) != string(p.Request.Details) {
		return nil, &hinted{errors.New("the accepted risk in the register is not the one that was approved"), "compare the two (halligan request show), and ask anew"}
	}
	return &act{entries: []evidence.Entry{{Kind: evidence.KindAcceptedRisk, Tenant: p.Request.Tenant, What: riskAccepted, On: p.Request.On, Why: p.Request.Why, Who: []string{p.Request.By},
		Subject: p.Request.Hash(), After: register.DigestOf(p.Request.Details), Data: p.Request.Details}}}, nil
}

// restoreDetails are the details of a request to go on from a backup.
type restoreDetails struct {
	Entry    uint64 `json:"entry"`    // about the restore
	Approved string `json:"approved"` // digest of the deciding part that holds in the backup
}

func proposeRestore(a *App, k *known, _ string) (string, json.RawMessage, string, error) {
	if k.restored == nil {
		return "", nil, "", &hinted{errors.New("the log was not restored from a backup, or that was approved already"), "halligan evidence log --kind restored"}
	}
	details, err := json.Marshal(restoreDetails{*k.restored, k.approved})
	return "the log of store " + a.Ledger.Identity().ID, details, "", err
}

func prepareRestore(_ *App, k *known, p *custody.Pending, _ *requestData) (*act, error) {
	var d restoreDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return nil, fmt.Errorf("read the details of the request: %v", err)
	}
	if k.restored == nil || *k.restored != d.Entry || k.approved != d.Approved {
		return nil, &hinted{errors.New("the log was restored once more, or that was approved already"), "halligan evidence log --kind restored; then ask anew"}
	}
	return &act{}, nil
}
