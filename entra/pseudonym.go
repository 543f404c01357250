package entra

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Pseudonyms returns a Snapshot in which names, ids, addresses and domains are
// replaced, each always by the same, so that it can be shown to others and is
// still judged alike. Key is a secret that nobody keeps; without it nobody can
// tell whether a guess is right. Keep says which ids are the same in every tenant
// (roles, Microsoft's applications, key models) and stay.
//
// What stays: kinds, states, times, numbers, structure, the sizes of address
// ranges, countries, key models. Whoever knows the tenant well may still
// recognise it by these.
func (s *Snapshot) Pseudonyms(key []byte, keep func(ID) bool) (*Snapshot, error) {
	doc, syntax := parse("snapshot", s.JSON(), objectDepth*2)
	if syntax != nil {
		return nil, syntax
	}
	p := &pseudonyms{key: key, keep: keep, domains: map[string]string{}}
	for _, d := range s.View().Domains {
		p.domains[strings.ToLower(d.Name)] = ""
	}
	for i := range doc.values {
		p.value("", &doc.values[i], "")
	}
	return Read(Source{Name: "snapshot", Data: doc.values[0].canonical(nil)})
}

// pseudonyms replaces the texts of one Snapshot.
type pseudonyms struct {
	key     []byte
	keep    func(ID) bool
	domains map[string]string // the tenant's own, lower case
}

// nameKeys are the keys under which people write what they like.
var nameKeys = keySet("displayName", "accountName", "givenName", "surname", "mailNickname", "description", "jobTitle", "department", "officeLocation",
	"city", "companyName", "street", "streetAddress", "postalCode", "employeeId", "mobilePhone", "phoneNumber", "businessPhones", "businessPhones", "technicalNotificationMails",
	"principalDisplayName", "resourceDisplayName", "appDisplayName", "serialNumber", "initiatorName", "resultReason", "file", "path", "what", "label",
	"issuer", "issuerAssignedId", "thumbprint", "certificate", "signingCertificate", "nextSigningCertificate", "subject", "securityIdentifier", "userAgent", "deviceDetail", "additionalDetails", "certificateUserIds")

// ownKeys are keys whose values belong to Microsoft, and stay.
var ownKeys = keySet("@odata.type", "aaGuid", "aaguid", "aaguids", "allowedAAGUIDs", "skuId", "skuPartNumber", "servicePlanId", "servicePlanName", "service", "roleTemplateId", "templateId",
	"appRoleId", "part", "status", "claimValue", "authenticationContextId", "schema", "digest", "allowedCombinations", "countriesAndRegions", "riskEventType",
	"activityDisplayName", "category", "operationType", "loggedByService")

func keySet(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[strings.ToLower(n)] = true
	}
	return out
}

var (
	guidInText  = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	mailInText  = regexp.MustCompile(`[A-Za-z0-9._%+'#-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`)
	ipInText    = regexp.MustCompile(`\b(\d{1,3}\.){3}\d{1,3}\b|\b[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{0,4}){2,7}`)
	ruleQuote   = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	plainWord   = regexp.MustCompile(`^[#%/A-Za-z0-9_.:$+,()*=-]*$`)
	timeLike    = regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ][0-9:.]+(Z|[+-]\d\d:?\d\d)?)?$`)
	contextLink = regexp.MustCompile(`^https://graph\.microsoft\.(com|us)/`)
)

// value replaces the texts of a value that stands under a key; above is the key of
// the object around it.
func (p *pseudonyms) value(key string, n *node, above string) {
	lower := strings.ToLower(key)
	switch n.kind {
	case '{':
		for i := range n.pairs {
			if guidInText.MatchString(n.pairs[i].key) {
				n.pairs[i].key = p.inside(n.pairs[i].key)
			}
			p.value(n.pairs[i].key, &n.pairs[i].val, lower)
		}
	case '[':
		for i := range n.items {
			if n.items[i].kind == '{' || n.items[i].kind == '[' {
				p.value(key, &n.items[i], lower)
			} else {
				p.value(key, &n.items[i], above)
			}
		}
	case jsontext.Kind('"'):
		switch {
		case above == "approles" && lower == "id": // a permission of Microsoft's, as appRoleId names it
		case above == "location" || above == "address":
			n.text = p.name(n.text)
		default:
			n.text = p.text(lower, n.text)
		}
	case jsontext.Kind('0'):
		if lower == "latitude" || lower == "longitude" || lower == "altitude" {
			n.text = "0"
		}
	}
}

