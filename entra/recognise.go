package entra

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is one sort of object that exports hold, and how it is told from others
// by its content. The name of a file is never asked.
type kind struct {
	part Part
	// shape reports whether an object is of this kind by its own keys.
	shape func(*node) bool
	// listed reports whether an object may be of this kind when it stands in a
	// list that says so; nil: every object may.
	listed func(*node) bool
	// read takes the object into the content.
	read func(*reader, *document, *node, Origin)
	// names are the keys under which reports keep a list of this kind, and the
	// ends of the @odata.context of such a list, in lower case and without "_".
	names []string
}

// kinds lists what is recognised. The first whose shape fits wins.
var kinds []*kind

// byName finds a kind by its name in a report or context.
var byName map[string]*kind

// hint is what the place of a value says about it.
type hint struct {
	kind *kind
	list bool // the value is the list of all of its kind
}

// named finds the kind of which a report keeps a list under this key.
func named(key string) *kind {
	if k, ok := byName[key]; ok {
		return k
	}
	return byName[strings.ToLower(strings.ReplaceAll(key, "_", ""))]
}

// contextKind finds the kind that an @odata.context names.
func contextKind(obj *node) (*kind, bool) {
	c := obj.str("@odata.context")
	at := strings.LastIndexByte(c, '#')
	if at < 0 {
		return nil, false
	}
	c = strings.ToLower(c[at+1:])
	c, single := strings.CutSuffix(c, "/$entity")
	if open := strings.IndexByte(c, '('); open >= 0 && strings.HasSuffix(c, ")") && !strings.Contains(c[open:], "/") {
		c = c[:open] // the selected properties
	}
	for rest := c; rest != ""; {
		if k := byName[strings.ReplaceAll(rest, "/", ".")]; k != nil {
			return k, !single
		}
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			break
		}
		rest = rest[slash+1:]
	}
	return nil, false
}

// visit looks for what we know in a value and below it.
func (r *reader) visit(doc *document, v *node, h hint, path []string) {
	switch v.kind {
	case '[':
		if h.kind != nil && h.list {
			r.listRead(h.kind.part)
		}
		for i := range v.items {
			r.visit(doc, &v.items[i], hint{kind: h.kind}, append(path, "["+strconv.Itoa(i)+"]"))
		}
	case '{':
		r.visitObject(doc, v, h, path)
	case '"':
		if h.kind != nil && v.text != "" && residue(v.text) {
			r.trouble(doc, v.off, fmt.Sprintf("the %s were lost when this file was written (%q stands in their place); export them again with ConvertTo-Json -Depth 20", h.kind.part, cut([]byte(v.text))))
			r.cut(h.kind.part, "lost in "+doc.file)
		}
	}
}

func (r *reader) visitObject(doc *document, v *node, h hint, path []string) {
	if k, list := contextKind(v); k != nil {
		h = hint{kind: k, list: list}
	}
	if page := v.get("value"); page != nil && (page.kind == '[' || page.kind == '{') {
		r.visitPage(doc, v, page, h, path)
		return
	}
	if k := kindOf(v, h.kind); k != nil {
		r.take(doc, k, v, path)
		return
	}
	if h.kind != nil && h.kind.part == PartPolicies && !h.list && len(v.pairs) > 0 && v.get("details") == nil {
		r.trouble(doc, v.off, "stands among policies, but has no key of a policy")
	}
	for i := range v.pairs {
		p := &v.pairs[i]
		if annotation(p.key) {
			continue
		}
		below := hint{}
		if k := named(p.key); k != nil {
			below = hint{kind: k, list: true}
		} else if h.kind != nil && (strings.EqualFold(p.key, "details") || h.list && p.val.kind == '{') {
			below = hint{kind: h.kind}
		}
		r.visit(doc, &p.val, below, append(path, p.key))
	}
}

