package custody

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

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
// One key that two accounts register is one loss.
func KeyLost(account entra.ID, k register.Key, at int) Loss {
	id := account.Key() + "/" + strconv.Itoa(at)
	if k.Serial != "" {
		id = strings.ToLower(k.Serial) + "/" + strings.ToLower(k.AAGUID)
	}
	return Loss{LossKey, id, cmp.Or(k.Label, k.Serial, k.ID, "without a name")}
}

// methodsOf are the methods that a way needs switched on.
var methodsOf = map[register.Pattern]Loss{
	register.PatternFIDO2:       {LossMethod, "fido2", "FIDO2"},
	register.PatternCertificate: {LossMethod, "x509certificate", "certificate"},
	register.PatternOATH:        {LossMethod, "hardwareoath", "hardware OATH token"},
}

// modelOf is the loss of the model of a key; one whose model was not recorded may
// be of any.
func modelOf(k register.Key) Loss {
	switch {
	case k.AAGUID != "" && k.Model != "":
		return Loss{LossModel, strings.ToLower(k.AAGUID), k.Model}
	case k.AAGUID != "":
		return Loss{LossModel, strings.ToLower(k.AAGUID), k.AAGUID}
	case k.Model != "":
		return Loss{LossModel, register.NameKey(k.Model), k.Model}
	}
	return Loss{LossModel, "", "that was not recorded"}
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

// reachedBy are the networks that a way to reach a person needs; none for one that
// needs neither, such as an address or a radio.
func reachedBy(way string) []Loss {
	digits := 0
	for _, r := range way {
		if '0' <= r && r <= '9' {
			digits++
		}
	}
	number := strings.IndexFunc(way, func(r rune) bool { return !strings.ContainsRune("0123456789+-()/. ", r) }) < 0
	lower := strings.ToLower(way)
	named := slices.ContainsFunc([]string{"tel", "phone", "mobile", "sms", "call "}, func(w string) bool { return strings.HasPrefix(lower, w) })
	switch {
	case number && digits >= 5, named:
		return []Loss{PhonesDown}
	case strings.Contains(way, "@") && !strings.Contains(way, " ") || strings.HasPrefix(lower, "mail"):
		return []Loss{MailDown}
	}
	return nil
}