// text replaces one text.
func (p *pseudonyms) text(key, text string) string {
	_, own := p.domains[strings.ToLower(text)]
	switch {
	case text == "" || ownKeys[key] || timeLike.MatchString(text):
		return text
	case own:
		return p.domain(text)
	case guidInText.FindString(text) == text:
		return p.id(text)
	case nameKeys[key] || strings.HasSuffix(key, "displayname") || strings.HasPrefix(key, "onpremises") || key == "name" && !plainWord.MatchString(text):
		return p.name(text)
	case strings.HasPrefix(text, "/subscriptions/"):
		return p.resource(text)
	case len(text) > 100 && !strings.ContainsAny(text, " -"): // a certificate, or another long thing that names its owner
		return p.name(text)
	case key == "rule" || key == "membershiprule" || key == "query":
		return p.rule(text)
	case mailInText.MatchString(text), guidInText.MatchString(text), ipInText.MatchString(text):
		return p.inside(text)
	case contextLink.MatchString(text), plainWord.MatchString(text) && !strings.Contains(text, "://"):
		return text
	}
	return p.name(text)
}

// inside replaces what is recognised in a longer text.
func (p *pseudonyms) inside(text string) string {
	text = mailInText.ReplaceAllStringFunc(text, func(m string) string {
		local, domain, _ := strings.Cut(m, "@")
		return p.name(local) + "@" + p.domain(domain)
	})
	text = guidInText.ReplaceAllStringFunc(text, p.id)
	return ipInText.ReplaceAllStringFunc(text, p.address)
}

// resource replaces the names in an id of Azure Resource Manager and leaves the
// types: they stand in turn after the provider.
func (p *pseudonyms) resource(id string) string {
	parts := strings.Split(p.inside(id), "/")
	for i := range parts {
		before := ""
		if i > 0 {
			before = strings.ToLower(parts[i-1])
		}
		if provider := slices.IndexFunc(parts, func(x string) bool { return strings.EqualFold(x, "providers") }); before == "resourcegroups" || provider >= 0 && i > provider+2 && (i-provider)%2 == 1 {
			parts[i] = p.name(parts[i])
		}
	}
	return strings.Join(parts, "/")
}

// rule keeps a rule's operators and replaces what it compares with.
func (p *pseudonyms) rule(text string) string {
	text = p.inside(text)
	return ruleQuote.ReplaceAllStringFunc(text, func(q string) string {
		word := q[1 : len(q)-1]
		if guidInText.MatchString(word) || ruleWords[strings.ToLower(word)] {
			return q
		}
		return q[:1] + p.name(word) + q[len(q)-1:]
	})
}

// ruleWords are the values that device filters and membership rules know
// (entra-docs concept-condition-filters-for-devices).
var ruleWords = keySet("True", "False", "AzureAD", "ServerAD", "Workplace", "Personal", "Company", "Windows", "iOS", "Android", "MacMDM", "iPadOS", "macOS", "Linux", "Guest", "Member", "Enabled", "Unified", "")

func (p *pseudonyms) sum(kind, text string) []byte {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(kind + "\x00" + strings.ToLower(text)))
	return mac.Sum(nil)
}

func (p *pseudonyms) id(id string) string {
	if p.keep != nil && p.keep(ID(id)) {
		return id
	}
	h := hex.EncodeToString(p.sum("id", id))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

func (p *pseudonyms) name(text string) string {
	return "n" + hex.EncodeToString(p.sum("name", text))[:10]
}

// domain keeps that a domain is Microsoft's own.
func (p *pseudonyms) domain(domain string) string {
	lower := strings.ToLower(domain)
	for _, suffix := range []string{".mail.onmicrosoft.com", ".onmicrosoft.com", ".onmicrosoft.us"} {
		if first, ok := strings.CutSuffix(lower, suffix); ok {
			return "d" + hex.EncodeToString(p.sum("domain", first))[:10] + suffix
		}
	}
	return "d" + hex.EncodeToString(p.sum("domain", lower))[:10] + ".example"
}

// address replaces an address and leaves how long its prefix is to the text
// around it.
func (p *pseudonyms) address(ip string) string {
	h := p.sum("address", ip)
	if strings.Contains(ip, ":") {
		return "fd" + hex.EncodeToString(h[:1]) + ":" + hex.EncodeToString(h[1:3]) + "::"
	}
	return fmt.Sprintf("10.%d.%d.%d", h[0], h[1], h[2])
}
