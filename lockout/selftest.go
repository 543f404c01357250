package lockout

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed testdata/vectors/ca-vectors.json
var ownVectors []byte

// OwnVectors returns the worked examples that this program carries.
func OwnVectors() (*VectorFile, error) { return ReadVectors(ownVectors) }

// SelftestResult is the outcome of one worked example.
type SelftestResult struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Want  string `json:"want"`
	Got   string `json:"got"`
	OK    bool   `json:"ok"`
	// Reason is why the wanted answer is right, from the vector.
	Reason string `json:"reason"`
}

// Selftest asks the prover every question of the file and compares the answers
// with those that were worked out by hand: the verdict; that the expected
// blockers are among the causes; that the point to be denied is denied and the
// point to be allowed is allowed, each on the reading that makes it hardest; the
// margin with all its event sets; the single points of failure.
func Selftest(f *VectorFile) []SelftestResult {
	out := make([]SelftestResult, 0, len(f.Vectors))
	for i := range f.Vectors {
		v := &f.Vectors[i]
		c := &comparison{vector: v, ok: true}
		if err := c.run(); err != nil {
			c.got = append(c.got, "error: "+err.Error())
			c.ok = false
		}
		out = append(out, SelftestResult{ID: v.ID, Title: v.Title, Want: strings.Join(c.want, "; "), Got: strings.Join(c.got, "; "),
			OK: c.ok, Reason: v.Expect.Reason})
	}
	return out
}

// comparison is one vector while it is judged.
type comparison struct {
	vector    *Vector
	want, got []string
	ok        bool
}

func (c *comparison) says(ok bool, want, got string) {
	c.want, c.got = append(c.want, want), append(c.got, got)
	c.ok = c.ok && ok
}

func (c *comparison) run() error {
	s, err := c.vector.Snapshot()
	if err != nil {
		return err
	}
	qs, err := c.vector.Questions(s)
	if err != nil {
		return err
	}
	p := New(s)
	switch e := &c.vector.Expect; c.vector.Kind {
	case "margin":
		return c.margin(p, qs[0], e)
	case "independence":
		return c.independence(p, qs, e)
	default:
		return c.prove(p, qs[0], e)
	}
}

func (c *comparison) prove(p *Prover, q Question, e *Expectation) error {
	if e.Verdict == "" {
		return fmt.Errorf("expect.verdict: missing")
	}
	v, err := p.Prove(q)
	if err != nil {
		return err
	}
	c.says(v.Outcome == e.Verdict, string(e.Verdict), string(v.Outcome))
	var causes []Cause
	if v.Counterexample != nil {
		causes = v.Counterexample.Causes
	}
	if e.DenyPoint != nil {
		at, err := c.deny(p, q, e.DenyPoint)
		if err != nil {
			return err
		}
		if !named(e.Blockers, causes) {
			causes = at
		}
	}
	if len(e.Blockers) > 0 {
		c.says(named(e.Blockers, causes), "blocked by "+blockers(e.Blockers), "blocked by "+blockers(blockersOf(causes)))
	}
	if e.AllowPoint != nil {
		return c.allow(p, q, e.AllowPoint)
	}
	return nil
}

// deny asks for a point that must be denied whatever is not known, and returns
// its causes.
func (c *comparison) deny(p *Prover, q Question, point map[Dimension]string) ([]Cause, error) {
	adverse, favourable, causes, err := p.At(wholePoint(q, point))
	if err != nil {
		return nil, fmt.Errorf("denyPoint: %v", err)
	}
	c.says(favourable, "denied at "+pointText(point), reading(adverse, favourable)+" at "+pointText(point))
	return causes, nil
}

func (c *comparison) allow(p *Prover, q Question, point map[Dimension]string) error {
	adverse, favourable, _, err := p.At(wholePoint(q, point))
	if err != nil {
		return fmt.Errorf("allowPoint: %v", err)
	}
	c.says(!adverse, "allowed at "+pointText(point), reading(adverse, favourable)+" at "+pointText(point))
	return nil
}

func reading(adverse, favourable bool) string {
	switch {
	case favourable:
		return "denied"
	case adverse:
		return "denied on the unfavourable reading"
	}
	return "allowed"
}

