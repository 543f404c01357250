package entra

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The relations of a part that is read by several requests.
const (
	// RelationMethods: PartAccounts, a user's registered authentication methods.
	RelationMethods = "methods"
	// RelationMemberships: PartAccounts, what a user is a member of, nested ones
	// included.
	RelationMemberships = "transitiveMemberOf"
	// RelationRequirements: PartAccounts, a user's per-user MFA.
	RelationRequirements = "requirements"
	// RelationMembers: PartGroups, the direct members of a group.
	RelationMembers = "members"
)

// Answer is what one question to a tenant brought: some objects of one part, as
// Graph gave them, and how much of what was asked for they are.
type Answer struct {
	Part Part
	// Subject is the account, group or unit that was asked about; "" when the
	// question was about the tenant.
	Subject ID
	// Relation is which list of the subject was asked for, where a part has
	// several; "" the part's own objects.
	Relation string
	Items    []json.RawMessage
	State    PartState
	// Where names the request, for what is said about its objects.
	Where string
}

// Assemble makes a Snapshot of answers. An answer that is denied or cut short
// says so in the part or in the reading of its subject; an item that is no
// object, or an object without what its part needs, is a Trouble. What no answer
// speaks of was not asked.
func Assemble(tenant ID, cloud string, taken time.Time, answers []Answer) *Snapshot {
	a := &assembly{reader: newReader(DefaultLimits), states: map[Part]PartState{}}
	a.reader.content.TenantID, a.reader.content.Cloud, a.reader.content.Taken = tenant, cloud, taken
	for _, answer := range answers {
		a.take(&answer)
	}
	a.reader.finishMethods()
	c := &a.reader.content
	if c.Parts == nil {
		c.Parts = map[Part]PartState{}
	}
	for part, why := range a.reader.short { // what an object itself betrays
		a.worsen(part, PartState{StatusCutShort, why})
	}
	for part, state := range a.states {
		c.Parts[part] = state
	}
	return NewSnapshot(*c)
}

// assembly gathers answers by way of the reader of exports, so that an object
// means the same however it came.
type assembly struct {
	reader *reader
	states map[Part]PartState
}

// bad orders the states: of several answers about one part the worst counts.
var bad = map[Status]int{StatusRead: 0, StatusNotAsked: 1, StatusCutShort: 2, StatusDenied: 3}

func (a *assembly) worsen(p Part, st PartState) {
	if have, ok := a.states[p]; !ok || bad[st.Status] > bad[have.Status] {
		a.states[p] = st
	}
}

// take adds one answer.
func (a *assembly) take(answer *Answer) {
	r := a.reader
	whole := answer.State.Status == StatusRead
	if answer.Subject == "" {
		a.worsen(answer.Part, answer.State)
	} else {
		r.content.Readings = append(r.content.Readings, Reading{answer.Part, answer.Subject, answer.State})
		if answer.State.Status != StatusRead {
			// Whoever looks at the part as a whole must see that some of it is missing.
			a.worsen(answer.Part, answer.State)
		} else if _, known := a.states[answer.Part]; !known && slice(answer.Part) {
			a.states[answer.Part] = PartState{StatusNotAsked, "only the objects that decide were asked for"}
		}
	}
	read := relations[string(answer.Part)+"/"+answer.Relation]
	if read == nil {
		read = objects
	}
	read(r, answer, a.parse(answer), whole)
}

// slice reports whether a part is never read whole, but for the objects that
// decide.
func slice(p Part) bool { return p == PartUsers || p == PartGroups || p == PartAccounts }

// parsed is one item of an answer.
type parsed struct {
	doc *document
	obj *node
	at  Origin
}

// parse reads the items of an answer. What is no object is a Trouble, never
// skipped in silence.
func (a *assembly) parse(answer *Answer) []parsed {
	var out []parsed
	for i, raw := range answer.Items {
		where := fmt.Sprintf("%s[%d]", answer.Where, i)
		doc, syntax := parse(where, raw, a.reader.limits.Depth)
		if syntax != nil || len(doc.values) != 1 || doc.values[0].kind != '{' {
			a.reader.fileTrouble(where, "an element of the answer is no JSON object")
			a.worsen(answer.Part, PartState{StatusCutShort, "an element of the answer is no object"})
			continue
		}
		out = append(out, parsed{doc, &doc.values[0], Origin{File: answer.Where, Path: fmt.Sprintf("[%d]", i)}})
	}
	return out
}

// relations are the lists that are not objects of their part.
var relations = map[string]func(*reader, *Answer, []parsed, bool){
	string(PartAccounts) + "/" + RelationMethods: func(r *reader, a *Answer, items []parsed, whole bool) {
		acc := Account{ID: a.Subject, MethodsRead: whole}
		for _, it := range items {
			acc.Methods = append(acc.Methods, decodeMethod(it.doc, it.obj))
		}
		r.account(acc)
	},
	string(PartAccounts) + "/" + RelationMemberships: func(r *reader, a *Answer, items []parsed, whole bool) {
		acc := Account{ID: a.Subject, MembersRead: whole}
		for _, it := range items {
			switch id := ID(it.obj.str("id")); {
			case looksLikeDirectoryRole(it.obj): // roleAssignments tells of these, with their scope
			case isType(it.obj, "administrativeUnit"):
			case id != "":
				acc.Memberships = append(acc.Memberships, id)
				if looksLikeGroup(it.obj) {
					r.group(it.doc, it.obj, it.at)
				}
			}
		}
		r.account(acc)
	},
	string(PartAccounts) + "/" + RelationRequirements: func(r *reader, a *Answer, items []parsed, _ bool) {
		for _, it := range items {
			r.account(Account{ID: a.Subject, PerUserMFA: strings.ToLower(it.obj.str("perUserMfaState"))})
		}
	},
	string(PartGroups) + "/" + RelationMembers: func(r *reader, a *Answer, items []parsed, whole bool) {
		g := Group{ID: a.Subject, MembersRead: whole, Origin: Origin{File: a.Where}}
		for _, it := range items {
			id := ID(it.obj.str("id"))
			if id == "" {
				g.MembersRead = false
				continue
			}
			g.Members = append(g.Members, id)
			switch {
			case looksLikeUser(it.obj):
				r.user(it.doc, it.obj, it.at)
			case looksLikeGroup(it.obj):
				r.group(it.doc, it.obj, it.at)
			}
		}
		r.content.Groups = append(r.content.Groups, g)
	},
}

// objects adds the objects of a part: typed where a proof needs them, else as
// they are.
func objects(r *reader, a *Answer, items []parsed, _ bool) {
	for _, k := range r.kinds {
		if k.part == a.Part && k.typed {
			for _, it := range items {
				k.read(r, it.doc, it.obj, it.at)
			}
			return
		}
	}
	about := "id"
	for _, k := range kept {
		if k.part == a.Part {
			about = k.subject
		}
	}
	for _, it := range items {
		subject := a.Subject
		if subject == "" {
			subject = ID(it.obj.str(about))
		}
		r.keep(a.Part, subject, it.doc.canonical(it.obj))
	}
}
