package custody

import (
	"slices"

	"halligan/register"
)

// Verb is what somebody does, or asks for.
type Verb string

// The verbs of the table of rights.
const (
	VerbView       Verb = "view"
	VerbRecord     Verb = "record"
	VerbExport     Verb = "export"
	VerbAsk        Verb = "request"
	VerbApprove    Verb = "approve"
	VerbAccept     Verb = "accept"
	VerbBegin      Verb = "begin"
	VerbRegister   Verb = "register"
	VerbLogKey     Verb = "log-key"
	VerbLogKeyLost Verb = "log-key-lost"
	VerbRestore    Verb = "restore"
	VerbApply      Verb = "apply"
	VerbSeal       Verb = "seal"
	VerbOpen       Verb = "open"
	VerbDrill      Verb = "drill"
	VerbCustody    Verb = "custody"
	VerbMove       Verb = "move"
	VerbHandOver   Verb = "hand-over"
)

// Approvals is how many approvals a verb takes.
type Approvals int

// The numbers. ByQuorum is what register.Quorum.Needed says.
const (
	ByNobody Approvals = iota
	ByOne
	ByQuorum
)

// Right is one row of the table of rights: who may do or ask for something, and
// how many others must approve it.
type Right struct {
	Verb      Verb
	Doc       string // what is done, as the approvers read it
	May       []register.Role
	Approvals Approvals
}

// Rights is the whole table. What is not in it, nobody may.
var Rights = []Right{
	{VerbView, "look at what is recorded", []register.Role{register.RoleViewer, register.RoleOperator, register.RoleCustodian, register.RoleApprover, register.RoleAuditor}, ByNobody},
	{VerbRecord, "record what was found or stated", []register.Role{register.RoleOperator, register.RoleAuditor}, ByNobody},
	{VerbExport, "take the evidence away", []register.Role{register.RoleOperator, register.RoleAuditor}, ByNobody},
	{VerbAsk, "ask for an approval", []register.Role{register.RoleOperator, register.RoleCustodian, register.RoleApprover}, ByNobody},
	{VerbApprove, "approve what another asked for", []register.Role{register.RoleApprover}, ByNobody},
	{VerbAccept, "accept a risk", []register.Role{register.RoleOperator}, ByOne},
	{VerbBegin, "begin with this register and this log", []register.Role{register.RoleOperator, register.RoleCustodian, register.RoleApprover}, ByQuorum},
	{VerbRegister, "change who decides, who is told and what is watched", []register.Role{register.RoleOperator, register.RoleApprover}, ByQuorum},
	{VerbLogKey, "change the key that signs the log", []register.Role{register.RoleOperator}, ByQuorum},
	{VerbLogKeyLost, "go on with a new key, since the old one is lost", []register.Role{register.RoleOperator}, ByQuorum},
	{VerbRestore, "go on from a backup of the log", []register.Role{register.RoleOperator}, ByQuorum},
	{VerbApply, "change the tenant", []register.Role{register.RoleOperator}, ByQuorum},
	{VerbSeal, "seal a credential", []register.Role{register.RoleOperator, register.RoleCustodian}, ByQuorum},
	{VerbOpen, "open a sealed credential", []register.Role{register.RoleOperator, register.RoleCustodian}, ByQuorum},
	{VerbCustody, "write down what is held where, or change how it is written down", []register.Role{register.RoleOperator, register.RoleCustodian}, ByQuorum},
	{VerbMove, "move a part to another place or seal", []register.Role{register.RoleOperator, register.RoleCustodian}, ByQuorum},
	{VerbHandOver, "hand a part over to another person, who signs for it", []register.Role{register.RoleOperator, register.RoleCustodian}, ByQuorum},
	{VerbDrill, "drill", []register.Role{register.RoleOperator, register.RoleCustodian}, ByOne},
}

// RightOf returns the row of a verb, or nil.
func RightOf(v Verb) *Right {
	for i := range Rights {
		if Rights[i].Verb == v {
			return &Rights[i]
		}
	}
	return nil
}

// May reports whether a person has a role that allows a verb.
func May(p *register.Person, v Verb) bool {
	right := RightOf(v)
	return p != nil && right != nil && slices.ContainsFunc(right.May, p.Has)
}

// Needed is how many people must approve under a quorum.
func (r *Right) Needed(q register.Quorum) int {
	switch r.Approvals {
	case ByOne:
		return 1
	case ByQuorum:
		return q.Needed()
	}
	return 0
}
