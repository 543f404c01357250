package app

import (
	"encoding/json"
	"slices"

	"halligan/custody"
	"halligan/register"
)

// overtaken is what is said of a request that was made from a state that is no more.
const overtaken = "another change was approved meanwhile; ask anew"

// bases say by verb whether a request still stands on the state that it was made from:
// where that has moved on, nothing comes of the request.
var bases = map[custody.Verb]func(k *known, details json.RawMessage) bool{
	custody.VerbBegin: onRegister, custody.VerbRegister: onRegister,
	custody.VerbCustody: onCustody, custody.VerbMove: onCustody, custody.VerbHandOver: onCustody,
	custody.VerbLogKey: onLogKey, custody.VerbRestore: onRestored,
}

func onRegister(k *known, details json.RawMessage) bool {
	var d registerDetails
	return json.Unmarshal(details, &d) == nil && d.From == k.approved
}

func onCustody(k *known, details json.RawMessage) bool {
	var d custodyDetails
	return json.Unmarshal(details, &d) == nil && d.From == k.held
}

func onLogKey(k *known, details json.RawMessage) bool {
	var d logKeyDetails
	key, err := lastWord(k.view)
	return json.Unmarshal(details, &d) == nil && (err != nil || d.Old == key)
}

func onRestored(k *known, details json.RawMessage) bool {
	var d restoreDetails
	return json.Unmarshal(details, &d) == nil && k.restored != nil && d.Entry == *k.restored && d.Approved == k.approved
}

// holdersToSign are who is said by a request to hold what nobody held before, has a key
// and has not signed.
func holdersToSign(r *register.Register, p *custody.Pending) (out []string) {
	signed := append(namesOf(p), p.Request.By)
	for _, name := range p.Request.Handing().Holders {
		one := r.Or().Person(name)
		if one != nil && (one.Signing != "" || one.Passkey.CredentialID != "") &&
			!slices.ContainsFunc(signed, func(n string) bool { return register.SamePerson(n, name) }) {
			out = append(out, name)
		}
	}
	return out
}

// overtaken reports whether the base of a request has moved on.
func (k *known) overtaken(r *custody.Request) bool {
	stands := bases[r.What]
	return stands != nil && !stands(k, r.Details)
}
