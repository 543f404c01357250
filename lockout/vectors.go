package lockout

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

// VectorSchema names the form of a file of worked examples. The form is
// described by the "conventions" in the file itself.
const VectorSchema = "ca-vectors/1"

// VectorFile is a file of worked examples: a small tenant, a question, and the
// answer that was worked out by hand. Make one with ReadVectors.
type VectorFile struct {
	// Goals are those that the file names itself; they override ours.
	Goals   map[string]Goal
	Vectors []Vector
}

// Vector is one worked example.
type Vector struct {
	ID, Title string
	Tags      []string
	// Kind of question: "prove", "margin" or "independence".
	Kind string
	// Goal that is asked for.
	Goal Goal
	// Ask are the accounts that are asked about; only an independence question
	// has more than one.
	Ask    []entra.ID
	Expect Expectation

	tenant   vectorTenant
	accounts []vectorAccount
	envelope map[Dimension]Quantifier
}

// Expectation is the worked answer of a Vector.
type Expectation struct {
	Verdict  Outcome // "" when the question is not for a verdict
	Blockers []Blocker
	// DenyPoint and AllowPoint are complete for every dimension but those whose
	// first class may be anything; nil when the vector has none.
	DenyPoint, AllowPoint map[Dimension]string
	Margin                *int
	MinimalEventSets      [][]Event
	// SinglePoints is nil when the vector does not say; empty for none.
	SinglePoints []Event
	// Reason, Status and Cite are for people.
	Reason, Status, Cite string
}

// Blocker is a cause that the counterexample must name.
type Blocker struct {
	Source  string
	Control string
}

func (b Blocker) String() string { return b.Source + ":" + b.Control }

type vectorTenant struct {
	cloud            string
	mandatoryOff     []string // phases that are postponed
	securityDefaults bool
	lowPriv          *bool // nil unknown or customized
	policies         []json.RawMessage
	locations        []json.RawMessage
	strengths        []json.RawMessage
	methods          json.RawMessage // nil: left out
	groups           map[string][]string
	groupIDs         []string
	protected        map[string]string
	applications     []entra.ServicePrincipal
	agreements       []entra.Agreement
	approval         map[string]bool
	legacy           []entra.MethodType
	campaign         *entra.RegistrationCampaign
	plans            []entra.ServicePlan
}

type vectorAccount struct {
	id, userType, perUserMFA string
	enabled                  bool
	roles                    []entra.RoleAssignment
	credentials              []entra.AuthMethod
	holdings                 map[string]Holding
}

// ReadVectors reads a file of worked examples. It is strict: a key or word that
// the schema does not have is an error that names it with its path, and so is a
// value of the wrong type; all mistakes are reported at once, one a line. What
// is Graph JSON (policies, locations, strengths, the methods policy) is read by
// entra's decoder, which records what it does not know for the prover.
func ReadVectors(data []byte) (*VectorFile, error) {
	tree, err := parseTree(data)
	if err != nil {
		return nil, fmt.Errorf("read vectors: %v", err)
	}
	r := &vectorReader{file: &VectorFile{Goals: map[string]Goal{}}}
	r.top(tree)
	if err := r.err(); err != nil {
		return nil, fmt.Errorf("read vectors: %v", err)
	}
	return r.file, nil
}

type vectorReader struct {
	strict
	file *VectorFile
}

func (r *vectorReader) top(v any) {
	words := func(string, any) {} // for people
	var vectors func()
	r.object("", v, keys{
		"schema":        func(at string, v any) { r.word(at, v, VectorSchema) },
		"specification": words,
		"conventions":   words,
		"note":          words,
		"goals":         r.goals,
		"vectors": func(at string, v any) {
			vectors = func() { r.list(at, v, r.vector) } // after the goals
		},
	})
	r.require("", v, "schema", "vectors")
	if vectors != nil {
		vectors()
	}
	seen := map[string]bool{}
	for _, v := range r.file.Vectors {
		if seen[v.ID] {
			r.mistake("vectors", "the id %q is given twice", v.ID)
		}
		seen[v.ID] = true
	}
}

const recoverPrefix = "recover:"

func (r *vectorReader) goals(at string, v any) {
	r.each(at, v, func(at, name string, v any) {
		if _, text := v.(string); text && strings.HasPrefix(name, recoverPrefix) {
			return // tells people what recover means
		}
		g := r.goal(at, v)
		g.Name = name
		r.file.Goals[name] = g
	})
}

func (r *vectorReader) goal(at string, v any) Goal {
	var g Goal
	var client string
	var audiences, clients []string
	r.object(at, v, keys{
		"client":    r.into(&client),
		"audiences": r.intoTexts(&audiences),
		"clientAppTypes": func(at string, v any) {
			r.list(at, v, func(at string, v any) { clients = append(clients, r.word(at, v, domainOf(DimClientApp)...)) })
		},
		"mandatoryMfa": r.intoWord(&g.MandatoryMFA, "phase1", "phase2"),
		"lowPrivOnly":  r.intoFlag(&g.LowPrivOnly),
		"recover":      r.intoFlag(&g.Recover),
		"stage":        func(at string, v any) { g.Stage = r.stage(at, v) },
	})
	r.require(at, v, "audiences", "clientAppTypes")
	if len(audiences) == 0 || len(clients) == 0 {
		r.mistake(at, "a goal needs at least one audience and one client app type")
	}
	g.Client = entra.ID(client)
	g.Audiences = ids[entra.ID](audiences)
	g.ClientAppTypes = ids[entra.ClientAppType](clients)
	return g
}

