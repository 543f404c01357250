package entra

import (
	"fmt"
	"slices"
	"strings"
)

// plain reads the few members of an object that has many we do not judge by.
// What is of an unexpected type is recorded.
type plain struct {
	w   walk
	obj *node
}

func plainOf(doc *document, v *node) *plain { return &plain{walk{doc: doc}, v} }

func (p *plain) text(key string) string {
	v := p.obj.member(key)
	if v == nil {
		return ""
	}
	p.w.path = append(p.w.path[:0], key)
	return p.w.text(v)
}

func (p *plain) id(keys ...string) ID {
	for _, k := range keys {
		if v := p.obj.member(k); v != nil && !v.unset() {
			p.w.path = append(p.w.path[:0], k)
			return p.w.id(v)
		}
	}
	return ""
}

func (p *plain) flag(key string) *bool {
	v := p.obj.member(key)
	if v == nil {
		return nil
	}
	p.w.path = append(p.w.path[:0], key)
	return p.w.flag(v)
}

func (p *plain) isTrue(key string) bool {
	b := p.flag(key)
	return b != nil && *b
}

// expandLimit is how many related objects Graph gives at most inside an object
// of the directory, without saying that there are more
// (graph: query parameters, $expand).
const expandLimit = 20

func (r *reader) user(doc *document, v *node, at Origin) {
	p := plainOf(doc, v)
	u := User{
		ID: p.id("id"), UserPrincipalName: p.text("userPrincipalName"), DisplayName: p.text("displayName"),
		UserType: p.text("userType"), Enabled: p.flag("accountEnabled"), OnPremisesSync: p.flag("onPremisesSyncEnabled"),
		PasswordPolicies: p.text("passwordPolicies"), Deleted: v.has("deletedDateTime"), Origin: at,
	}
	for _, word := range []string{"Member", "Guest"} {
		if strings.EqualFold(u.UserType, word) {
			u.UserType = word
		}
	}
	u.Unmodelled = p.w.unmodelled
	u.Raw = doc.canonical(v)
	r.keep(PartUsers, u.ID, u.Raw)
	r.content.Users = append(r.content.Users, u)

	a := Account{ID: u.ID, PerUserMFA: strings.ToLower(p.text("perUserMfaState"))}
	r.memberships(doc, v, &a)
	methods := v.get("authentication").get("methods")
	if methods == nil {
		methods = v.get("authenticationMethods")
	}
	if methods != nil && methods.kind == '[' {
		a.MethodsRead = true
		for i := range methods.items {
			a.Methods = append(a.Methods, decodeMethod(doc, &methods.items[i]))
		}
	}
	if a.MembersRead || a.MethodsRead || a.PerUserMFA != "" || len(a.Memberships) > 0 {
		r.account(a)
	}
}

// memberships reads the groups and roles expanded into a user.
func (r *reader) memberships(doc *document, v *node, a *Account) {
	for _, key := range []string{"transitiveMemberOf", "memberOf"} {
		list := v.get(key)
		if list == nil {
			continue
		}
		for i := range list.items {
			g := &list.items[i]
			id := ID(g.str("id"))
			switch {
			case looksLikeDirectoryRole(g):
				r.content.RoleAssignments = append(r.content.RoleAssignments, RoleAssignment{
					Principal: a.ID, Role: ID(g.str("roleTemplateId")), Scope: "/", Assignment: AssignmentActive})
			case isType(g, "administrativeUnit"):
			case id != "":
				a.Memberships = append(a.Memberships, id)
			}
		}
		if key == "transitiveMemberOf" && list.kind == '[' && whole(v, key, list) {
			a.MembersRead = true
			return
		}
	}
}

// whole reports whether a list expanded into an object is all of it.
func whole(obj *node, key string, list *node) bool {
	return len(list.items) != expandLimit && obj.get(key+"@odata.nextLink") == nil
}

func (r *reader) group(doc *document, v *node, at Origin) {
	if v.has("deletedDateTime") {
		r.noteAt(doc, v, "a deleted group; left out")
		return
	}
	p := plainOf(doc, v)
	g := Group{ID: p.id("id"), DisplayName: p.text("displayName"), RoleAssignable: p.flag("isAssignableToRole"), Origin: at}
	if types := v.member("groupTypes"); types != nil {
		p.w.strings(types, func(s string) { g.Dynamic = g.Dynamic || strings.EqualFold(s, "DynamicMembership") })
	}
	for _, key := range []string{"members", "transitiveMembers"} {
		list := v.get(key)
		if list == nil || list.kind != '[' && list.kind != '{' {
			continue
		}
		g.MembersRead = whole(v, key, list)
		if !g.MembersRead {
			r.note(at.File, fmt.Sprintf("group %s (%q): Graph expands %d %s at most, so there may be more; its membership counts as not read", g.ID, g.DisplayName, expandLimit, key))
		}
		p.w.list(list, func(e *node) {
			switch {
			case e.kind == '"' && e.text != "":
				g.Members = append(g.Members, ID(e.text))
			case e.str("id") != "":
				g.Members = append(g.Members, ID(e.str("id")))
				if looksLikeUser(e) {
					r.user(doc, e, at)
				}
			default:
				g.MembersRead = false
			}
		})
	}
	g.Raw = doc.canonical(v)
	r.keep(PartGroups, g.ID, g.Raw)
	r.content.Groups = append(r.content.Groups, g)
}

// account merges what was read about one judged account.
func (r *reader) account(a Account) {
	if i, ok := r.accounts[a.ID.Key()]; ok {
		b := &r.content.Accounts[i]
		b.Memberships = append(b.Memberships, a.Memberships...)
		b.MembersRead = b.MembersRead || a.MembersRead
		b.Methods = append(b.Methods, a.Methods...)
		b.MethodsRead = b.MethodsRead || a.MethodsRead
		if b.PerUserMFA == "" {
			b.PerUserMFA = a.PerUserMFA
		}
		return
	}
	r.accounts[a.ID.Key()] = len(r.content.Accounts)
	r.content.Accounts = append(r.content.Accounts, a)
}

