package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"halligan/lockout/facts"
)

// Schema is the form of certificates that this checker reads.
const Schema = "halligan-certificate/1"

const (
	maxSteps  = 1 << 22 // of a proof that boxes cover another one
	maxLeaves = 50000
)

// checker holds what is known while a certificate is checked.
type checker struct {
	classes
	t      *tenant
	a      *account
	goal   Goal
	now    string
	creds  []*credential // of the account, usable or not
	scenes []scene
}

// Certificate checks a certificate against the canonical JSON of the Snapshot
// and the question that was asked. A nil error says that every line of it is
// true and that together they prove the claim. An error names the line or the
// part that is not true, or not understood; there is no other kind of failure.
func Certificate(snapshotJSON []byte, question Question, certificateJSON []byte) error {
	var cert certificate
	if err := strict(certificateJSON, &cert); err != nil {
		return fmt.Errorf("certificate: %v", err)
	}
	if cert.Schema != Schema {
		return fmt.Errorf("certificate: its form is %q, want %q", cert.Schema, Schema)
	}
	sum := sha256.Sum256(snapshotJSON)
	if digest := hex.EncodeToString(sum[:]); cert.Snapshot != digest {
		return fmt.Errorf("certificate: it is about Snapshot %q, this one is %s", cert.Snapshot, digest)
	}
	t, err := readTenant(snapshotJSON)
	if err != nil {
		return fmt.Errorf("snapshot: %v", err)
	}
	if err := t.complete(); err != nil {
		return fmt.Errorf("snapshot: %v", err)
	}
	c := &checker{t: t, now: question.Now}
	if err := c.sameQuestion(&cert, &question); err != nil {
		return fmt.Errorf("question: %v", err)
	}
	for _, m := range c.a.own.list("methods") {
		x := c.a.credential(m)
		if slices.ContainsFunc(c.creds, func(y *credential) bool { return y.id == x.id }) {
			return fmt.Errorf("snapshot: two methods of the account have the id %q", x.id)
		}
		c.creds = append(c.creds, x)
	}
	if err := c.space(&cert, &question); err != nil {
		return err
	}
	for _, p := range t.policies {
		c.prepare(p)
	}
	if err := c.lines(&cert); err != nil {
		return err
	}
	return c.gates(&cert)
}

// sameQuestion checks that the certificate answers the question.
func (c *checker) sameQuestion(cert *certificate, q *Question) error {
	goal := q.Goal
	if len(goal.Audiences) == 0 && goal.Client == "" && goal.Stage == nil {
		base, recover := strings.CutPrefix(goal.Name, "recover:")
		g, ok := facts.LookupGoal(base)
		if !ok {
			return fmt.Errorf("there is no goal %q", goal.Name)
		}
		goal = Goal{Name: goal.Name, Client: string(g.Client), MandatoryMFA: g.MandatoryMFA, Recover: recover}
		for _, a := range g.Audiences {
			goal.Audiences = append(goal.Audiences, string(a))
		}
		for _, t := range g.ClientAppTypes {
			goal.ClientAppTypes = append(goal.ClientAppTypes, string(t))
		}
	}
	switch {
	case !sameGoal(goal, cert.Goal):
		return fmt.Errorf("the certificate is about another goal (%s)", cert.Goal.Name)
	case goal.Stage != nil && goal.Stage.Kind != "userAction":
		return fmt.Errorf("the stage %q is not known", goal.Stage.Kind)
	case !slices.Contains([]string{"", "phase1", "phase2"}, goal.MandatoryMFA):
		return fmt.Errorf("mandatory MFA %q is not known", goal.MandatoryMFA)
	case cert.Now != q.Now:
		return fmt.Errorf("the certificate is for the day %q, want %q", cert.Now, q.Now)
	}
	c.goal = goal
	a, err := c.t.account(cert.Account)
	if err != nil {
		return err
	}
	if c.a = a; !a.isMe(key(q.Account)) || q.Account == "" {
		return fmt.Errorf("the certificate is about account %q", cert.Account)
	}
	var supposed []supposition
	for _, s := range c.t.root.list("supposed") {
		supposed = append(supposed, supposition{s.str("expression"), s.str("meaning")})
	}
	if len(cert.Supposing) > 0 && !slices.Equal(cert.Supposing, supposed) {
		return fmt.Errorf("the certificate's suppositions are not those of the Snapshot")
	}
	return nil
}

