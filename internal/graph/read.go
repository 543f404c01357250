package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"halligan/entra"
	"halligan/posture"
)

// Scope says what of a tenant to read.
type Scope struct {
	// Accounts are the emergency accounts: object ids or user principal names.
	Accounts []string
	// Discover: nobody said which accounts are meant, so a few that look like one
	// are read too.
	Discover bool
	// Names are the user principal names under which the register has the
	// accounts: somebody else may have one now.
	Names []entra.ID
	// Groups and People are those that the register names: exclusion groups,
	// holders.
	Groups, People []entra.ID
	// Azure: read Azure Resource Manager too.
	Azure bool
	// Logs is how far back the logs are read; 0 is thirty days.
	Logs time.Duration
}

const (
	atOnce      = 64  // requests under way together: more than a round of a reading has, or it would take two round trips
	batchParts  = 20  // requests in one $batch
	perFilter   = 15  // ids in one "in" filter (graph-docs "$filter": in)
	discovered  = 6   // accounts that are read unasked
	manyGroups  = 100 // groups whose members are read
	manyPeople  = 300 // people who are read for the roles they hold
	defaultLogs = 30 * 24 * time.Hour
)

// Read reads what the proof and the checks ask for, in at most three dependent
// round trips: the tenant and the accounts; what they name (groups, units,
// holders of roles, logs); what those name. What fails is denied or cut short in
// the Snapshot, and the rest goes on.
//
// The error is for a tenant of which nothing can be said: nobody is signed in,
// the answers are of another tenant than asked for, nothing could be read.
//
// The number of requests does not grow with the number of users.
func (c *Client) Read(ctx context.Context, scope Scope) (*entra.Snapshot, error) {
	r := &reading{client: c, scope: scope, ids: map[string]entra.ID{}, asked: map[string]bool{}}
	r.scope.Logs = cmp.Or(scope.Logs, defaultLogs)
	for _, round := range []func() []ask{r.first, r.second, r.third} {
		if r.begun.IsZero() {
			r.begun = c.config.Now()
		}
		r.put(ctx, round())
		if err := r.worthless(); err != nil {
			return nil, err
		}
	}
	if r.client.has(DefenceChange) && r.changed() {
		r.policiesAgain(ctx)
	}
	r.doubtLicences()
	if r.suspiciouslyEmpty() {
		r.emptyAgain(ctx)
	}
	return r.snapshot(), nil
}

// reading is one reading under way. The rounds look at the answers so far and
// say what to ask next; put is where requests are made.
type reading struct {
	client *Client
	scope  Scope
	begun  time.Time

	mu       sync.Mutex
	answers  []entra.Answer
	failures []error

	ids     map[string]entra.ID // of the accounts, by the key they were asked for
	asked   map[string]bool     // what was asked about, by question and id
	changes int                 // of policies since we began

	// What the next round has to ask about.
	authorities   []string // certificate authority configurations
	subscriptions []string
	workspaces    []string // whole resource ids
}

// ask is one question about one subject, or about several by a filter.
type ask struct {
	question
	key     string // goes into the path
	subject entra.ID
	filter  map[string]string // goes into the query
	// deal makes the answers of one that tells about several subjects.
	deal func(entra.Answer) []entra.Answer
}

func (a *ask) request() Request {
	path := a.path
	switch {
	case strings.HasPrefix(path, "{id}"): // a whole resource id of Azure
		path = a.key + strings.TrimPrefix(path, "{id}")
	case a.key != "":
		path = strings.ReplaceAll(path, "{id}", url.PathEscape(a.key))
	}
	query := url.Values{}
	for pair := range strings.SplitSeq(a.query, "&") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			for word, with := range a.filter {
				value = strings.ReplaceAll(value, "{"+word+"}", with)
			}
			query.Set(name, value)
		}
	}
	return Request{Operation: "read " + cmp.Or(a.what, a.part.Info().What), Method: http.MethodGet, Version: a.version, Path: path, Query: query, Family: a.quota(),
		Permission: cmp.Or(a.permission, a.part.Info().Permission), Pages: a.pages, Paged: !a.single, Eventual: a.counted}
}

