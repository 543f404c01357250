package register

import "slices"

// Kind is what kind of value a key takes.
type Kind string

// The kinds of values.
const (
	KindText       Kind = "text"          // a number is taken as it is spelled
	KindName       Kind = "name"          // text that somebody else chose, such as a display name
	KindOpaque     Kind = "identifier"    // text that means nothing to people, such as Graph's id of a method
	KindExpression Kind = "expression"    // of lockout.Suppose
	KindID         Kind = "object id"     // a GUID
	KindGUID       Kind = "GUID"          // a GUID that is no object id
	KindCheck      Kind = "check id"      // as halligan check --list has it
	KindDay        Kind = "day"           // 2027-02-01
	KindNumber     Kind = "number"        // whole, in decimal digits
	KindFlag       Kind = "true or false" // nothing else: yes and on are words
	KindSigning    Kind = "SSH public key"
	KindReceiving  Kind = "age recipient or SSH public key"
	KindWord       Kind = "word"            // one of Field.Words
	KindMapping    Kind = "keys of its own" // see Field.Shape
)

// Field is one key of halligan.yaml. The decoder, the hints, docs/config.md and
// docs/halligan.schema.json are all made from it.
type Field struct {
	Key  string
	Kind Kind
	List bool // the value is a list of that kind
	// Empty: an empty list differs from none, and is kept.
	Empty    bool
	Required bool
	// Words are the allowed words of a KindWord.
	Words []string
	// Least and Most bound a KindNumber.
	Least, Most int
	// Shape names the Shape of a KindMapping.
	Shape string
	Doc   string
}

// Shape is one kind of mapping in halligan.yaml: its name in the documents, what
// it stands for, and its keys in the order in which they are written.
type Shape struct {
	Name   string
	Doc    string
	Fields []Field
}

// RootShape is the name of the Shape of the whole document.
const RootShape = "register"

// Shapes returns every kind of mapping in halligan.yaml, the whole document first.
func Shapes() []Shape {
	return slices.Concat(shapesOfTenant(), []Shape{settingsShape()}, shapesOfPeople(), shapesOfCustody(), shapesOfStatements())
}