// space checks dimensions, options and leaves, and makes a scene of each leaf.
func (c *checker) space(cert *certificate, q *Question) error {
	c.geo = c.t.geography()
	dims, err := c.t.dimensions(c.geo, &c.goal, q)
	if err != nil {
		return fmt.Errorf("question: %v", err)
	}
	seen := map[int]bool{}
	for i := range cert.Dimensions {
		if err := c.dimension(&cert.Dimensions[i], dims, seen); err != nil {
			return fmt.Errorf("dimension %q: %v", cert.Dimensions[i].Dimension, err)
		}
	}
	for d := range dims {
		if !dims[d].exists && !seen[d] {
			return fmt.Errorf("dimension %q is missing", dimNames[d])
		}
		if dims[d].exists {
			c.values[d] = dims[d].values
			if d == dDevice {
				c.devices = dims[d].devices
			}
		}
	}
	kits := make([]*kit, len(cert.Options))
	choices := make([]box, len(cert.Options))
	for i := range cert.Options {
		if kits[i], err = c.kit(cert.Options[i].Kit); err != nil {
			return fmt.Errorf("option %d: %v", i, err)
		}
	}
	for i := range cert.Options {
		if choices[i], err = c.choice(&cert.Options[i], dims); err != nil {
			return fmt.Errorf("option %d: %v", i, err)
		}
	}
	return c.leaves(cert, dims, kits, choices)
}

// dimension checks that a forall dimension has exactly its classes.
func (c *checker) dimension(cd *certDimension, dims [nDims]dimension, seen map[int]bool) error {
	d := slices.Index(dimNames[:], cd.Dimension)
	if d < 0 || dims[d].exists || seen[d] {
		return fmt.Errorf("it is not known, stands twice or is for the operator to choose")
	}
	seen[d] = true
	labels := map[string]bool{}
	for _, v := range cd.Values {
		if labels[v] {
			return fmt.Errorf("the class %q stands twice", v)
		}
		labels[v] = true
	}
	if d != dDevice {
		want := map[string]bool{}
		for _, v := range dims[d].values {
			want[v] = true
		}
		if len(cd.Devices) > 0 || !maps.Equal(want, labels) {
			return fmt.Errorf("its classes are %q, want %q", cd.Values, dims[d].values)
		}
		c.values[d] = cd.Values
		return nil
	}
	if len(cd.Devices) != len(cd.Values) {
		return fmt.Errorf("%d classes and %d devices", len(cd.Values), len(cd.Devices))
	}
	for i := range cd.Devices {
		if cd.Devices[i].name() != cd.Values[i] {
			return fmt.Errorf("the device %s is called %q", cd.Devices[i].name(), cd.Values[i])
		}
	}
	c.values[d], c.devices = cd.Values, cd.Devices
	if dims[d].free {
		return c.t.everyDevice(cd.Devices)
	}
	for i := range dims[d].devices {
		if !labels[dims[d].devices[i].name()] {
			return fmt.Errorf("the declared device %s is missing", dims[d].devices[i].name())
		}
	}
	if len(labels) > len(dims[d].devices) {
		return fmt.Errorf("it has devices that were not declared")
	}
	return nil
}

// kit checks that credentials can be used together in one session.
func (c *checker) kit(ids []string) (*kit, error) {
	k := &kit{}
	keys, certs := 0, 0
	for _, id := range ids {
		i := slices.IndexFunc(c.creds, func(x *credential) bool { return x.id == id })
		if i < 0 {
			return nil, fmt.Errorf("the account has no credential %q", id)
		}
		x := c.creds[i]
		switch {
		case slices.Contains(k.creds, x):
			return nil, fmt.Errorf("the credential %q stands twice", id)
		case !c.a.usable(x, c.now):
			return nil, fmt.Errorf("the credential %q is not surely usable", id)
		}
		switch x.kind {
		case "fido2":
			keys++
		case "x509":
			certs++
		}
		k.creds = append(k.creds, x)
	}
	if keys > 1 || certs > 1 {
		return nil, fmt.Errorf("%d keys and %d certificates in one session", keys, certs)
	}
	return k, nil
}

