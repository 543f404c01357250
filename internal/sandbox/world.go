package sandbox

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// World is a tenant prepared for judging many sign-ins: its policies read, its
// locations, who belongs to which groups and roles. It is good for one State as
// it is at one time, and for one goroutine: it remembers people as they come.
//
// Its judgement is written from Microsoft's documentation and reads raw JSON. It
// shares nothing with the prover in package lockout, so that the two can be held
// against each other.
type World struct {
	// Against reads every behaviour that Microsoft does not document against the
	// person who signs in; otherwise for them. Outcome.Unsure names those that
	// were met.
	Against bool
	// LegacyLowPrivilege: the tenant kept the old rule, by which a request for
	// baselineScopes scopes alone escapes policies on all resources with exclusions
	// (entra-docs identity/conditional-access/concept-enforcement-resource-exclusions).
	// LowPrivilegeUnknown: nobody knows which rule the tenant is on.
	LegacyLowPrivilege, LowPrivilegeUnknown bool

	flaw     string
	state    *State
	at       time.Time
	policies []*caPolicy
	places   map[string]*place
	people   map[string]*signer
	parents  map[string][]string // member id → groups, lazily
	methods  map[string]Object   // method configurations by id in lower case
	settled  bool                // the legacy MFA settings decide nothing any more
	defaults bool                // security defaults are on
	foreign  bool                // not the public cloud
}

// place is a named location.
type place struct {
	trusted   bool
	ranges    []netip.Prefix
	countries []string
	unknown   bool // includes unknown countries and regions
	gps       bool
	country   bool
	compliant bool
	obscure   bool
}

// signer is a user as policies see them.
type signer struct {
	id          string
	user        Object
	groups      map[string]bool
	roles       map[string]bool // active at tenant scope, built-in, by template id
	guest       string          // guestOrExternalUserTypes member in lower case; "" an ordinary member
	methods     []Object        // registered authentication methods
	perUserMFA  bool
	federated   bool
	mfaAtIdP    bool // federatedIdpMfaBehavior enforceMfaByFederatedIdp
	tooManyIn   bool
	usableModes map[string]truth
}

// NewWorld prepares a state for judging sign-ins at a time.
func NewWorld(state *State, at time.Time) *World { return newWorld(state, at, "") }

// NewFlawedWorld is a NewWorld whose judgement has one fault of Flaws: what a
// comparison with another judge must find.
func NewFlawedWorld(state *State, at time.Time, flaw string) *World { return newWorld(state, at, flaw) }

func newWorld(state *State, at time.Time, flaw string) *World {
	w := &World{state: state, at: at, flaw: flaw, places: map[string]*place{}, people: map[string]*signer{}, methods: map[string]Object{}}
	for _, raw := range state.All("identity/conditionalAccess/policies") {
		w.policies = append(w.policies, w.compile(raw))
	}
	for _, raw := range state.All("identity/conditionalAccess/namedLocations") {
		w.places[strings.ToLower(wireText(raw["id"]))] = w.readPlace(raw)
	}
	policy := state.Single["policies/authenticationMethodsPolicy"]
	for _, c := range wireObjects(policy["authenticationMethodConfigurations"]) {
		w.methods[strings.ToLower(wireText(c["id"]))] = c
	}
	// Without a policy nothing is known to be turned off; an unread migration
	// state means that the legacy settings may still count.
	w.settled = policy == nil || wireSame(wireText(policy["policyMigrationState"]), "migrationComplete")
	w.defaults = wireBool(state.Single["policies/identitySecurityDefaultsEnforcementPolicy"]["isEnabled"])
	w.foreign = state.Cloud != "" && !wireSame(state.Cloud, "public")
	return w
}

// Judge decides one attempt against a state. Nothing is logged. Whoever judges
// many prepares a World once.
func Judge(state *State, at time.Time, a Attempt) Outcome { return NewWorld(state, at).Judge(a) }

// Flaws are the faults that NewFlawedWorld can plant in the evaluator.
var Flaws = []string{
	"excluded users ignored", "excluded groups ignored", "excluded roles ignored", "nested groups not followed",
	"eligible roles counted", "unit-scoped roles counted", "OR read as AND", "AND read as OR", "report-only enforced",
	"disabled policies enforced", "trusted location inverted", "unknown country never matches", "excluded applications ignored",
	"application groups not expanded", "unknown platform escapes all", "legacy clients satisfy MFA", "key restrictions ignored",
	"allowed AAGUIDs ignored", "flags read as one word", "filter mode inverted", "negative operator fails on null",
	"method targets ignored", "mandatory MFA ignored", "security defaults ignored", "user risk ignored", "context policies always apply",
	"block inside OR is one choice", "per-user MFA ignored", "guests counted as members",
}

func (w *World) is(flaw string) bool { return w.flaw != "" && w.flaw == flaw }