// wholePoint gives the dimensions that the vector does not name the value of the
// conventions: the first of their domain, outside every location, country XX. A
// dimension that the vector names but the operator chooses is pinned to it.
func wholePoint(q Question, named map[Dimension]string) (Question, map[Dimension]string) {
	at := map[Dimension]string{}
	envelope := maps.Clone(q.Envelope)
	if envelope == nil {
		envelope = map[Dimension]Quantifier{}
	}
	for _, d := range Dimensions {
		given, isGiven := named[d]
		over, overridden := q.Envelope[d]
		exists := over.Exists || !overridden && (d == DimClientApp || d == DimFlow)
		switch {
		case isGiven && exists:
			envelope[d] = Quantifier{Values: []string{given}}
			at[d] = given
		case isGiven:
			at[d] = given
		case exists:
			// the operator chooses
		default:
			if value, ok := firstValue(d, over); ok {
				at[d] = value
			}
		}
	}
	q.Envelope = envelope
	return q, at
}

// firstValue is the value of a dimension that a point does not name; false when
// the first class of the prover is as good as any.
func firstValue(d Dimension, over Quantifier) (string, bool) {
	usual := map[Dimension]string{DimIP: "", DimCountry: "XX"}
	if v, ok := usual[d]; ok && (len(over.Values) == 0 || slices.Contains(over.Values, v)) {
		return v, true
	}
	switch {
	case len(over.Values) > 0:
		return over.Values[0], true
	case len(over.Devices) > 0:
		return deviceValue(over.Devices[0]), true
	case len(domainOf(d)) > 0:
		return domainOf(d)[0], true
	}
	return "", false
}

func named(want []Blocker, causes []Cause) bool {
	got := blockersOf(causes)
	for _, b := range want {
		if !slices.Contains(got, b) {
			return false
		}
	}
	return true
}

func blockersOf(causes []Cause) []Blocker {
	var out []Blocker
	for _, c := range causes {
		if b := (Blocker{Source: c.Source, Control: c.Control}); !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

func blockers(list []Blocker) string {
	if len(list) == 0 {
		return "nothing"
	}
	var out []string
	for _, b := range list {
		out = append(out, b.String())
	}
	return strings.Join(out, ", ")
}

func pointText(point map[Dimension]string) string {
	var out []string
	for _, d := range Dimensions {
		if v, ok := point[d]; ok {
			if d == DimIP || d == DimResourceIP {
				v = "[" + v + "]"
			}
			out = append(out, fmt.Sprintf("%s: %s", d, v))
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func (c *comparison) margin(p *Prover, q Question, e *Expectation) error {
	if e.Margin == nil {
		return fmt.Errorf("expect.margin: missing")
	}
	m, err := p.Margin(q)
	if err != nil {
		return err
	}
	c.says(m.K == *e.Margin, fmt.Sprintf("k = %d", *e.Margin), fmt.Sprintf("k = %d", m.K))
	if e.MinimalEventSets != nil {
		want, got := eventSets(e.MinimalEventSets), eventSets(m.Sets)
		c.says(want == got, want, got)
	}
	return nil
}

func (c *comparison) independence(p *Prover, qs []Question, e *Expectation) error {
	if e.SinglePoints == nil {
		return fmt.Errorf("expect.singlePointsOfFailure: missing")
	}
	got, err := p.Independence(qs)
	if err != nil {
		return err
	}
	want, found := eventSet(e.SinglePoints), eventSet(got.SinglePoints)
	c.says(want == found, "single points of failure: "+want, "single points of failure: "+found)
	return nil
}

// eventSet writes a set of events so that equal sets read alike.
func eventSet(set []Event) string {
	var out []string
	for _, e := range set {
		words := slices.Clone(e)
		for i := range words[min(1, len(words)):] {
			words[i+1] = strings.ToLower(words[i+1]) // ids compare without case
		}
		out = append(out, strings.Join(words, " "))
	}
	slices.Sort(out)
	return "{" + strings.Join(slices.Compact(out), ", ") + "}"
}

func eventSets(sets [][]Event) string {
	var out []string
	for _, s := range sets {
		out = append(out, eventSet(s))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " or ")
}
