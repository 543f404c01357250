package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is one thing that goes wrong on purpose, as it is set.
type Fault struct {
	N       int    `json:"fault"` // its number in the catalogue
	Variant string `json:"variant"`
	Times   int    `json:"times"`           // how often it strikes; 0 without end
	After   int    `json:"after,omitempty"` // how many requests that it fits pass first
	Path    string `json:"path,omitempty"`  // what a request's path must contain
	Value   string `json:"value,omitempty"` // seconds, a size, a status: what the variant says
}

// faultKind is one line of the catalogue.
type faultKind struct {
	n        int
	name     string
	does     string
	variants []faultVariant // the first is meant when none is named
}

// faultVariant is one way in which a fault shows. path, times and value hold
// where the command line says nothing else.
type faultVariant struct {
	name  string
	path  string
	times int
	value string

	// Where it strikes; most have one of these.
	reply func(*exchange) *faultReply        // instead of the answer, of a request or a part of a batch
	edit  func(*exchange, Object) Object     // changes a good answer, of a request or a part of a batch
	whole func(*exchange) (answered bool)    // takes the whole exchange
	batch func(*exchange, []Object) []Object // changes the parts of an answered batch
}

// faultKinds is the catalogue; the methods that strike are in faults_*.go.
// Faults without any are looked up by whoever they concern, with Faults.on.
var faultKinds = slices.Concat(replyFaults, bodyFaults, pagingFaults, contentFaults, batchFaults, timeFaults, tokenFaults)

// FaultList is the catalogue for people: number, name and variants.
func FaultList() []string {
	var out []string
	for _, k := range sortedKinds() {
		var names []string
		for _, v := range k.variants {
			names = append(names, v.name)
		}
		out = append(out, fmt.Sprintf("%d %s: %s (%s)", k.n, k.name, k.does, strings.Join(names, ", ")))
	}
	return out
}

func sortedKinds() []faultKind {
	kinds := slices.Clone(faultKinds)
	slices.SortFunc(kinds, func(a, b faultKind) int { return a.n - b.n })
	return kinds
}

// outageKinds are what can be out altogether.
var outageKinds = []string{"federation", "mfa", "signin"}

// Faults are those that are on.
type Faults struct {
	mu      sync.Mutex
	armed   map[int]*armedFault
	outages map[string]bool
}

type armedFault struct {
	Fault
	variant *faultVariant
	seen    int            // requests that it fitted
	struck  int            // times that it struck
	marks   map[string]any // what the variant remembers
}

// CheckFaults tells whether faults and outages are written rightly.
func CheckFaults(specs, outages []string) error {
	_, err := newFaults(specs, outages)
	return err
}

func newFaults(specs, outages []string) (*Faults, error) {
	f := &Faults{}
	return f, f.set(specs, outages)
}

// set replaces all that is on.
func (f *Faults) set(specs, outages []string) error {
	armed, out := map[int]*armedFault{}, map[string]bool{}
	for _, spec := range specs {
		a, err := parseFault(spec)
		if err != nil {
			return err
		}
		if armed[a.N] != nil {
			return &unknownFault{spec, fmt.Sprintf("fault %d is named twice", a.N)}
		}
		armed[a.N] = a
	}
	for _, kind := range outages {
		if !slices.Contains(outageKinds, kind) {
			return &unknownFault{kind, "outages are " + strings.Join(outageKinds, ", ")}
		}
		out[kind] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed, f.outages = armed, out
	return nil
}

type unknownFault struct{ spec, why string }

func (e *unknownFault) Error() string { return fmt.Sprintf("set fault %q: %s", e.spec, e.why) }

func (e *unknownFault) Hint() string {
	return `write NUMBER[=VARIANT][,times=N][,after=N][,path=PART][,value=V], as "11=evil-suffix"; halligan sandbox --faults lists all`
}

// parseFault reads "11=evil-suffix,times=2,after=3,path=/groups,value=5".
func parseFault(spec string) (*armedFault, error) {
	fail := func(format string, args ...any) (*armedFault, error) {
		return nil, &unknownFault{spec, fmt.Sprintf(format, args...)}
	}
	parts := strings.Split(spec, ",")
	name, variant, _ := strings.Cut(strings.TrimSpace(parts[0]), "=")
	i := slices.IndexFunc(faultKinds, func(k faultKind) bool { return name == strconv.Itoa(k.n) || name == k.name })
	if i < 0 {
		return fail("there is no fault %q", name)
	}
	kind := &faultKinds[i]
	v := 0
	if variant != "" {
		v = slices.IndexFunc(kind.variants, func(v faultVariant) bool { return v.name == variant })
	}
	if v < 0 {
		return fail("fault %d has no variant %q", kind.n, variant)
	}
	chosen := &kind.variants[v]
	a := &armedFault{variant: chosen, marks: map[string]any{},
		Fault: Fault{N: kind.n, Variant: chosen.name, Times: chosen.times, Path: chosen.path, Value: chosen.value}}
	for _, part := range parts[1:] {
		setting, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		number, err := strconv.Atoi(value)
		switch setting {
		case "times":
			a.Times = number
		case "after":
			a.After = number
		case "path":
			a.Path, err = value, nil
		case "value":
			a.Value, err = value, nil
		default:
			return fail("there is no setting %q", setting)
		}
		if err != nil || number < 0 && setting != "value" && setting != "path" {
			return fail("%s needs a number", setting)
		}
	}
	return a, nil
}

// on reports whether a fault is on, and how it is set. Without Faults none is.
func (f *Faults) on(n int) (Fault, bool) {
	if f == nil {
		return Fault{}, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.armed[n]; a != nil {
		return a.Fault, true
	}
	return Fault{}, false
}

// outage reports whether "mfa", "federation" or "signin" is out.
func (f *Faults) outage(kind string) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.outages[kind]
}

// take counts one request that a fault fits, and reports whether it strikes.
func (f *Faults) take(fault Fault) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.armed[fault.N]
	return a != nil && a.strike()
}

func (a *armedFault) strike() bool {
	a.seen++
	if a.seen <= a.After || a.Times > 0 && a.struck >= a.Times {
		return false
	}
	a.struck++
	return true
}

// fits reports whether a fault strikes a path: one that has its part, or ends with
// it where the part ends with a dollar sign.
func (a *armedFault) fits(path string) bool {
	if end, is := strings.CutSuffix(a.Path, "$"); is {
		return strings.HasSuffix(path, end)
	}
	return strings.Contains(path, a.Path)
}

// list is what fits a request, by number.
func (f *Faults) list(path string) []*armedFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*armedFault
	for _, a := range f.armed {
		if a.fits(path) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *armedFault) int { return a.N - b.N })
	return out
}

// mark reads and sets what a fault remembers. change must not ask for the time
// or for other faults: both are behind the same lock.
func (f *Faults) mark(a *armedFault, change func(marks map[string]any)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(a.marks)
}

// skew is by how much the tenant's clock is wrong (fault 22).
func (f *Faults) skew() time.Duration {
	fault, on := f.on(22)
	by, err := time.ParseDuration(fault.Value)
	if !on || err != nil {
		return 0
	}
	switch fault.Variant {
	case "ahead":
		return by
	case "behind":
		return -by
	}
	return 0
}

// exchange is one request under a fault.
type exchange struct {
	*wire
	fault  Fault
	armed  *armedFault
	method string
	path   string
	url    *url.URL
	page   int // of the pages that faults make up; 0 the real first one
}

// faultReply is an answer that is made up.
type faultReply struct {
	status int
	header map[string]string
	body   []byte
}