func shapesOfTenant() []Shape {
	return []Shape{
		{RootShape, "The whole of halligan.yaml.", []Field{
			{Key: "version", Kind: KindNumber, Required: true, Least: Version, Most: Version, Doc: "The form of this file. This program knows version 1."},
			{Key: "tenant", Kind: KindMapping, Shape: "tenant", Doc: "The tenant."},
			{Key: "proxy", Kind: KindText, Doc: "The address of a proxy, such as http://proxy.example:3128. Only this one is used; nothing is taken from the environment."},
			{Key: "ca_bundle", Kind: KindText, Doc: "A file of PEM certificates that are trusted beside those of the system, where a proxy looks into TLS."},
			{Key: "accounts", Kind: KindMapping, List: true, Shape: "account", Doc: "The emergency access accounts. Nothing in Entra marks them (S3); this list does."},
			{Key: "groups", Kind: KindMapping, List: true, Shape: "group", Doc: "The groups through which the accounts are excluded or targeted."},
			{Key: "policies", Kind: KindMapping, List: true, Shape: "policy", Doc: "What is intended for the accounts, policy by policy (S61). A policy that is not named has the treatment of settings.policies."},
			{Key: "suppose", Kind: KindExpression, List: true, Doc: "What may be supposed of every account where it was not read, as for --suppose. A verdict that rests on it says so."},
			{Key: "settings", Kind: KindMapping, Shape: "settings", Doc: "The choices where the sources contradict each other, and the thresholds of checks."},
			{Key: "people", Kind: KindMapping, List: true, Shape: "person", Doc: "The people who hold or decide something, and their managers."},
			{Key: "quorum", Kind: KindMapping, Shape: "quorum", Doc: "How many people there are, and how many of them a decision takes."},
			{Key: "places", Kind: KindMapping, List: true, Shape: "place", Doc: "Where things lie."},
			{Key: "parts", Kind: KindMapping, List: true, Shape: "part", Doc: "Which part of which credential is held by whom, and where (S10, S57)."},
			{Key: "channels", Kind: KindMapping, List: true, Shape: "channel", Doc: "The ways on which alerts reach people (S77)."},
			{Key: "silences", Kind: KindMapping, List: true, Shape: "silence", Doc: "Times in which alerts about one object are not sent."},
			{Key: "writers", Kind: KindMapping, List: true, Shape: "writer", Doc: "The service principals that may hold permissions by which they could lock the accounts out."},
			{Key: "attestations", Kind: KindMapping, List: true, Shape: "attestation", Doc: "What a person states because only a person can know it. Attested is not passed, and it expires."},
			{Key: "accepted", Kind: KindMapping, List: true, Shape: "accepted", Doc: "Risks that somebody accepted (S4)."},
			{Key: "neighbours", Kind: KindMapping, Shape: "neighbours", Doc: "Lists of other tools, kept to be given back unchanged. See halligan export."},
			{Key: "evidence", Kind: KindMapping, Shape: "evidence", Doc: "Where the evidence log is kept, when not in the folder of the tenant among the settings of who runs halligan."},
		}},
		{"tenant", "The tenant.", []Field{
			{Key: "id", Kind: KindID, Doc: "The tenant id."},
			{Key: "name", Kind: KindName, Doc: "The name, for people."},
			{Key: "azureRoot", Kind: KindFlag, Doc: "Whether the accounts are meant to hold rights at the Azure root."},
		}},
		{"evidence", "Where the evidence log is kept. A change of it must be approved like one of people.", []Field{
			{Key: "store", Kind: KindText, Doc: "The path of the store, or a postgres:// address. No password: that belongs into ~/.pgpass."},
			{Key: "witness", Kind: KindText, Doc: "A folder elsewhere that keeps the newest checkpoint, so that a second copy of the store that is used beside it is noticed."},
		}},
		{"account", "One emergency access account.", []Field{
			{Key: "id", Kind: KindID, Required: true, Doc: "The object id. It decides."},
			{Key: "name", Kind: KindName, Doc: "The user principal name, for people."},
			{Key: "pattern", Kind: KindWord, Words: words(PatternFIDO2, PatternCertificate, PatternOATH, PatternSplitPassword, PatternVault, PatternAccountReset),
				Doc: "How the account signs in. fido2 and certificate resist phishing (S6); oath is a password and a hardware token, held apart (S2, S107); splitPassword (S106), vault (S105) and accountReset (S108) rest on a password."},
			{Key: "password", Kind: KindWord, Words: words(PasswordDiscarded, PasswordSplit, PasswordVaulted),
				Doc: "What became of the password, never the password: discarded (S17), split between people (S106), or vaulted whole (S105)."},
			{Key: "keys", Kind: KindMapping, List: true, Shape: "key", Doc: "The security keys and certificates of the account (S32, S34)."},
			{Key: "groups", Kind: KindID, List: true, Doc: "The groups that the account is meant to be in, beside those of groups."},
			{Key: "suppose", Kind: KindExpression, List: true, Doc: "As suppose above, for this account only."},
		}},
		{"key", "One security key or certificate. Give the serial number, never the PIN.", []Field{
			{Key: "id", Kind: KindOpaque, Doc: "Graph's id of the authentication method."},
			{Key: "label", Kind: KindText, Doc: "What is written on it."},
			{Key: "aaguid", Kind: KindGUID, Doc: "The AAGUID of its model."},
			{Key: "model", Kind: KindText, Doc: "The model, for people."},
			{Key: "serial", Kind: KindText, Doc: "The serial number, by which one key on two accounts is noticed."},
		}},
		{"group", "A group that decides about the accounts.", []Field{
			{Key: "id", Kind: KindID, Required: true, Doc: "The object id."},
			{Key: "name", Kind: KindName, Doc: "The display name, for people."},
			{Key: "use", Kind: KindWord, Words: words(GroupExclusion, GroupTAP),
				Doc: "exclusion: policies exclude it, and it is the one that methods policies target; tap: it holds an account only during an enrolment window (S92)."},
		}},
		{"policy", "The intention for one policy, named by id or, for exports without ids, by display name.", []Field{
			{Key: "id", Kind: KindID, Doc: "The id of the policy. Either this or name is needed."},
			{Key: "name", Kind: KindName, Doc: "The display name, exactly."},
			{Key: "treatment", Kind: KindWord, Required: true, Words: words(TreatmentExcluded, TreatmentIncluded, TreatmentIrrelevant),
				Doc: "excluded: every account must be excluded; included: the policy must reach every account, which must satisfy it; irrelevant: nothing is intended."},
			{Key: "reason", Kind: KindText, Doc: "Why."},
		}},
	}
}

