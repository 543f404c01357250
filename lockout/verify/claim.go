package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Device is one concrete device.
type Device struct {
	Registered bool `json:"registered"`
	// Managed: Intune-managed, compliant or hybrid joined.
	Managed bool `json:"managed,omitempty"`
	// Attributes by property name without "device.".
	Attributes map[string][]string `json:"attributes,omitempty"`
}

// name is the canonical text of a device.
func (d *Device) name() string {
	if !d.Registered && len(d.Attributes) == 0 {
		return "unregistered"
	}
	b, _ := json.Marshal(d) // strings and booleans cannot fail; keys are sorted
	return string(b)
}

// Stage is what a goal asks for after the sign-in.
type Stage struct {
	Kind      string   `json:"kind"`
	Action    string   `json:"action"`
	Audiences []string `json:"audiences,omitempty"`
}

// Goal is what must be reached.
type Goal struct {
	Name           string   `json:"name"`
	Client         string   `json:"client"`
	Audiences      []string `json:"audiences"`
	ClientAppTypes []string `json:"clientAppTypes"`
	MandatoryMFA   string   `json:"mandatoryMfa,omitempty"`
	LowPrivOnly    bool     `json:"lowPrivOnly,omitempty"`
	Recover        bool     `json:"recover,omitempty"`
	Stage          *Stage   `json:"stage,omitempty"`
}

// Quantifier says over which values of a dimension the question ranges.
type Quantifier struct {
	// Exists: the operator chooses. Otherwise the account must get in whatever
	// the value is.
	Exists bool `json:"exists"`
	// All values; Values and Devices are then empty.
	All     bool     `json:"all"`
	Values  []string `json:"values"`
	Devices []Device `json:"devices"`
}

// Question is what was asked. Its JSON is that of lockout.Question, so that one
// can be made of the other by ParseQuestion.
type Question struct {
	// Account is an object id, or the user principal name of an account that the
	// Snapshot knows.
	Account string `json:"account"`
	// Goal is the whole goal; one with a name only is looked up in the vendor
	// data ("recover:NAME" with the repair of the policies).
	Goal Goal `json:"goal"`
	// Envelope overrides the quantifiers that dimensions have by default.
	Envelope map[string]Quantifier `json:"envelope"`
	// Now is the day for which vendor dates are read, "2027-02-01"; "": before
	// all of them.
	Now string `json:"now"`
}

// ParseQuestion reads a question from JSON; keys compare without case and
// "holdings" (of lockout.Question) is passed over.
func ParseQuestion(data []byte) (Question, error) {
	var q struct {
		Question
		Holdings json.RawMessage `json:"holdings"`
	}
	if err := strict(data, &q); err != nil {
		return Question{}, fmt.Errorf("question: %v", err)
	}
	return q.Question, nil
}

// certificate is the form halligan-certificate/1 (docs/prover-certificate.md).
type certificate struct {
	Schema     string          `json:"schema"`
	Snapshot   string          `json:"snapshot"`
	Account    string          `json:"account"`
	Goal       Goal            `json:"goal"`
	Now        string          `json:"now"`
	Supposing  []supposition   `json:"supposing"`
	Dimensions []certDimension `json:"dimensions"`
	Options    []option        `json:"options"`
	Leaves     []leaf          `json:"leaves"`
	Lines      []line          `json:"lines"`
	Gates      []gateLine      `json:"gates"`
}

type supposition struct {
	Expression string `json:"expression"`
	Meaning    string `json:"meaning"`
}

type certDimension struct {
	Dimension string   `json:"dimension"`
	Values    []string `json:"values"`
	Devices   []Device `json:"devices"`
}

type option struct {
	Choice map[string]string `json:"choice"`
	Kit    []string          `json:"kit"`
}

type leaf struct {
	Region map[string][]string `json:"region"`
	Option int                 `json:"option"`
}

// Route is a way by which an account is excluded from a policy.
type Route struct {
	Kind string `json:"kind"` // user, group, role, guest
	ID   string `json:"id"`
	Name string `json:"name"`
}

type line struct {
	Policy    string     `json:"policy"`
	Stage     string     `json:"stage"`
	Leaf      int        `json:"leaf"`
	Reason    string     `json:"reason"`
	State     string     `json:"state"`
	Route     *Route     `json:"route"`
	Condition string     `json:"condition"`
	Items     []certItem `json:"items"`
}

type certItem struct {
	Control     string   `json:"control"`
	Credentials []string `json:"credentials"`
	Combination []string `json:"combination"`
	By          string   `json:"by"`
}

type gateLine struct {
	Gate        string   `json:"gate"`
	Leaf        int      `json:"leaf"`
	Reason      string   `json:"reason"`
	Credentials []string `json:"credentials"`
	Combination []string `json:"combination"`
	Detail      string   `json:"detail"`
}

// strict decodes one JSON value and refuses what it does not know, or what
// stands twice.
func strict(data []byte, into any) error {
	v, err := parse(data)
	if err != nil {
		return err
	}
	if err := repeats(v, ""); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows the JSON value")
	}
	return nil
}

// repeats looks for keys that stand twice in one object; raw JSON of Graph is
// left to those who read it.
func repeats(v *value, path string) error {
	seen := map[string]bool{}
	for i, e := range v.items {
		at := path
		if v.kind == '{' {
			k := key(v.keys[i])
			if at = path + "." + k; seen[k] {
				return fmt.Errorf("the key %s stands twice", strings.TrimPrefix(at, "."))
			}
			if seen[k] = true; k == "raw" {
				continue
			}
		}
		if err := repeats(e, at); err != nil {
			return err
		}
	}
	return nil
}

func sameGoal(a, b Goal) bool {
	ids := func(a, b []string) bool { return slices.Equal(fold(a), fold(b)) }
	stages := a.Stage == nil && b.Stage == nil || a.Stage != nil && b.Stage != nil && a.Stage.Kind == b.Stage.Kind &&
		strings.EqualFold(a.Stage.Action, b.Stage.Action) && ids(a.Stage.Audiences, b.Stage.Audiences)
	return a.Name == b.Name && key(a.Client) == key(b.Client) && ids(a.Audiences, b.Audiences) && slices.Equal(a.ClientAppTypes, b.ClientAppTypes) &&
		a.MandatoryMFA == b.MandatoryMFA && a.LowPrivOnly == b.LowPrivOnly && a.Recover == b.Recover && stages
}