// looseMethod reads a registered method of a list users/ID/authentication/methods.
func (r *reader) looseMethod(doc *document, v *node, at Origin) {
	owner := r.owner
	if owner == "" {
		owner = contextID(v, "users")
	}
	if owner == "" {
		r.note(at.File, fmt.Sprintf("%s: a registered %s, but the file does not say of which account; not used", at.Path, odataType(v)))
		return
	}
	r.account(Account{ID: owner, Methods: []AuthMethod{decodeMethod(doc, v)}, MethodsRead: true})
}

// methodList is one list users/ID/authentication/methods.
type methodList struct {
	at    Origin
	ids   []string // sorted
	paged bool
}

// methodsOf notes that all methods of an account were read, also when there is
// none, and names a second list that says otherwise: what only one of them has
// is not known to be there.
func (r *reader) methodsOf(doc *document, v, page *node) {
	_, fragment, _ := strings.Cut(strings.ToLower(v.str("@odata.context")), "#")
	owner := ID(contextID(v, "users"))
	if owner == "" || !strings.HasSuffix(fragment, "/authentication/methods") {
		return
	}
	now := methodList{at: Origin{File: doc.file, Line: doc.line(v.off)}}
	if next := v.get("@odata.nextLink"); next != nil && !next.unset() {
		now.paged = true
	}
	for i := range page.items {
		now.ids = append(now.ids, ID(page.items[i].str("id")).Key())
	}
	slices.Sort(now.ids)
	r.account(Account{ID: owner, MethodsRead: true})
	r.seen[PartAccounts], r.some[PartAccounts] = true, true
	r.objects++
	before := r.methodLists[owner.Key()]
	r.methodLists[owner.Key()] = append(before, now)
	for _, b := range before {
		if !b.paged && !now.paged && !slices.Equal(b.ids, now.ids) {
			r.conflict(doc, v.off, fmt.Sprintf("methods of account %s are also in %s with other content; only what both name counts", owner, place(&b.at)), b.at.File)
			return
		}
	}
}

// finishMethodLists keeps of lists that contradict each other what all of them
// name, and says that the account's methods were not read.
func (r *reader) finishMethodLists() {
	for owner, lists := range r.methodLists {
		clash := slices.ContainsFunc(lists, func(l methodList) bool {
			return slices.ContainsFunc(lists, func(m methodList) bool { return !l.paged && !m.paged && !slices.Equal(l.ids, m.ids) })
		})
		if !clash {
			continue
		}
		a := &r.content.Accounts[r.accounts[owner]]
		a.MethodsRead = false
		a.Methods = slices.DeleteFunc(a.Methods, func(m AuthMethod) bool {
			return slices.ContainsFunc(lists, func(l methodList) bool { return !slices.Contains(l.ids, m.ID.Key()) })
		})
	}
}

func (r *reader) requirements(doc *document, v *node, at Origin) {
	owner := contextID(v, "users")
	if owner == "" {
		r.note(at.File, at.Path+": a per-user MFA state, but the file does not say of which account; not used")
		return
	}
	r.account(Account{ID: owner, PerUserMFA: strings.ToLower(v.str("perUserMfaState"))})
}

// methodTypes maps Graph's types of registered methods to ours.
var methodTypes = map[string]MethodType{
	"passwordauthenticationmethod":                MethodPassword,
	"fido2authenticationmethod":                   MethodFIDO2,
	"temporaryaccesspassauthenticationmethod":     MethodTAP,
	"hardwareoathauthenticationmethod":            MethodHardwareOath,
	"softwareoathauthenticationmethod":            MethodSoftwareOath,
	"x509certificateauthenticationmethod":         MethodX509,
	"phoneauthenticationmethod":                   MethodSMS, // see decodeMethod
	"microsoftauthenticatorauthenticationmethod":  MethodAuthenticatorPush,
	"windowshelloforbusinessauthenticationmethod": MethodWindowsHello,
	"platformcredentialauthenticationmethod":      MethodPlatform,
	"emailauthenticationmethod":                   MethodEmail,
	"qrcodepinauthenticationmethod":               MethodQRCodePin,
	"externalauthenticationmethod":                MethodExternal,
}

var methodWords = words(string(MethodPassword), string(MethodFIDO2), string(MethodTAP), string(MethodHardwareOath),
	string(MethodSoftwareOath), string(MethodX509), string(MethodSMS), string(MethodVoice), string(MethodAuthenticatorPush),
	string(MethodPhoneSignIn), string(MethodWindowsHello), string(MethodPlatform), string(MethodEmail), string(MethodQRCodePin),
	string(MethodExternal))

// decodeMethod reads one registered authentication method.
func decodeMethod(doc *document, v *node) AuthMethod {
	p := plainOf(doc, v)
	m := AuthMethod{ID: p.id("id"), Type: methodTypes[strings.ToLower(odataType(v))], DisplayName: p.text("displayName"),
		AAGUID: p.text("aaGuid"), PasskeyType: p.text("passkeyType"), UsableOnce: p.isTrue("isUsableOnce"), Raw: doc.canonical(v)}
	if m.Type == MethodFIDO2 && m.DisplayName == "" {
		m.DisplayName = p.text("model")
	}
	if m.Type == MethodSMS && strings.EqualFold(p.text("phoneType"), "office") {
		m.Type = MethodVoice // an office phone takes calls only
	}
	if s := p.text("createdDateTime"); s != "" {
		m.Created = readTime(s)
	}
	return m
}