func shapesOfPeople() []Shape {
	return []Shape{
		{"person", "A person who holds or decides something, or manages somebody who does.", []Field{
			{Key: "name", Kind: KindName, Required: true, Doc: "The name. Parts, places and approvals refer to it. Case and blanks make no difference."},
			{Key: "id", Kind: KindID, Doc: "The person's own directory object, by which leavers are noticed, and one person under two names is."},
			{Key: "title", Kind: KindText, Doc: "What the person is in the company."},
			{Key: "roles", Kind: KindWord, List: true, Words: words(RoleViewer, RoleOperator, RoleCustodian, RoleApprover, RoleAuditor),
				Doc: "What the person may do: viewer reads; operator asks for changes and makes them; custodian keeps and opens what is sealed; approver approves what others ask for; auditor reads the evidence and takes it away."},
			{Key: "manager", Kind: KindName, Doc: "The name of the manager, who must be one of the people, too: two people in one line of command are not independent."},
			{Key: "signing", Kind: KindSigning, Doc: "The public key with which the person approves: the line of a .pub file, of Ed25519, ECDSA, RSA from 3072 bits on, or a security key. Never the private key."},
			{Key: "passkey", Kind: KindMapping, Shape: "passkey", Doc: "The passkey with which the person approves. Either this or signing."},
			{Key: "receiving", Kind: KindReceiving, Doc: "The public key to which what the person is to receive is encrypted: age1… (also of a plugin, such as age1yubikey1…), or ssh-ed25519 or ssh-rsa."},
			{Key: "trained", Kind: KindDay, Doc: "The day of the last training (S88)."},
			{Key: "aware", Kind: KindDay, Doc: "The day on which the person last confirmed to know the plan (S125)."},
			{Key: "reach", Kind: KindText, List: true, Doc: "Ways to reach the person: two, of which one does not need the tenant."},
		}},
		{"passkey", "The public side of a passkey.", []Field{
			{Key: "rpId", Kind: KindOpaque, Required: true, Doc: "The domain for which the passkey was made."},
			{Key: "origin", Kind: KindOpaque, Required: true, Doc: "The origin of the page on which people approve, such as https://approve.example.com."},
			{Key: "credentialId", Kind: KindOpaque, Required: true, Doc: "The id of the credential, base64url."},
			{Key: "publicKey", Kind: KindOpaque, Required: true, Doc: "The COSE public key, base64url."},
		}},
		{"quorum", "How many people there are, and how many of them a decision takes.", []Field{
			{Key: "people", Kind: KindNumber, Least: 1, Most: 99, Doc: "How many people can take part. With 1, that person decides alone, and all that is done so is marked as one person's."},
			{Key: "approvals", Kind: KindNumber, Least: 1, Most: 9, Doc: "How many people must approve what another asks for; at most one less than people. If it is not given: 1 with two or three people, else 2."},
			{Key: "lines", Kind: KindWord, Words: words(LinesWarn, LinesDistinct), Doc: "Whether people of one line of managers may decide together: warn (also if it is not given) says so in the result, distinct refuses."},
			{Key: "outside", Kind: KindText, Doc: "Who keeps the sealed second part where there is one person: somebody outside, such as a solicitor."},
		}},
		{"silence", "A time in which alerts about one object are not sent.", []Field{
			{Key: "id", Kind: KindID, Required: true, Doc: "The id of an account, group, policy or writer of this register."},
			{Key: "from", Kind: KindDay, Required: true, Doc: "The first day."},
			{Key: "until", Kind: KindDay, Required: true, Doc: "The last day, at most 31 days after from."},
			{Key: "why", Kind: KindText, Required: true, Doc: "Why."},
		}},
	}
}