func (a *ask) quota() Family {
	switch {
	case a.family != "":
		return a.family
	case a.version == ARM:
		return FamilyResourceManager
	}
	return FamilyDirectory
}

// put asks all questions together and waits for the answers. Questions about
// single accounts, groups and units travel in batches.
func (r *reading) put(ctx context.Context, asks []ask) {
	batches := map[Version][]ask{}
	var wait sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for _, a := range asks {
		if a.key != "" && a.quota() == FamilyDirectory {
			batches[a.version] = append(batches[a.version], a)
			continue
		}
		wait.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			items, err := r.one(ctx, &a)
			r.take(&a, items, err)
		})
	}
	for _, list := range batches {
		for part := range slices.Chunk(list, batchParts) {
			wait.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				r.several(ctx, part)
			})
		}
	}
	wait.Wait()
}

// one asks one question by a request of its own.
func (r *reading) one(ctx context.Context, a *ask) ([]json.RawMessage, error) {
	if !a.single {
		list, err := r.client.List(ctx, a.request())
		if err == nil && len(list.Items) == 0 && r.client.hasSome(a) && r.client.has(DefenceSome) {
			err = &Error{Operation: a.request().Operation, Kind: KindMalformed, Permission: a.request().Permission,
				Message: "an empty list, and no tenant has none of these", cause: ErrNoValue}
		}
		return list.Items, err
	}
	answer, err := r.client.Do(ctx, a.request())
	if err == nil {
		err = r.client.checkObject(a, answer.Body)
	}
	if err != nil {
		return nil, err
	}
	return []json.RawMessage{plain(answer.Body)}, nil
}

// plain takes out of an object where it was read: the same object read by another
// way is the same.
func plain(body json.RawMessage) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return body // whoever assembles it says that it is no object
	}
	delete(object, "@odata.context")
	out, err := json.Marshal(object)
	if err != nil {
		return body
	}
	return out
}

// hasSome reports whether a tenant cannot be without what a question is about.
func (c *Client) hasSome(a *ask) bool {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	return a.some || a.granted && c.gate.last.IsApplication() && len(c.gate.last.Application) > 0
}

// several asks questions in one batch.
func (r *reading) several(ctx context.Context, asks []ask) {
	requests := make([]Request, len(asks))
	for i := range asks {
		requests[i] = asks[i].request()
	}
	for i, result := range r.client.Batch(ctx, requests) {
		var items []json.RawMessage
		switch {
		case result.List != nil:
			items = result.List.Items
		case result.Answer != nil:
			items = []json.RawMessage{plain(result.Answer.Body)}
			result.Err = r.client.checkObject(&asks[i], result.Answer.Body)
		}
		r.take(&asks[i], items, result.Err)
	}
}

// take files an answer.
func (r *reading) take(a *ask, items []json.RawMessage, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failures = append(r.failures, err)
	}
	if a.beside && err != nil || a.licensed && KindOf(err) == KindNotLicensed {
		return // what it would have added stays unknown, or is not there
	}
	if !r.client.has(DefenceUnknown) {
		err = nil
	}
	answer := entra.Answer{Part: a.part, Subject: a.subject, Relation: a.relation, Items: items, State: StateOf(err), Where: string(a.version) + a.path}
	if a.part == entra.PartUsers && a.subject != "" && notThere(err) {
		answer.State = entra.PartState{Status: entra.StatusRead} // read, and there is no such user
	}
	if a.deal != nil {
		r.answers = append(r.answers, a.deal(answer)...)
		return
	}
	r.answers = append(r.answers, answer)
}

// notThere reports whether Graph itself says that an object does not exist: a page
// of a proxy with the same number does not (graph-docs errors).
func notThere(err error) bool {
	e, is := errors.AsType[*Error](err)
	return is && e.Kind == KindNotFound && (strings.EqualFold(e.Code, "Request_ResourceNotFound") || strings.EqualFold(e.Code, "ResourceNotFound"))
}

