package register

import "halligan/entra"

// Version is the form of halligan.yaml that this package reads and writes.
const Version = 1

// Register is the whole of halligan.yaml.
type Register struct {
	Version int    `yaml:"version"`
	Tenant  Tenant `yaml:"tenant,omitempty"`
	// Proxy and CABundle are how the tenant is reached from here.
	Proxy    string    `yaml:"proxy,omitempty"`
	CABundle string    `yaml:"ca_bundle,omitempty"`
	Accounts []Account `yaml:"accounts,omitempty"`
	// Groups are the objects through which the accounts are excluded or targeted.
	Groups []Group `yaml:"groups,omitempty"`
	// Policies say what is intended for the accounts, policy by policy (S61). A
	// policy that is not named has the treatment of Settings.Policies.
	Policies []Policy `yaml:"policies,omitempty"`
	// Suppose are expressions of lockout.Suppose that hold for every account.
	Suppose  []string `yaml:"suppose,omitempty"`
	Settings Settings `yaml:"settings,omitempty"`
	// People are all who hold or decide something, and their managers.
	People   []Person  `yaml:"people,omitempty"`
	Quorum   Quorum    `yaml:"quorum,omitempty"`
	Places   []Place   `yaml:"places,omitempty"`
	Parts    []Part    `yaml:"parts,omitempty"`
	Channels []Channel `yaml:"channels,omitempty"`
	// Silences are times in which alerts are not sent.
	Silences []Silence `yaml:"silences,omitempty"`
	// Writers are the service principals that may hold permissions by which they
	// could lock the accounts out, each with a reason.
	Writers      []Writer      `yaml:"writers,omitempty"`
	Attestations []Attestation `yaml:"attestations,omitempty"`
	Accepted     []Accepted    `yaml:"accepted,omitempty"`
	// Neighbours are lists of other tools, kept to be given back to them.
	Neighbours Neighbours `yaml:"neighbours,omitempty"`
	// Evidence is where the evidence is kept, when not where it is by itself.
	Evidence Evidence `yaml:"evidence,omitempty"`
}

// Evidence says where the evidence log is kept. It belongs to what must be approved:
// whoever points to another log finds nothing approved in it, but a witness that is
// taken away shows no forks.
type Evidence struct {
	Store   string `yaml:"store,omitempty"`   // path of a file, or a postgres:// address without a password
	Witness string `yaml:"witness,omitempty"` // folder elsewhere
}

// Tenant names the tenant.
type Tenant struct {
	ID   entra.ID `yaml:"id,omitempty"`
	Name string   `yaml:"name,omitempty"`
	// Profile is an answer to "what is deliberately so": azureRoot says whether
	// the accounts are meant to hold rights at the Azure root.
	AzureRoot bool `yaml:"azureRoot,omitempty"`
}

// Pattern is the way in which an account signs in.
type Pattern string

// The patterns. PatternFIDO2 and PatternCertificate are phishing-resistant; the
// others are of lower assurance, and the checks say so.
const (
	PatternUnknown       Pattern = ""
	PatternFIDO2         Pattern = "fido2"         // S6, S55
	PatternCertificate   Pattern = "certificate"   // S6
	PatternOATH          Pattern = "oath"          // S2, S107: password and hardware token, held apart
	PatternSplitPassword Pattern = "splitPassword" // S106
	PatternVault         Pattern = "vault"         // S105
	PatternAccountReset  Pattern = "accountReset"  // S108: not two-person
)

// Password is what became of an account's password.
type Password string

// What may become of a password.
const (
	PasswordUnknown   Password = ""
	PasswordDiscarded Password = "discarded" // S17: set and forgotten
	PasswordSplit     Password = "split"     // S106
	PasswordVaulted   Password = "vaulted"   // S105: whole, sealed or in a vault
)

// Account is one emergency account.
type Account struct {
	ID entra.ID `yaml:"id"`
	// Name is the user principal name, for people; the id decides.
	Name     string   `yaml:"name,omitempty"`
	Pattern  Pattern  `yaml:"pattern,omitempty"`
	Password Password `yaml:"password,omitempty"`
	Keys     []Key    `yaml:"keys,omitempty"`
	// Groups are the ids of groups the account is meant to be in, beside those of
	// Register.Groups.
	Groups []entra.ID `yaml:"groups,omitempty"`
	// Suppose are expressions that hold for this account only.
	Suppose []string `yaml:"suppose,omitempty"`
}

// Key is one security key or certificate of the inventory (S32, S34).
type Key struct {
	// ID is Graph's id of the method.
	ID     string `yaml:"id,omitempty"`
	Label  string `yaml:"label,omitempty"`
	AAGUID string `yaml:"aaguid,omitempty"`
	Model  string `yaml:"model,omitempty"`
	Serial string `yaml:"serial,omitempty"`
}

// GroupUse is what a group is for.
type GroupUse string

// The uses of a group.
const (
	GroupExclusion GroupUse = "exclusion" // excluded by policies; also the one that methods policies target
	GroupTAP       GroupUse = "tap"       // holds an account only during an enrolment window (S92)
)

// Group is a group that decides about the accounts.
type Group struct {
	ID   entra.ID `yaml:"id"`
	Name string   `yaml:"name,omitempty"`
	Use  GroupUse `yaml:"use,omitempty"`
}

// Treatment is what is intended for the emergency accounts in a policy.
type Treatment string

// The treatments.
const (
	TreatmentUnknown    Treatment = ""
	TreatmentExcluded   Treatment = "excluded"   // every account must be excluded
	TreatmentIncluded   Treatment = "included"   // the policy must reach every account, which must satisfy it
	TreatmentIrrelevant Treatment = "irrelevant" // nothing is intended
)