func shapesOfCustody() []Shape {
	return []Shape{
		{"place", "Where things lie.", []Field{
			{Key: "name", Kind: KindName, Required: true, Doc: "The name. Parts refer to it."},
			{Key: "kind", Kind: KindText, Doc: "safe, vault, cabinet, …"},
			{Key: "site", Kind: KindText, Doc: "The building. Two places of one site are lost together."},
			{Key: "fireproof", Kind: KindFlag, Doc: "Whether it withstands a fire."},
			{Key: "offSite", Kind: KindFlag, Doc: "Whether it is away from the main site."},
			{Key: "access", Kind: KindName, List: true, Doc: "The names of the people who can open it."},
			{Key: "combinationChanged", Kind: KindDay, Doc: "The day on which the combination was last changed. Never the combination."},
			{Key: "put", Kind: KindText, List: true, Doc: "The command that keeps a sealed file here, word by word, without a shell: halligan seal --put runs it with the file in base64 on its input. Never a password."},
			{Key: "get", Kind: KindText, List: true, Doc: "The command that brings the sealed file back, to its output: as it is, or in base64."},
		}},
		{"part", "One part of a credential in custody.", []Field{
			{Key: "name", Kind: KindName, Doc: "How people name it: on the command line, in requests and on paper. Without one it is named after its kind and key. Case and blanks make no difference."},
			{Key: "account", Kind: KindID, Doc: "The id of the account. Needed for every kind but binder and combination."},
			{Key: "kind", Kind: KindWord, Required: true, Words: words(PartKey, PartPIN, PartPassword, PartPasswordHalf, PartShare, PartToken, PartCertificate, PartTAP, PartCombination, PartBinder), Doc: "What it is."},
			{Key: "key", Kind: KindOpaque, Doc: "The label, serial or id of the key that it is or belongs to."},
			{Key: "opens", Kind: KindName, Doc: "Of a combination: the name of the place that it opens. Never the combination."},
			{Key: "needed", Kind: KindNumber, Least: 2, Most: 255, Doc: "Of a share: how many of them open the account. Of a half, or another part of a password: of how many different parts it is; copies of a part do not count. Say it of each."},
			{Key: "set", Kind: KindOpaque, Doc: "Of a share, a half or a sealed password: the id of the sealed set to which it belongs."},
			{Key: "holder", Kind: KindName, Doc: "The name of the person who holds it."},
			{Key: "place", Kind: KindName, Doc: "The name of the place."},
			{Key: "seal", Kind: KindText, Doc: "The number of the seal."},
			{Key: "since", Kind: KindDay, Doc: "Since when."},
		}},
		{"channel", "One way on which alerts reach people.", []Field{
			{Key: "name", Kind: KindName, Required: true, Doc: "The name."},
			{Key: "kind", Kind: KindText, Required: true, Doc: "email, sms, voice, webhook, teams, slack, pager, …"},
			{Key: "inTenant", Kind: KindFlag, Doc: "Whether it is down when the tenant is."},
			{Key: "recipients", Kind: KindText, List: true, Doc: "Who or what receives. Not the address of a webhook, which is a secret: its name. Where address: is a relay, addresses of mail."},
			{Key: "address", Kind: KindOpaque, Doc: "Where Halligan itself can tell it something, such as that a sealed file was opened: of kind email a relay that takes mail without signing in, smtp://relay.example.com:25 (TLS is demanded, but of this machine) or smtps://relay.example.com; of kind webhook, slack, mattermost or teams an https:// address (http:// of this machine alone, such as http://localhost:8080). With more than one short word behind the host, or with a query, it is refused: it lets whoever knows it write there, and belongs into addressFile. It goes into sealed files."},
			{Key: "addressFile", Kind: KindOpaque, Doc: "In place of address: the path of a file that holds it, mode 0600, on the machine on which secrets are sealed. For webhooks: whoever knows such an address can write there, and the register holds no secrets."},
			{Key: "sender", Kind: KindOpaque, Doc: "From whom mail comes. If it is not given: halligan at the domain of the first recipient."},
		}},
		{"writer", "An approved service principal.", []Field{
			{Key: "id", Kind: KindID, Required: true, Doc: "The object id of the service principal, or its app id."},
			{Key: "name", Kind: KindName, Doc: "The display name, for people."},
			{Key: "reason", Kind: KindText, Required: true, Doc: "Why it may."},
		}},
	}
}

