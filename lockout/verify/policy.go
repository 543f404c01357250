package verify

import (
	"slices"
	"strings"
)

// policy is what the raw JSON of one policy says, ids and words folded.
type policy struct {
	id    string
	label string
	// state is Graph's word, folded, or "" not known.
	state string

	includeUsers, excludeUsers   []string
	includeGroups, excludeGroups []string
	includeRoles, excludeRoles   []string
	includeGuests, excludeGuests *guests

	includeApps, excludeApps []string
	appFilter                *filter
	actions, contexts        []string

	clients                  []string // empty: all
	platforms                *inOut
	locations                *inOut
	deviceFilter             *filter
	signInRisk, userRisk     []string
	insiderRisk, flows       []string
	operator                 string
	controls                 []string
	strength                 *strength
	terms                    []string
	customFactors            int
	everyTime, tokens        bool
	cloudApps                string // "" off
	strictLocation, noBackup bool

	// What has no meaning here, read against the account: the policy may include
	// the account, may be meant for the target, a condition may match anything,
	// its exclusions cannot be relied on, it is never satisfied.
	mayInclude, mayTarget, exclusionsOpen, stateOpen, never bool
	loose                                                   map[string]bool // by condition, folded

	// masks and places are filled in by space.go for the classes at hand.
	masks  map[string][]bool
	places [2]*placeSet // include, exclude; nil without a network condition
	gps    bool
}

type guests struct {
	internal   bool
	allTenants bool
}

type inOut struct{ include, exclude []string }

type filter struct {
	mode string // include, exclude, "" not known
	rule string
}

// readPolicy reads one entry of conditionalAccessPolicies.
func readPolicy(entry *value) *policy {
	p := &policy{id: entry.str("id"), label: entry.str("displayName"), loose: map[string]bool{}}
	if p.label == "" {
		p.label = p.id
	}
	raw := entry.get("raw")
	w := &walker{note: p.open}
	if raw == nil || raw.kind != '{' {
		p.open("", "type")
	} else {
		w.object(raw, map[string]func(*value){
			"id": ignore, "displayname": ignore, "templateid": ignore, "createddatetime": ignore, "modifieddatetime": ignore, "description": ignore,
			"state": func(v *value) { p.state = w.word(v, "enabled", "enabledforreportingbutnotenforced", "disabled") },
			"conditions": func(v *value) {
				if !v.unset() {
					p.readConditions(w, v)
				}
			},
			"grantcontrols":   func(v *value) { p.readGrant(w, v) },
			"sessioncontrols": func(v *value) { p.readSession(w, v) },
		})
		if raw.get("conditions").unset() && raw.get("AdditionalProperties").get("conditions").unset() {
			p.open("conditions", "type")
		}
	}
	// The reader of the tenant may have noted what the raw JSON no longer shows.
	for _, u := range entry.list("unmodelled") {
		p.open(noted(u), u.str("kind"))
	}
	if p.stateOpen {
		p.state = ""
	}
	return p
}

// noted returns the folded path of an unmodelled item of the Snapshot.
func noted(u *value) string {
	path := strings.ReplaceAll(strings.ToLower(u.str("path")), "additionalproperties.", "")
	return strings.ReplaceAll(path, "[", ".[")
}

// open takes in that something at a path has no meaning here.
func (p *policy) open(path, kind string) {
	if kind == "member" && strings.HasPrefix(path, "grantcontrols.") {
		return // a control or operator that is not known: judged with the grant
	}
	// What remains of retired previews can only restrict a policy.
	retired := strings.HasPrefix(path, "conditions.times") || strings.HasPrefix(path, "conditions.devicestates") || strings.HasPrefix(path, "conditions.devices.")
	p.never = p.never || !retired
	steps := strings.Split(path, ".")
	exclude := strings.Contains(path, ".exclude")
	switch {
	case steps[0] == "grantcontrols" || steps[0] == "sessioncontrols":
	case path == "state":
		p.stateOpen = true
	case steps[0] != "conditions" || len(steps) == 1:
		// A key beside the conditions may deny where the policy applies; without
		// conditions nobody can say whom and what it is for.
		if path == "" || path == "conditions" {
			p.mayInclude, p.mayTarget, p.loose["*"] = true, true, true
		}
		p.exclusionsOpen = p.exclusionsOpen || kind == "duplicate"
	case steps[1] == "users":
		p.mayInclude = p.mayInclude || !exclude
		p.exclusionsOpen = p.exclusionsOpen || kind == "duplicate"
	case steps[1] == "applications":
		p.mayTarget = p.mayTarget || !exclude || kind == "duplicate"
	default:
		p.loose[steps[1]] = true
	}
}