// Policy is the intention for one policy.
type Policy struct {
	// ID is the object id; exports without ids may be named by display name.
	ID        entra.ID  `yaml:"id,omitempty"`
	Name      string    `yaml:"name,omitempty"`
	Treatment Treatment `yaml:"treatment"`
	Reason    string    `yaml:"reason,omitempty"`
}

// Place is where things lie.
type Place struct {
	Name      string   `yaml:"name"`
	Kind      string   `yaml:"kind,omitempty"` // safe, vault, cabinet, …
	Site      string   `yaml:"site,omitempty"`
	Fireproof bool     `yaml:"fireproof,omitempty"`
	OffSite   bool     `yaml:"offSite,omitempty"`
	Access    []string `yaml:"access,omitempty"` // names of people
	// CombinationChanged is the last day on which the combination was changed.
	CombinationChanged Day `yaml:"combinationChanged,omitempty"`
	// Put and Get are commands, as words and without a shell, that keep a sealed file
	// at a place outside and bring it back, such as a key vault.
	Put []string `yaml:"put,omitempty"`
	Get []string `yaml:"get,omitempty"`
}

// PartKind is the kind of one part of a credential.
type PartKind string

// The kinds of parts.
const (
	PartKey          PartKind = "key"
	PartPIN          PartKind = "pin"
	PartPassword     PartKind = "password"
	PartPasswordHalf PartKind = "passwordHalf"
	PartShare        PartKind = "share"
	PartToken        PartKind = "token" // OATH token
	PartCertificate  PartKind = "certificate"
	PartTAP          PartKind = "tap"
	PartCombination  PartKind = "combination" // of a place
	PartBinder       PartKind = "binder"
)

// Owned reports whether a part of this kind belongs to one account. A binder and
// the combination of a place belong to none.
func (k PartKind) Owned() bool { return k != PartBinder && k != PartCombination }

// Part is one part of a credential in custody (S10, S57).
type Part struct {
	// Name is how people name the part; see Register.PartNames for one without.
	Name    string   `yaml:"name,omitempty"`
	Account entra.ID `yaml:"account,omitempty"` // none for a binder or a combination
	Kind    PartKind `yaml:"kind"`
	// Key is the label or id of the key that the part is or belongs to.
	Key string `yaml:"key,omitempty"`
	// Opens is the name of the Place that a combination opens.
	Opens string `yaml:"opens,omitempty"`
	// Needed is how many shares open the account, or of how many different parts a
	// password is, each of which may be there in copies; 0: not said.
	Needed int `yaml:"needed,omitempty"`
	// Set is the id of the sealed set to which a share, a half or a sealed
	// password belongs.
	Set    string `yaml:"set,omitempty"`
	Holder string `yaml:"holder,omitempty"` // name of a Person
	Place  string `yaml:"place,omitempty"`  // name of a Place
	Seal   string `yaml:"seal,omitempty"`
	Since  Day    `yaml:"since,omitempty"`
}

// Channel is one way on which alerts reach people (S77).
type Channel struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind"` // email, sms, voice, webhook, teams, slack, pager, …
	// InTenant: the channel is down when the tenant is.
	InTenant   bool     `yaml:"inTenant,omitempty"`
	Recipients []string `yaml:"recipients,omitempty"`
	// Address is where Halligan itself can write to it, of a kind of ChannelKinds: a
	// relay for mail, or a webhook. Where whoever knows the address could write
	// there, it stands in a file of its own, whose path is AddressFile.
	Address     string `yaml:"address,omitempty"`
	AddressFile string `yaml:"addressFile,omitempty"`
	// Sender is from whom mail comes; "": halligan at the domain of the first recipient.
	Sender string `yaml:"sender,omitempty"`
}

// Writer is an approved service principal.
type Writer struct {
	ID     entra.ID `yaml:"id"` // object id of the service principal, or its app id
	Name   string   `yaml:"name,omitempty"`
	Reason string   `yaml:"reason"`
}

// Attestation is what a person states because only a person can know it. It is
// not a pass, and it expires.
type Attestation struct {
	Check string `yaml:"check"`
	// Account restricts the attestation to one account; none: the tenant.
	Account entra.ID `yaml:"account,omitempty"`
	By      string   `yaml:"by"`
	On      Day      `yaml:"on"`
	Until   Day      `yaml:"until"`
	Note    string   `yaml:"note"`
}

// Accepted is a risk that somebody accepted (S4): it has an owner, an approver
// who is another person, a beginning and an end, and checks that must pass
// meanwhile.
type Accepted struct {
	Check        string   `yaml:"check"`
	Account      entra.ID `yaml:"account,omitempty"`
	Reason       string   `yaml:"reason"`
	Owner        string   `yaml:"owner"`
	Approver     string   `yaml:"approver"`
	On           Day      `yaml:"on"`
	Until        Day      `yaml:"until"`
	Compensating []string `yaml:"compensating"`
}

// Day is a day as 2027-02-01; "" none. Days compare as strings.
type Day string

// Account returns the account with an id, or nil.
func (r *Register) Account(id entra.ID) *Account {
	if r == nil {
		return nil
	}
	for i := range r.Accounts {
		if r.Accounts[i].ID.Equal(id) {
			return &r.Accounts[i]
		}
	}
	return nil
}

// Or returns the register, or an empty one for nil.
func (r *Register) Or() *Register {
	if r == nil {
		return &Register{}
	}
	return r
}
