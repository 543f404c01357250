// Package plan holds changes to a tenant as values, before anything is changed.
//
// A [Change] says one thing that a person or a tool wants to do: create, update
// or delete a policy, named location or authentication strength; or, as a
// question, "as if" a report-only policy were enabled, an exclusion removed, a
// key model withdrawn, a group deleted. [Change.On] carries it out on a
// Snapshot in memory and returns a new Snapshot; the one it was given stays as
// it was. So a change can be proved before it is made.
//
// Changes come from expressions ([ParseAsIf]), from drafts in Graph's JSON
// ([FromDraft]), from a second export of the tenant ([FromSnapshot]) and from
// the JSON of a Terraform plan ([FromTerraform]); [Read] tells these apart.
// [Diff] says what differs between two Snapshots.
//
// A change edits the raw JSON of an object and has package entra decode it
// again, so that the typed form and the JSON never disagree.
//
// An update is a PATCH as Graph understands it: what is not mentioned stays.
// That is documented for the members of a policy and of its conditions. Further
// down (in conditions.users, grantControls and so on) it is not, and a wrong
// guess could keep an exclusion that is gone. What the tenant has there and the
// update does not mention becomes an object with the one key
// "keptUnlessReplaced", which no decoder knows: a prover must read it against
// the account.
//
// What a Terraform plan knows only after apply becomes an object with the one
// key "knownAfterApply" for the same reason, and is listed as an [Unknown].
// Nothing that is unknown ever becomes empty.
package plan