// matchesAll reports whether a condition must be read as matching everything.
func (p *policy) matchesAll(condition string) bool { return p.loose["*"] || p.loose[condition] }

func (p *policy) readConditions(w *walker, v *value) {
	flags := func(to *[]string, known ...string) func(*value) {
		return func(v *value) { *to = w.words(v, true, known...) }
	}
	risk := func(to *[]string) func(*value) {
		return func(v *value) { *to = w.words(v, false, "none", "low", "medium", "high") }
	}
	agents := ignore // agents and workload identities are no people
	w.object(v, map[string]func(*value){
		"users":        func(v *value) { p.readUsers(w, v) },
		"applications": func(v *value) { p.readApplications(w, v) },
		"clientapptypes": func(v *value) {
			p.clients = w.words(v, false, "all", "browser", "mobileappsanddesktopclients", "exchangeactivesync", "eassupported", "other")
			for i, c := range p.clients {
				if c == "eassupported" {
					p.clients[i] = "exchangeactivesync"
				}
			}
		},
		"platforms": func(v *value) {
			p.platforms = p.readInOut(w, v, "includeplatforms", "excludeplatforms", "all", "windows", "macos", "linux", "android", "ios", "windowsphone")
		},
		"locations":                  func(v *value) { p.locations = p.readInOut(w, v, "includelocations", "excludelocations") },
		"devices":                    func(v *value) { p.readDevices(w, v) },
		"signinrisklevels":           risk(&p.signInRisk),
		"userrisklevels":             risk(&p.userRisk),
		"serviceprincipalrisklevels": agents,
		"insiderrisklevels":          flags(&p.insiderRisk, "minor", "moderate", "elevated"),
		"authenticationflows": func(v *value) {
			w.object(v, map[string]func(*value){"transfermethods": flags(&p.flows, "devicecodeflow", "authenticationtransfer")})
		},
		"clientapplications": func(v *value) {
			w.object(v, map[string]func(*value){
				"includeserviceprincipals": agents, "excludeserviceprincipals": agents, "serviceprincipalfilter": agents,
				"includeagentidserviceprincipals": agents, "excludeagentidserviceprincipals": agents, "agentidserviceprincipalfilter": agents,
			})
		},
		"agents": agents, "agentcontext": agents, "agentidrisklevels": agents,
	})
}

// readInOut reads the two lists of a condition; without words the elements are
// ids. A condition whose lists are empty is none.
func (p *policy) readInOut(w *walker, v *value, in, out string, words ...string) *inOut {
	if v.unset() {
		return nil
	}
	c := &inOut{}
	read := func(to *[]string) func(*value) {
		return func(v *value) {
			if words == nil {
				*to = fold(w.texts(v))
			} else {
				*to = w.words(v, false, words...)
			}
		}
	}
	w.object(v, map[string]func(*value){in: read(&c.include), out: read(&c.exclude)})
	if len(c.include)+len(c.exclude) == 0 {
		return nil
	}
	return c
}

func (p *policy) readUsers(w *walker, v *value) {
	ids := func(to *[]string) func(*value) { return func(v *value) { *to = fold(w.texts(v)) } }
	w.object(v, map[string]func(*value){
		"includeusers": ids(&p.includeUsers), "excludeusers": ids(&p.excludeUsers),
		"includegroups": ids(&p.includeGroups), "excludegroups": ids(&p.excludeGroups),
		"includeroles": ids(&p.includeRoles), "excluderoles": ids(&p.excludeRoles),
		"includeguestsorexternalusers": func(v *value) { p.includeGuests = readGuests(w, v) },
		"excludeguestsorexternalusers": func(v *value) { p.excludeGuests = readGuests(w, v) },
	})
}

func readGuests(w *walker, v *value) *guests {
	if v.unset() {
		return nil
	}
	g := &guests{allTenants: true}
	w.object(v, map[string]func(*value){
		"guestorexternalusertypes": func(v *value) {
			g.internal = slices.Contains(w.words(v, true, "internalguest", "b2bcollaborationguest", "b2bcollaborationmember", "b2bdirectconnectuser",
				"otherexternaluser", "serviceprovider"), "internalguest")
		},
		"externaltenants": func(v *value) {
			w.object(v, map[string]func(*value){
				"membershipkind": func(v *value) {
					if w.word(v, "all", "enumerated") == "enumerated" {
						g.allTenants = false
					}
				},
				"members": func(v *value) {
					if len(w.texts(v)) > 0 {
						g.allTenants = false
					}
				},
			})
		},
	})
	return g
}