func (r *vectorReader) stage(at string, v any) *Stage {
	s := &Stage{}
	var audiences []string
	r.object(at, v, keys{
		"kind":      r.intoWord(&s.Kind, "userAction"),
		"action":    r.into(&s.Action),
		"audiences": r.intoTexts(&audiences),
	})
	r.require(at, v, "kind", "action")
	s.Audiences = ids[entra.ID](audiences)
	return s
}

func ids[T ~string](texts []string) []T {
	out := make([]T, 0, len(texts))
	for _, s := range texts {
		out = append(out, T(s))
	}
	return out
}

// resolve finds a goal by name: the file's own, else ours; recover: in front of
// any of them.
func (r *vectorReader) resolve(at, name string) Goal {
	if g, ok := r.file.Goals[name]; ok {
		return g
	}
	base, recovers := strings.CutPrefix(name, recoverPrefix)
	if g, ok := r.file.Goals[base]; ok && recovers {
		g.Name, g.Recover = name, true
		return g
	}
	g, ok := ResolveGoal(name)
	if !ok {
		r.mistake(at, "no goal is named %q", name)
	}
	return g
}

func (r *vectorReader) vector(at string, v any) {
	var x Vector
	var query func()
	r.object(at, v, keys{
		"id":    r.into(&x.ID),
		"title": r.into(&x.Title),
		"tags":  r.intoTexts(&x.Tags),
		"accounts": func(at string, v any) {
			r.list(at, v, func(at string, v any) { x.accounts = append(x.accounts, r.account(at, v)) })
		},
		"tenant": func(at string, v any) { r.tenant(at, v, &x.tenant) },
		"query":  func(at string, v any) { query = func() { r.query(at, v, &x) } },
		"expect": func(at string, v any) { r.expect(at, v, &x.Expect) },
	})
	r.require(at, v, "id", "accounts", "query", "expect")
	if tenant, ok := v.(map[string]any); ok && tenant["tenant"] == nil {
		r.tenant(at, map[string]any{}, &x.tenant)
	}
	if query != nil {
		query()
	}
	r.file.Vectors = append(r.file.Vectors, x)
}

func (r *vectorReader) query(at string, v any, x *Vector) {
	var accounts []string
	r.object(at, v, keys{
		"kind": r.intoWord(&x.Kind, "prove", "margin", "independence"),
		"goal": func(at string, v any) {
			if name, ok := v.(string); ok {
				x.Goal = r.resolve(at, name)
				return
			}
			x.Goal = r.goal(at, v)
			x.Goal.Name = "(goal of " + x.ID + ")"
		},
		"account":     func(at string, v any) { accounts = append(accounts, r.text(at, v)) },
		"accounts":    func(at string, v any) { accounts = append(accounts, r.texts(at, v)...) },
		"quantifiers": func(at string, v any) { x.envelope = r.quantifiers(at, v) },
	})
	r.require(at, v, "kind", "goal")
	if len(accounts) == 0 && len(x.accounts) == 1 {
		accounts = []string{x.accounts[0].id}
	}
	if len(accounts) == 0 {
		r.mistake(below(at, "account"), "missing")
	}
	if len(accounts) > 1 && x.Kind != "independence" {
		r.mistake(below(at, "accounts"), "only an independence question is about several accounts")
	}
	for _, id := range accounts {
		if !slices.ContainsFunc(x.accounts, func(a vectorAccount) bool { return entra.ID(a.id).Equal(entra.ID(id)) }) {
			r.mistake(below(at, "account"), "no account %q in this vector", id)
		}
		x.Ask = append(x.Ask, entra.ID(id))
	}
}

func (r *vectorReader) expect(at string, v any, e *Expectation) {
	var verdict string
	r.object(at, v, keys{
		"verdict":  r.intoWord(&verdict, string(Proved), string(Lockout), string(Undetermined)),
		"blockers": func(at string, v any) { r.list(at, v, func(at string, v any) { r.blocker(at, v, e) }) },
		"denyPoint": func(at string, v any) {
			e.DenyPoint = r.point(at, v)
		},
		"allowPoint": func(at string, v any) {
			e.AllowPoint = r.point(at, v)
		},
		"margin": func(at string, v any) {
			k := r.whole(at, v)
			e.Margin = &k
		},
		"minimalEventSets": func(at string, v any) {
			e.MinimalEventSets = [][]Event{}
			r.list(at, v, func(at string, v any) { e.MinimalEventSets = append(e.MinimalEventSets, r.events(at, v)) })
		},
		"singlePointsOfFailure": func(at string, v any) { e.SinglePoints = r.events(at, v) },
		"reason":                r.into(&e.Reason),
		"status":                r.intoWord(&e.Status, "documented", "inferred", "unknown"),
		"cite":                  r.into(&e.Cite),
	})
	e.Verdict = Outcome(verdict)
}

func (r *vectorReader) blocker(at string, v any, e *Expectation) {
	var b Blocker
	r.object(at, v, keys{"source": r.into(&b.Source), "control": r.into(&b.Control)})
	r.require(at, v, "source", "control")
	e.Blockers = append(e.Blockers, b)
}

func (r *vectorReader) events(at string, v any) []Event {
	out := []Event{}
	r.list(at, v, func(at string, v any) { out = append(out, Event(r.texts(at, v))) })
	return out
}