// StateOf says what an error leaves of a part of a Snapshot.
func StateOf(err error) entra.PartState {
	if err == nil {
		return entra.PartState{Status: entra.StatusRead}
	}
	status := entra.StatusCutShort
	switch KindOf(err) {
	case KindDenied, KindNotSignedIn:
		status = entra.StatusDenied
	case KindNotLicensed:
		// Nobody can read it here, whatever is granted: it is as unknown as what was
		// not asked for, and makes the reading no less complete.
		status = entra.StatusNotAsked
	}
	return entra.PartState{Status: status, Detail: clean(err.Error(), maxMessage)}
}

// worthless returns the error after which nothing can be said about the tenant.
func (r *reading) worthless() error {
	for _, o := range r.of(entra.PartOrganization) {
		if err := r.client.CheckTenant(string(o.ID())); err != nil {
			return err // answers of another tenant: nothing of them counts (fault 14)
		}
	}
	if len(r.failures) == 0 || slices.ContainsFunc(r.answers, func(a entra.Answer) bool { return a.State.Status == entra.StatusRead }) {
		return nil
	}
	return nothingRead(r.failures)
}

// nothingRead is the error of a tenant of which nothing could be read: what was
// refused for security first, else what happened most often.
func nothingRead(failures []error) error {
	count := map[Kind]int{}
	for _, err := range failures {
		count[KindOf(err)]++
	}
	worst := slices.MinFunc(failures, func(a, b error) int {
		return cmp.Or(boolRank(KindOf(b) == KindRefused)-boolRank(KindOf(a) == KindRefused), count[KindOf(b)]-count[KindOf(a)], strings.Compare(a.Error(), b.Error()))
	})
	e, is := worst.(*Error)
	if !is {
		return worst
	}
	all := *e
	all.Operation, all.Permission = fmt.Sprintf("read the tenant: none of %d requests brought an answer; %s", len(failures), e.Operation), ""
	return &all
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// checkObject compares an object with the id that it was asked for by.
func (c *Client) checkObject(a *ask, body json.RawMessage) error {
	id := idOf(body)
	if !c.has(DefenceIdentity) || !strings.HasSuffix(a.path, "/{id}") || !guid.MatchString(a.key) || strings.EqualFold(id, a.key) {
		return nil
	}
	return &SecurityError{Operation: a.request().Operation, Why: fmt.Sprintf("%s was asked for, and the answer is about %s", a.key, clean(id, 40))}
}

// of returns the objects of a part that were read so far.
func (r *reading) of(p entra.Part) []entra.Fields {
	var out []entra.Fields
	for _, a := range r.answers {
		if a.Part == p {
			for _, raw := range a.Items {
				out = append(out, entra.ParseFields(raw))
			}
		}
	}
	return out
}

// naming are the parts that say what to ask next.
var naming = []entra.Part{entra.PartPolicies, entra.PartDomains, entra.PartRoleAssignments, entra.PartRoleEligibility, entra.PartAdministrativeUnits, entra.PartUsers, entra.PartGroups, entra.PartAccounts}

// named is what was read so far of the parts that say what to ask next: between
// two rounds nobody waits for the rest to be understood.
func (r *reading) named() *entra.Snapshot {
	if r.scope.Discover {
		return r.snapshot() // what is proposed may come from any part
	}
	return r.assemble(slices.DeleteFunc(slices.Clone(r.answers), func(a entra.Answer) bool { return !slices.Contains(naming, a.Part) }))
}

// snapshot is what was read so far.
func (r *reading) snapshot() *entra.Snapshot { return r.assemble(r.answers) }

func (r *reading) assemble(answers []entra.Answer) *entra.Snapshot {
	var tenant entra.ID
	for _, o := range r.of(entra.PartOrganization) {
		tenant = o.ID()
	}
	cloud := r.client.config.Cloud.Name
	if cloud == customName {
		cloud = "public" // the sandbox plays the public cloud
	}
	return entra.Assemble(tenant, cloud, r.begun.UTC().Truncate(time.Second), answers)
}

// changed reports whether a policy was changed while we read: the audit log says
// so, or an object that is younger than the reading.
func (r *reading) changed() bool {
	if r.changes > 0 {
		return true
	}
	for _, p := range []entra.Part{entra.PartPolicies, entra.PartLocations, entra.PartStrengths} {
		for _, o := range r.of(p) {
			if at, ok := o.Time("modifiedDateTime"); ok && at.After(r.begun) {
				return true
			}
		}
	}
	return false
}

// doubtLicences: a tenant without any licence has neither policies in force nor
// PIM. Where it has, the empty list of licences is not believed: much would else
// not apply.
func (r *reading) doubtLicences() {
	if len(r.of(entra.PartLicences)) > 0 {
		return
	}
	premium := len(r.of(entra.PartRolePolicies)) > 0 || slices.ContainsFunc(r.of(entra.PartPolicies), func(f entra.Fields) bool { return f.Str("state") == string(entra.StateEnabled) })
	for i := range r.answers {
		if a := &r.answers[i]; premium && a.Part == entra.PartLicences && a.State.Status == entra.StatusRead {
			a.State = entra.PartState{Status: entra.StatusCutShort, Detail: "no licence is listed, and the tenant has what only a licence gives"}
		}
	}
}

// suspiciouslyEmpty reports whether a tenant that pays for Conditional Access and
// has security defaults off is said to have no policy at all. That can be; an
// answer that lost its policies looks the same, and would prove anything.
func (r *reading) suspiciouslyEmpty() bool {
	for _, a := range r.answers {
		if a.Part == entra.PartPolicies && (a.State.Status != entra.StatusRead || len(a.Items) > 0) {
			return false // at no cost for all others
		}
	}
	s := r.snapshot()
	v := s.View()
	return v.SecurityDefaults != nil && !*v.SecurityDefaults && s.Status(entra.PartLicences).Status == entra.StatusRead && !posture.Lacks(s, posture.LicenceP1)
}

// emptyAgain asks once more, and leaves what stays empty open.
func (r *reading) emptyAgain(ctx context.Context) {
	r.answers = slices.DeleteFunc(r.answers, func(a entra.Answer) bool { return a.Part == entra.PartPolicies })
	for _, q := range tenantQuestions {
		if q.part == entra.PartPolicies {
			r.put(ctx, []ask{{question: q}})
		}
	}
	for i := range r.answers {
		if a := &r.answers[i]; a.Part == entra.PartPolicies && a.State.Status == entra.StatusRead && len(a.Items) == 0 {
			a.State = entra.PartState{Status: entra.StatusCutShort, Detail: "there is no policy, twice, in a tenant that is licensed for Conditional Access and has security defaults off: look in the Entra admin center whether that is so"}
		}
	}
}

// policiesAgain reads the policies and locations once more. When they are not
// those that were read before, nobody knows which of them go with the rest.
func (r *reading) policiesAgain(ctx context.Context) {
	before := map[entra.Part]string{}
	volatile := func(a entra.Answer) bool { return a.Part == entra.PartPolicies || a.Part == entra.PartLocations }
	for _, a := range r.answers {
		if volatile(a) {
			before[a.Part] = fingerprint(a.Items)
		}
	}
	r.answers = slices.DeleteFunc(r.answers, volatile)
	var asks []ask
	for _, q := range tenantQuestions {
		if q.part == entra.PartPolicies || q.part == entra.PartLocations {
			asks = append(asks, ask{question: q})
		}
	}
	r.put(ctx, asks)
	for i := range r.answers {
		a := &r.answers[i]
		if volatile(*a) && a.State.Status == entra.StatusRead && fingerprint(a.Items) != before[a.Part] {
			a.State = entra.PartState{Status: entra.StatusCutShort, Detail: "changed while the tenant was read; read it again"}
		}
	}
}

// fingerprint tells two readings of a list apart, whatever their order.
func fingerprint(items []json.RawMessage) string {
	var lines []string
	for _, raw := range items {
		text, err := entra.Canonical(raw)
		if err != nil {
			text = raw
		}
		lines = append(lines, string(text))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
