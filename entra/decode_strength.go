package entra

import (
	"strings"
)

var modeWords = words(string(ModePassword), string(ModeVoice), string(ModeHardwareOath), string(ModeSoftwareOath), string(ModeSMS),
	string(ModeFIDO2), string(ModeWindowsHello), string(ModeAuthenticatorPush), string(ModeDeviceBasedPush), string(ModeTAPOneTime),
	string(ModeTAPMultiUse), string(ModeEmail), string(ModeX509Single), string(ModeX509Multi), string(ModeFederatedSingle),
	string(ModeFederatedMulti), string(ModeQRCodePin))

var typeWords = words("builtIn", "custom")

var strengthKeys = table(map[string]func(*walk, *AuthStrength, *node){
	"id":                  func(w *walk, s *AuthStrength, v *node) { s.ID = w.id(v) },
	"displayName":         func(w *walk, s *AuthStrength, v *node) { s.DisplayName = w.text(v) },
	"policyType":          func(w *walk, s *AuthStrength, v *node) { s.PolicyType = member[string](w, v, typeWords) },
	"allowedCombinations": func(w *walk, s *AuthStrength, v *node) { s.Combinations = readCombinations(w, v) },
	"combinationConfigurations": func(w *walk, s *AuthStrength, v *node) {
		s.ConfigurationsRead = v.kind == '['
		w.list(v, func(e *node) {
			c := CombinationConfiguration{Unknown: true}
			configurationKeys.read(w, &c, e)
			s.Configurations = append(s.Configurations, c)
		})
	},
	"createdDateTime":       harmless[AuthStrength],
	"modifiedDateTime":      harmless[AuthStrength],
	"description":           harmless[AuthStrength],
	"requirementsSatisfied": harmless[AuthStrength],
})

var configurationKeys = table(map[string]func(*walk, *CombinationConfiguration, *node){
	"id":                    harmless[CombinationConfiguration],
	"appliesToCombinations": func(w *walk, c *CombinationConfiguration, v *node) { c.AppliesTo = readCombinations(w, v) },
	"allowedAAGUIDs": func(w *walk, c *CombinationConfiguration, v *node) {
		c.Unknown = false
		c.AAGUIDs = append([]string{}, w.texts(v)...) // not nil: an empty allow-list allows no key
	},
	"allowedIssuerSkis": func(w *walk, c *CombinationConfiguration, v *node) {
		c.Unknown = false
		c.IssuerSKIs = w.texts(v)
	},
	"allowedPolicyOIDs": func(w *walk, c *CombinationConfiguration, v *node) {
		c.Unknown = false
		c.PolicyOIDs = w.texts(v)
	},
})

func readCombinations(w *walk, v *node) []Combination {
	var out []Combination
	if v.kind == '[' {
		out = make([]Combination, 0, len(v.items))
	}
	w.list(v, func(e *node) {
		if c := flags[CombinationMode](w, e, modeWords); len(c) > 0 {
			out = append(out, c)
		}
	})
	return out
}

// decodeStrength reads one authentication strength policy.
func decodeStrength(doc *document, obj *node, origin Origin) (AuthStrength, []Trouble) {
	w := &walk{doc: doc}
	s := AuthStrength{Origin: origin}
	strengthKeys.read(w, &s, obj)
	if s.PolicyType == "builtIn" {
		s.ConfigurationsRead = true // a built-in strength cannot be restricted
	}
	s.Unmodelled = w.unmodelled
	s.Raw = doc.canonical(obj)
	return s, w.notes
}

// inlineStrength reads the strength inside a grant. Its empty list of
// configurations proves nothing: Graph writes the list there without reading it
// (ca-semantics 1.4). What is unmodelled inside concerns the policy too, except
// for combinations with unknown modes: they are only one more alternative.
func inlineStrength(w *walk, v *node) *AuthStrength {
	before := len(w.unmodelled)
	s := &AuthStrength{}
	if v.kind == '{' {
		strengthKeys.read(w, s, v)
	} else {
		w.unexpected(v)
	}
	s.ConfigurationsRead = len(s.Configurations) > 0 || s.PolicyType == "builtIn"
	own := w.unmodelled[before:]
	s.Unmodelled = append([]Unmodelled(nil), own...)
	w.unmodelled = w.unmodelled[:before]
	for _, u := range s.Unmodelled {
		if u.Kind != "member" || !strings.Contains(strings.ToLower(u.Path), ".allowedcombinations") {
			w.unmodelled = append(w.unmodelled, u)
		}
	}
	s.Raw = w.doc.canonical(v)
	return s
}