func (p *policy) readApplications(w *walker, v *value) {
	w.object(v, map[string]func(*value){
		"includeapplications": func(v *value) { p.includeApps = fold(w.texts(v)) },
		"excludeapplications": func(v *value) { p.excludeApps = fold(w.texts(v)) },
		"applicationfilter":   func(v *value) { p.appFilter = readFilter(w, v) },
		"includeuseractions": func(v *value) {
			p.actions = w.words(v, false, "urn:user:registersecurityinfo", "urn:user:registerdevice")
		},
		"includeauthenticationcontextclassreferences": func(v *value) { p.contexts = fold(w.texts(v)) },
		"globalsecureaccess":                          ignore, // network traffic is no goal's target
		"networkaccess":                               ignore,
	})
}

func (p *policy) readDevices(w *walker, v *value) {
	w.object(v, map[string]func(*value){"devicefilter": func(v *value) { p.deviceFilter = readFilter(w, v) }})
}

func readFilter(w *walker, v *value) *filter {
	if v.unset() {
		return nil
	}
	f := &filter{}
	w.object(v, map[string]func(*value){
		"mode": func(v *value) { f.mode = w.word(v, "include", "exclude") },
		"rule": func(v *value) { f.rule = w.text(v) },
	})
	return f
}

func (p *policy) readGrant(w *walker, v *value) {
	w.object(v, map[string]func(*value){
		"operator": func(v *value) { p.operator = w.word(v, "and", "or") },
		"builtincontrols": func(v *value) {
			p.controls = w.words(v, false, "block", "mfa", "compliantdevice", "domainjoineddevice", "approvedapplication", "compliantapplication",
				"passwordchange", "riskremediation")
		},
		"termsofuse":                  func(v *value) { p.terms = fold(w.texts(v)) },
		"customauthenticationfactors": func(v *value) { p.customFactors = len(w.texts(v)) },
		"authenticationstrength": func(v *value) {
			if !v.unset() {
				p.strength = readStrength(w, v, true)
			}
		},
		"authenticationstrength@odata.bind": func(v *value) {
			if !v.unset() {
				p.strength = &strength{id: boundID(w.text(v))}
			}
		},
	})
}

// boundID takes the id out of a reference.
func boundID(reference string) string {
	last := reference[strings.LastIndexByte(reference, '/')+1:]
	if at := strings.IndexByte(last, '('); at >= 0 {
		last = strings.Trim(last[at:], "()'")
	}
	return key(last)
}

func (p *policy) readSession(w *walker, v *value) {
	// object reads a control that is switched on: an object without isEnabled is.
	object := func(on func(), known map[string]func(*value)) func(*value) {
		return func(v *value) {
			if v.unset() || off(v) {
				return
			}
			if is, known := v.flag(); known && !is {
				return
			}
			on()
			if is, known := v.flag(); known && is {
				return
			}
			known["isenabled"] = func(v *value) { w.yes(v) }
			w.object(v, known)
		}
	}
	words := func(known ...string) func(*value) { return func(v *value) { w.word(v, known...) } }
	none := func() {}
	w.object(v, map[string]func(*value){
		"signinfrequency": object(none, map[string]func(*value){
			"frequencyinterval": func(v *value) { p.everyTime = w.word(v, "timebased", "everytime") == "everytime" },
			"type":              words("days", "hours"), "value": ignore,
			"authenticationtype": words("primaryandsecondaryauthentication", "secondaryauthentication"),
		}),
		"persistentbrowser": object(none, map[string]func(*value){"mode": words("always", "never")}),
		"cloudappsecurity": object(func() { p.cloudApps = "unknown" }, map[string]func(*value){
			"cloudappsecuritytype": func(v *value) {
				if t := w.word(v, "mcasconfigured", "monitoronly", "blockdownloads"); t != "" {
					p.cloudApps = t
				}
			},
			"profileid": ignore, "policyid": ignore,
		}),
		"applicationenforcedrestrictions": object(none, map[string]func(*value){}),
		"securesigninsession":             object(func() { p.tokens = true }, map[string]func(*value){}),
		"continuousaccessevaluation": object(none, map[string]func(*value){
			"mode": func(v *value) {
				p.strictLocation = w.word(v, "strictenforcement", "disabled", "strictlocation") == "strictlocation"
			},
		}),
		"disableresiliencedefaults":          func(v *value) { p.noBackup = w.yes(v) },
		"globalsecureaccessfilteringprofile": object(none, map[string]func(*value){"profileid": ignore, "policyid": ignore}),
	})
}