// choice reads what the operator chooses in an option: one value of every exists
// dimension and, on the way to a repair, a role to activate.
func (c *checker) choice(o *option, dims [nDims]dimension) (b box, err error) {
	for name := range o.Choice {
		d := slices.Index(dimNames[:], name)
		if name == activateRole && c.goal.Recover && o.Choice[name] != "" {
			continue
		}
		if d < 0 || !dims[d].exists {
			return b, fmt.Errorf("%q is not for the operator to choose", name)
		}
	}
	for d := range dims {
		if !dims[d].exists {
			continue
		}
		v, ok := o.Choice[dimNames[d]]
		if !ok {
			return b, fmt.Errorf("nothing is chosen for %q", dimNames[d])
		}
		i := slices.Index(c.values[d], v)
		if i < 0 && d == dDevice && dims[d].free {
			if dev, ok := device(v); ok {
				i = len(c.devices)
				c.values[d], c.devices = append(c.values[d], v), append(c.devices, dev)
			}
		}
		if i < 0 {
			return b, fmt.Errorf("%q is not a value of %s", v, dimNames[d])
		}
		// A later option may add a device; the mask is as long as it can get.
		b[d] = make([]bool, max(len(c.values[d]), i+1))
		b[d][i] = true
	}
	return b, nil
}

// leaves checks the regions and that they cover every forall-point.
func (c *checker) leaves(cert *certificate, dims [nDims]dimension, kits []*kit, choices []box) error {
	if len(cert.Leaves) > maxLeaves {
		return fmt.Errorf("more than %d leaves", maxLeaves)
	}
	usedOption := make([]bool, len(cert.Options))
	var regions []box
	for i := range cert.Leaves {
		l := &cert.Leaves[i]
		if l.Option < 0 || l.Option >= len(cert.Options) {
			return fmt.Errorf("leaf %d: there is no option %d", i, l.Option)
		}
		usedOption[l.Option] = true
		region, err := c.region(l.Region, dims)
		if err != nil {
			return fmt.Errorf("leaf %d: %v", i, err)
		}
		regions = append(regions, region)
		here := region
		for d := range dims {
			if dims[d].exists {
				here[d] = make([]bool, len(c.values[d]))
				copy(here[d], choices[l.Option][d])
			}
		}
		o := &cert.Options[l.Option]
		c.scenes = append(c.scenes, scene{index: i, box: here, kit: kits[l.Option], role: key(o.Choice[activateRole]), opt: o})
	}
	if i := slices.Index(usedOption, false); i >= 0 {
		return fmt.Errorf("option %d works in no leaf", i)
	}
	steps := maxSteps
	if len(regions) == 0 || !covered(box{}, regions, &steps) {
		return fmt.Errorf("the leaves do not cover every sign-in")
	}
	return nil
}

func (c *checker) region(r map[string][]string, dims [nDims]dimension) (b box, err error) {
	for _, name := range slices.Sorted(maps.Keys(r)) {
		d := slices.Index(dimNames[:], name)
		if d < 0 || dims[d].exists {
			return b, fmt.Errorf("%q is no forall dimension", name)
		}
		b[d] = make([]bool, len(c.values[d]))
		for _, v := range r[name] {
			i := slices.Index(c.values[d], v)
			if i < 0 || b[d][i] {
				return b, fmt.Errorf("%q is not a class of %s, or stands twice", v, name)
			}
			b[d][i] = true
		}
		if !slices.Contains(b[d], true) {
			return b, fmt.Errorf("no class of %s is inside", name)
		}
	}
	return b, nil
}