// visitPage reads one page of a Graph list and notices whether more belong to
// it.
func (r *reader) visitPage(doc *document, v, page *node, h hint, path []string) {
	before := r.seen
	r.seen = map[Part]bool{}
	h.list = true
	if page.kind == '{' { // PowerShell collapses a list of one
		h.list = false
	}
	r.visit(doc, page, h, append(path, "value"))
	if h.kind != nil {
		r.seen[h.kind.part] = true
	}
	missing := ""
	if next := v.get("@odata.nextLink"); next != nil && !next.unset() {
		missing = "an @odata.nextLink stands beside the list: more pages belong to it"
	} else if count := v.get("@odata.count"); count != nil {
		if n, ok := count.number(); ok && n > max(1, len(page.items)) {
			missing = fmt.Sprintf("@odata.count says %d, the list has %d", n, len(page.items))
		}
	}
	for part := range r.seen {
		before[part] = true
		if missing != "" {
			r.cut(part, missing)
		} else {
			r.listRead(part)
		}
	}
	if missing != "" {
		r.trouble(doc, v.off, missing)
	}
	r.seen = before
}

// kindOf tells what an object is: by the list it stands in, else by its keys.
func kindOf(v *node, hinted *kind) *kind {
	if hinted != nil && (hinted.shape(v) || hinted.listed != nil && hinted.listed(v)) {
		return hinted
	}
	for _, k := range kinds {
		if k.shape(v) {
			return k
		}
	}
	return nil
}

// take reads an object of a known kind.
func (r *reader) take(doc *document, k *kind, v *node, path []string) {
	if r.objects++; r.objects > r.limits.Objects {
		if r.objects == r.limits.Objects+1 {
			r.trouble(doc, v.off, fmt.Sprintf("more than %d objects; the rest is not read", r.limits.Objects))
		}
		r.cut(k.part, "more objects than the limit")
		return
	}
	r.seen[k.part] = true
	r.found[k.part]++
	k.read(r, doc, v, Origin{File: doc.file, Line: doc.line(v.off), Path: joinPath(path)})
}

// joinPath writes a place as ".value[3]".
func joinPath(path []string) string {
	var b strings.Builder
	for _, step := range path {
		if step != "" && step[0] != '[' {
			b.WriteByte('.')
		}
		b.WriteString(step)
	}
	return b.String()
}

// anyKey reports whether the object has one of the keys, whatever their value.
func anyKey(v *node, keys ...string) bool {
	for _, k := range keys {
		if v.get(k) != nil {
			return true
		}
	}
	return false
}

func looksLikePolicy(v *node) bool {
	c := v.get("conditions")
	if c == nil {
		return v.get("grantControls") != nil && anyKey(v, "state", "displayName", "sessionControls")
	}
	if c.kind == '{' && anyKey(c, "users", "applications", "clientAppTypes", "clientApplications", "signInRiskLevels", "userRiskLevels") {
		return true
	}
	return c.kind != '[' && anyKey(v, "grantControls", "sessionControls")
}

// mayBePolicy: among policies, whatever says its state, or its id and name, is
// one.
func mayBePolicy(v *node) bool {
	return looksLikePolicy(v) || anyKey(v, "state", "conditions", "grantControls") || v.get("id") != nil && v.get("displayName") != nil
}

func looksLikeLocation(v *node) bool {
	switch strings.ToLower(odataType(v)) {
	case "ipnamedlocation", "countrynamedlocation", "compliantnetworknamedlocation":
		return true
	}
	has := func(key string) bool { return v.get(key) != nil || v.get("AdditionalProperties").get(key) != nil }
	return has("countriesAndRegions") || has("compliantNetworkType") || has("ipRanges") && (has("isTrusted") || has("displayName"))
}

func looksLikeStrength(v *node) bool {
	return v.get("allowedCombinations") != nil && v.get("conditions") == nil
}

func identified(v *node) bool { return v.get("id") != nil }

func init() {
	kinds = []*kind{
		{part: PartPolicies, shape: looksLikePolicy, listed: mayBePolicy, read: (*reader).policy,
			names: []string{"conditionalaccesspolicies", "conditionalaccess.policies", "conditionalaccesspolicy", "capolicies"}},
		{part: PartLocations, shape: looksLikeLocation, listed: identified, read: (*reader).location,
			names: []string{"namedlocations", "conditionalaccess.namedlocations"}},
		{part: PartStrengths, shape: looksLikeStrength, listed: identified, read: (*reader).strength,
			names: []string{"authenticationstrengthpolicies", "authenticationstrength.policies", "authenticationstrengths"}},
	}
	byName = map[string]*kind{}
	for _, k := range kinds {
		for _, name := range k.names {
			byName[name] = k
		}
	}
}