func (w *World) readPlace(raw Object) *place {
	p := &place{}
	switch strings.ToLower(strings.TrimPrefix(wireText(raw["@odata.type"]), "#microsoft.graph.")) {
	case "ipnamedlocation":
		p.trusted = wireBool(raw["isTrusted"]) != w.is("trusted location inverted")
		for _, r := range wireObjects(raw["ipRanges"]) {
			prefix, err := netip.ParsePrefix(wireText(r["cidrAddress"]))
			if err != nil {
				p.obscure = true
				continue
			}
			p.ranges = append(p.ranges, prefix.Masked())
		}
	case "countrynamedlocation":
		p.country = true
		p.countries = wireList(raw["countriesAndRegions"])
		p.unknown = wireBool(raw["includeUnknownCountriesAndRegions"]) && !w.is("unknown country never matches")
		p.gps = wireSame(wireText(raw["countryLookupMethod"]), "authenticatorAppGps")
	case "compliantnetworknamedlocation":
		p.compliant, p.trusted = true, wireBool(raw["isTrusted"])
	default:
		p.obscure = true
	}
	return p
}

// signer finds a user; nil when there is none.
func (w *World) signer(id string) *signer {
	id = key(id)
	if p, known := w.people[id]; known {
		return p
	}
	user := w.state.Get("users", id)
	var p *signer
	if user != nil {
		p = &signer{id: id, user: user, groups: w.groupsOf(id), roles: map[string]bool{}, usableModes: map[string]truth{}}
		p.tooManyIn = len(p.groups) > 2048 // entra-docs concept-conditional-access-users-groups
		w.readRoles(p)
		p.guest = guestKind(user)
		p.methods = w.state.All("users/" + id + "/authentication/methods")
		state := wireText(w.state.Single["users/"+id+"/authentication/requirements"]["perUserMfaState"])
		p.perUserMFA = wireSame(state, "enabled") || wireSame(state, "enforced")
		w.readFederation(p)
	}
	w.people[id] = p
	return p
}

// groupsOf walks memberships upwards, through nested groups (entra-docs
// concept-conditional-access-users-groups: a policy applies to nested users and groups).
func (w *World) groupsOf(id string) map[string]bool {
	if w.parents == nil {
		w.parents = map[string][]string{}
		for group, members := range w.state.Links["groups/members"] {
			for _, m := range members {
				w.parents[key(m)] = append(w.parents[key(m)], key(group))
			}
		}
	}
	out := map[string]bool{}
	queue := slices.Clone(w.parents[id])
	for len(queue) > 0 {
		g := queue[0]
		queue = queue[1:]
		// A group that is gone matches nobody; its id may still stand in a policy.
		if out[g] || w.state.Get("groups", g) == nil {
			continue
		}
		out[g] = true
		if !w.is("nested groups not followed") {
			queue = append(queue, w.parents[g]...)
		}
	}
	return out
}

// readRoles collects the roles that policies look at: built-in, active, at the
// scope of the tenant (entra-docs concept-conditional-access-users-groups).
func (w *World) readRoles(p *signer) {
	sets := []string{"roleManagement/directory/roleAssignments", "roleManagement/directory/roleAssignmentScheduleInstances"}
	if w.is("eligible roles counted") {
		sets = append(sets, "roleManagement/directory/roleEligibilityScheduleInstances")
	}
	for _, set := range sets {
		for _, a := range w.state.All(set) {
			who := key(wireText(a["principalId"]))
			if who != p.id && !p.groups[who] {
				continue
			}
			if scope := wireText(a["directoryScopeId"]); scope != "/" && scope != "" && !w.is("unit-scoped roles counted") {
				continue
			}
			if app := wireText(a["appScopeId"]); app != "" && app != "/" {
				continue
			}
			if !w.between(wireText(a["startDateTime"]), wireText(a["endDateTime"])) {
				continue
			}
			role := strings.ToLower(wireText(a["roleDefinitionId"]))
			if d := w.state.Get("roleManagement/directory/roleDefinitions", role); d != nil {
				if builtIn, said := d["isBuiltIn"].(bool); said && !builtIn {
					continue
				}
				if t := wireText(d["templateId"]); t != "" {
					role = strings.ToLower(t)
				}
			}
			p.roles[role] = true
		}
	}
}

func (w *World) between(from, to string) bool {
	if t, err := time.Parse(time.RFC3339, from); err == nil && w.at.Before(t) {
		return false
	}
	if t, err := time.Parse(time.RFC3339, to); err == nil && !w.at.Before(t) {
		return false
	}
	return true
}

// guestKind reads what a user is to guestOrExternalUserTypes: a guest made here
// is an internal guest, one who came by invitation a B2B collaboration user.
func guestKind(user Object) string {
	guest := wireSame(wireText(user["userType"]), "Guest")
	invited := strings.Contains(strings.ToUpper(wireText(user["userPrincipalName"])), "#EXT#")
	switch {
	case guest && invited:
		return "b2bcollaborationguest"
	case guest:
		return "internalguest"
	case invited:
		return "b2bcollaborationmember"
	}
	return ""
}

func (w *World) readFederation(p *signer) {
	_, name, _ := strings.Cut(wireText(p.user["userPrincipalName"]), "@")
	d := w.state.Get("domains", name)
	p.federated = wireSame(wireText(d["authenticationType"]), "Federated")
	if !p.federated {
		return
	}
	for _, c := range append(w.state.All("domains/"+key(name)+"/federationConfiguration"), wireObjects(d["federationConfiguration"])...) {
		p.mfaAtIdP = p.mfaAtIdP || wireSame(wireText(c["federatedIdpMfaBehavior"]), "enforceMfaByFederatedIdp")
	}
}