func shapesOfStatements() []Shape {
	return []Shape{
		{"attestation", "What a person states. See halligan attest.", []Field{
			{Key: "check", Kind: KindCheck, Required: true, Doc: "The check that it answers."},
			{Key: "account", Kind: KindID, Doc: "The account that it is about; none: the tenant."},
			{Key: "by", Kind: KindName, Required: true, Doc: "Who states it."},
			{Key: "on", Kind: KindDay, Required: true, Doc: "The day of the statement."},
			{Key: "until", Kind: KindDay, Required: true, Doc: "The last day on which it holds, at most settings.attestationDaysMost after on."},
			{Key: "note", Kind: KindText, Required: true, Doc: "What was seen, and where."},
		}},
		{"accepted", "A risk that somebody accepted.", []Field{
			{Key: "check", Kind: KindCheck, Required: true, Doc: "The check whose failure is accepted."},
			{Key: "account", Kind: KindID, Doc: "The account that it is about; none: the tenant."},
			{Key: "reason", Kind: KindText, Required: true, Doc: "Why."},
			{Key: "owner", Kind: KindName, Required: true, Doc: "Who owns the risk."},
			{Key: "approver", Kind: KindName, Required: true, Doc: "Who approved it: another person. Case and blanks make no difference."},
			{Key: "on", Kind: KindDay, Required: true, Doc: "The day of the approval."},
			{Key: "until", Kind: KindDay, Required: true, Doc: "The last day on which it is accepted, at most settings.acceptedDaysMost after on."},
			{Key: "compensating", Kind: KindCheck, List: true, Required: true, Doc: "The checks that must pass meanwhile."},
		}},
		{"neighbours", "Lists by which other tools know the accounts.", []Field{
			{Key: "maester", Kind: KindMapping, List: true, Shape: "maesterAccount", Doc: "EmergencyAccessAccounts of Maester and ZeroTrustAssessment."},
			{Key: "scubagear", Kind: KindMapping, List: true, Shape: "scubaExclusion", Doc: "Exclusions of ScubaGear."},
		}},
		{"maesterAccount", "One entry of EmergencyAccessAccounts.", []Field{
			{Key: "type", Kind: KindOpaque, Required: true, Doc: "User or Group."},
			{Key: "id", Kind: KindOpaque, Doc: "The object id."},
			{Key: "userPrincipalName", Kind: KindName, Doc: "The name, where the list has no id."},
		}},
		{"scubaExclusion", "What one SCuBA policy excludes.", []Field{
			{Key: "policy", Kind: KindOpaque, Required: true, Doc: "The policy, MS.AAD.1.1v1."},
			{Key: "kind", Kind: KindWord, Required: true, Words: []string{capExclusions, roleExclusions}, Doc: "The list of the policy."},
			{Key: "users", Kind: KindOpaque, List: true, Empty: true, Doc: "The users, as they came in."},
			{Key: "groups", Kind: KindOpaque, List: true, Empty: true, Doc: "The groups, as they came in."},
		}},
	}
}

func settingsShape() Shape {
	shape := Shape{Name: "settings", Doc: "The choices of the tenant. A setting that is not given has its default."}
	for _, s := range SettingsTable() {
		shape.Fields = append(shape.Fields, Field{Key: s.Key, Kind: s.Kind, Words: s.Words, Least: s.Least, Most: s.Most, Doc: s.Doc})
	}
	return shape
}

func words[T ~string](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// shapes is Shapes by name.
func shapes() map[string]*Shape {
	out := map[string]*Shape{}
	for _, s := range Shapes() {
		out[s.Name] = &s
	}
	return out
}

func (s *Shape) field(key string) *Field {
	for i := range s.Fields {
		if s.Fields[i].Key == key {
			return &s.Fields[i]
		}
	}
	return nil
}

func (s *Shape) keys() []string {
	out := make([]string, len(s.Fields))
	for i := range s.Fields {
		out[i] = s.Fields[i].Key
	}
	return out
}
