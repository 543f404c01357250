package custody

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"halligan/entra"
	"halligan/register"
)

// LossKind is what kind of thing is gone.
type LossKind string

// The kinds of losses.
const (
	LossPerson     LossKind = "person"     // gone, or cannot be reached
	LossPlace      LossKind = "place"      // with everything in it
	LossSite       LossKind = "site"       // with every place there, and the internet
	LossKey        LossKind = "key"        // lost, broken, or removed from the account
	LossPart       LossKind = "part"       // a PIN, half, share, token or password
	LossModel      LossKind = "model"      // of keys: recalled, or no longer allowed (AAGUID)
	LossAccount    LossKind = "account"    // deleted or disabled
	LossMethod     LossKind = "method"     // switched off in the methods policy
	LossGroup      LossKind = "group"      // deleted or emptied: the exclusions through it end
	LossPolicy     LossKind = "policy"     // changed so that it binds the account
	LossDomain     LossKind = "domain"     // of the account's name: expired, or taken away
	LossFederation LossKind = "federation" // the identity provider of a federated domain is down
	LossPKI        LossKind = "pki"        // the certificate authority or its revocation list
	LossMFA        LossKind = "mfa"        // Microsoft's service for second factors
	LossPhone      LossKind = "phone"
	LossInternet   LossKind = "internet" // at a site
	LossMail       LossKind = "mail"
	LossHalligan   LossKind = "halligan"
)

// Loss is one thing that is gone.
type Loss struct {
	Kind LossKind `json:"kind"`
	// ID tells losses of a kind apart: the key of a person, place or site, an id.
	ID   string `json:"id"`
	Name string `json:"name"` // for people
}

// lossWords stand before the name of what is lost.
var lossWords = map[LossKind]string{LossPlace: "place ", LossSite: "site ", LossKey: "key ", LossModel: "key model ", LossAccount: "account ", LossMethod: "method ",
	LossGroup: "group ", LossPolicy: "policy ", LossDomain: "domain ", LossInternet: "internet at "}

func (l Loss) String() string { return lossWords[l.Kind] + l.Name }

// Service reports whether it is a service or a setting of the tenant, and not what
// the circle itself keeps.
func (l Loss) Service() bool {
	return !slices.Contains([]LossKind{LossPerson, LossPlace, LossSite, LossKey, LossPart, LossModel}, l.Kind)
}

// The losses that need no register.
var (
	MFADown      = Loss{LossMFA, "", "the MFA service"}
	PhonesDown   = Loss{LossPhone, "", "the phone network"}
	MailDown     = Loss{LossMail, "", "mail"}
	IdPDown      = Loss{LossFederation, "", "the identity provider"}
	HalliganDown = Loss{LossHalligan, "", "Halligan"}
	pkiDown      = Loss{LossPKI, "", "the certificate authority"}
)

// PersonLost is the loss of a person.
func PersonLost(name string) Loss {
	return Loss{LossPerson, register.NameKey(name), strings.TrimSpace(name)}
}

// PlaceLost is the loss of a place.
func PlaceLost(name string) Loss {
	return Loss{LossPlace, register.NameKey(name), strings.TrimSpace(name)}
}

// SiteLost is the loss of a site.
func SiteLost(name string) Loss {
	return Loss{LossSite, register.NameKey(name), strings.TrimSpace(name)}
}

// KeyLost is the loss of the so many-th key of an account, as Circle.Keys has them.
// One key that two accounts register is one loss; a Survey knows also a key whose model
// stands at one of them only.
func KeyLost(account entra.ID, k register.Key, at int) Loss {
	id := account.Key() + "/" + strconv.Itoa(at)
	if serial := serialOf(k); serial != "" {
		id = serial + "/" + aaguidOf(k)
	}
	return Loss{LossKey, id, cmp.Or(k.Label, k.Serial, k.ID, "without a name")}
}

// methodsOf are the methods that a way needs switched on.
var methodsOf = map[register.Pattern]Loss{
	register.PatternFIDO2:       {LossMethod, "fido2", "FIDO2"},
	register.PatternCertificate: {LossMethod, "x509certificate", "certificate"},
	register.PatternOATH:        {LossMethod, "hardwareoath", "hardware OATH token"},
}

// domainOf is the loss of the domain of an account's name. The first domain of a
// tenant cannot be lost.
func domainOf(a register.Account) (Loss, bool) {
	_, domain, has := strings.Cut(a.Name, "@")
	domain = register.NameKey(domain)
	switch {
	case !has || domain == "":
		return Loss{LossDomain, "", "that was not recorded"}, true
	case strings.HasSuffix(domain, ".onmicrosoft.com"):
		return Loss{}, false
	}
	return Loss{LossDomain, domain, domain}, true
}

// messengers are parts of words by which people write down a way that needs a network of
// telephones or the internet, whatever stands beside them; phoneWords are whole words.
var (
	messengers = []string{"tel", "phone", "mobil", "cell", "handy", "sms", "call", "fax", "pager", "signal", "whatsapp", "threema", "telegram", "teams", "slack", "chat", "zoom", "skype",
		"matrix", "viber", "wechat", "line:", "extension", "dect", "durchwahl", "intercom", "webex", "facetime", "hotline", "landline", "festnetz", "voip", "messag", "messenger", "discord"}
	phoneWords = []string{"ext", "dw", "sip", "line", "wire"}
)

// reachedBy are the networks that a way to reach a person needs, all of them; none for
// one that needs neither. That is a line which plainly is an address or a way on foot: two
// words or more, none of them of a telephone or a messenger, and not mostly digits. What
// else there is counts as a number: to call an address a number costs a remark, the
// reverse an emergency. Of a line that holds both an address and a number nobody can tell
// which is which.
func reachedBy(way string) []Loss {
	digits, letters := 0, 0
	for _, r := range way {
		if unicode.IsDigit(r) {
			digits++
		} else if unicode.IsLetter(r) {
			letters++
		}
	}
	lower := strings.ToLower(way)
	mail := strings.Contains(way, "@") || strings.Contains(lower, "mail")
	words, numbers, phone := 0, 0, digits >= 5 || slices.ContainsFunc(messengers, func(w string) bool { return strings.Contains(lower, w) })
	for _, w := range strings.Fields(lower) {
		word := strings.TrimFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		switch {
		case strings.Contains(word, "@"):
			continue
		case strings.ContainsFunc(word, unicode.IsLetter):
			words++
		case word != "":
			numbers++
		}
		phone = phone || slices.Contains(phoneWords, word)
	}
	var out []Loss
	if phone || mail && numbers > 0 || !mail && (words < 2 || digits >= letters) {
		out = append(out, PhonesDown)
	}
	if mail {
		out = append(out, MailDown)
	}
	return out
}
