package entra

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// hint is what the place of a value says about it.
type hint struct {
	kind *kind
	list bool // the value is the list of all of its kind
	sure bool // Graph itself says so, not only the key
	item bool // the value is an element of a list that may be all of them
}

// named finds the kind of which a report keeps a list under this key.
func (r *reader) named(key string) *kind {
	if k, ok := r.byName[key]; ok {
		return k
	}
	return r.byName[strings.ToLower(strings.ReplaceAll(key, "_", ""))]
}

// contextKind finds the kind that an @odata.context names, and whether it is of
// a list.
func (r *reader) contextKind(obj *node) (*kind, bool) {
	c := obj.str("@odata.context")
	at := strings.LastIndexByte(c, '#')
	if at < 0 || strings.Contains(c, "/deletedItems") {
		return nil, false
	}
	r.cloudOf(c)
	c = strings.ToLower(c[at+1:])
	c, single := strings.CutSuffix(c, "/$entity")
	if otherService(c) {
		return r.otherRoles, true
	}
	if inner, ok := strings.CutPrefix(c, "collection("); ok {
		return r.byName[strings.TrimPrefix(strings.TrimSuffix(inner, ")"), "microsoft.graph.")], true
	}
	if open := strings.LastIndexByte(c, '('); open >= 0 && strings.HasSuffix(c, ")") && !strings.Contains(c[open:], "/") && !strings.Contains(c[open:], "'") {
		c = c[:open] // the selected properties
	}
	for rest := c; rest != ""; {
		if k := r.byName[strings.ReplaceAll(rest, "/", ".")]; k != nil && (!k.slice || len(rest) == len(c)) {
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

// cloudOf notes which national cloud answered.
func (r *reader) cloudOf(context string) {
	switch {
	case strings.HasPrefix(context, "https://graph.microsoft.com/"):
		r.content.Cloud = "public"
	case strings.Contains(context, ".microsoft.us/"):
		r.content.Cloud = "usgov"
	case strings.Contains(context, ".chinacloudapi.cn/"):
		r.content.Cloud = "china"
	}
}

// contextID takes the id out of a context such as
// …#users('ID')/authentication/methods.
func contextID(obj *node, of string) ID {
	_, rest, ok := strings.Cut(obj.str("@odata.context"), "#"+of+"('")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "'")
	return ID(id)
}

// visit looks for what we know in a value and below it.
func (r *reader) visit(doc *document, v *node, h hint, path []string) {
	switch v.kind {
	case '[':
		if h.kind != nil && h.list && (h.sure || len(v.items) == 0) {
			r.listRead(h.kind)
		}
		item := h.kind != nil || h.item || len(path) == 0 || path[len(path)-1] == "value"
		for i := range v.items {
			r.visit(doc, &v.items[i], hint{kind: h.kind, item: item, sure: h.sure}, append(path, "["+strconv.Itoa(i)+"]"))
		}
	case '{':
		r.visitObject(doc, v, h, path)
	case '"':
		if policyText(v.text) {
			r.trouble(doc, v.off, "a policy stands here as text within a string, and was not read; give it as an object")
			r.cut(PartPolicies, "a policy was given as text in "+doc.file)
			return
		}
		if h.kind == nil || v.text == "" {
			return
		}
		if residue(v.text) {
			r.trouble(doc, v.off, fmt.Sprintf("the %s were lost when this file was written (%q stands in their place); export them again with ConvertTo-Json -Depth 20",
				h.kind.part, cut([]byte(v.text))))
			r.cut(h.kind.part, "lost in "+doc.file)
			return
		}
		fallthrough
	case '0', 't', 'f':
		if h.kind != nil && h.item && h.kind.part == PartPolicies {
			r.trouble(doc, v.off, "stands among policies, but is no object")
			r.cut(PartPolicies, "an element of the list is no object")
		}
	}
}

// policyText reports whether a string holds the JSON of a policy, as tools write
// it that encode twice.
func policyText(s string) bool {
	s = strings.TrimLeft(s, " \t\r\n")
	if s == "" || s[0] != '{' && s[0] != '[' {
		return false
	}
	s = strings.ToLower(s)
	return strings.Contains(s, `"conditions"`) && (strings.Contains(s, `"grantcontrols"`) || strings.Contains(s, `"sessioncontrols"`))
}

func (r *reader) visitObject(doc *document, v *node, h hint, path []string) {
	if s := v.str("schema"); strings.HasPrefix(s, "halligan-snapshot/") {
		r.snapshot(doc, v)
		return
	}
	if k, list := r.contextKind(v); k != nil {
		h = hint{kind: k, list: list, sure: list, item: h.item}
	}
	if page := v.get("value"); h.kind != r.otherRoles && page != nil && (page.kind == '[' || page.kind == '{') {
		r.visitPage(doc, v, page, h, path)
		return
	}
	if looksLikeLog(v) || h.kind == r.otherRoles {
		return
	}
	if k := r.kindOf(v, h.kind); k != nil {
		r.take(doc, k, v, h, path)
		return
	}
	if e := v.get("error"); e != nil && len(v.pairs) <= 3 && e.get("code") != nil {
		r.trouble(doc, v.off, strings.TrimSuffix(fmt.Sprintf("an error that Microsoft Graph answered with, not data: %s: %s", e.str("code"), e.str("message")), ": "))
		return
	}
	if h.kind != nil && h.item && (h.sure && !h.kind.slice || h.kind.part == PartPolicies) && v.get("details") == nil {
		r.trouble(doc, v.off, fmt.Sprintf("stands in a list of %s, but has no key by which to tell it", h.kind.part))
		r.cut(h.kind.part, "an element of a list was not recognised")
	}
	r.tenant(doc, v)
	r.failures(doc, v)
	name := r.wrapper
	if r.wrapper = v.str("name"); r.wrapper == "" {
		r.wrapper = v.str("displayName")
	}
	for i := range v.pairs {
		p := &v.pairs[i]
		if annotation(p.key) {
			continue
		}
		below := hint{}
		if k := r.named(p.key); k != nil {
			below = hint{kind: k, list: true}
		} else if h.kind != nil && (strings.EqualFold(p.key, "details") || h.list && p.val.kind == '{') {
			below = hint{kind: h.kind}
		}
		r.visit(doc, &p.val, below, append(path, p.key))
	}
	r.wrapper = name
}

// tenant notes of which tenant a report is.
func (r *reader) tenant(doc *document, v *node) {
	var id string
	switch {
	case isType(v, "organization"), v.get("verifiedDomains") != nil && v.get("id") != nil:
		id = v.str("id")
	case v.get("tenantId") != nil && anyKey(v, "domainName", "conditionalAccessPolicies"):
		id = v.str("tenantId")
	}
	if !ID(id).IsGUID() {
		return
	}
	switch {
	case r.content.TenantID == "":
		r.content.TenantID, r.tenantFile = ID(id), doc.file
	case r.content.TenantID.Equal(ID(id)):
	case r.tenantFile == doc.file: // one report is of one tenant, whatever ids were blackened
		r.noteAt(doc, v, fmt.Sprintf("names the tenant %s, and %s before; the first is taken", id, r.content.TenantID))
	default:
		r.trouble(doc, v.off, fmt.Sprintf("is of tenant %s, while %s is of tenant %s", id, r.tenantFile, r.content.TenantID))
	}
}

// visitPage reads one page of a Graph list and notices whether more belong to
// it.
func (r *reader) visitPage(doc *document, v, page *node, h hint, path []string) {
	before, owner := r.seen, r.owner
	r.seen = map[Part]bool{}
	if id := contextID(v, "users"); id != "" {
		r.owner = id
	}
	h.list = true
	r.methodsOf(doc, v, page)
	r.visit(doc, page, h, append(slices.Clip(path), "value"))
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
		}
	}
	if missing != "" && len(r.seen) > 0 {
		r.trouble(doc, v.off, missing)
	}
	r.seen, r.owner = before, owner
}

// kindOf tells what an object is: by the list it stands in, else by its keys.
func (r *reader) kindOf(v *node, hinted *kind) *kind {
	if hinted != nil && (hinted.shape(v) || hinted.listed != nil && hinted.listed(v)) {
		return hinted
	}
	for _, k := range r.kinds {
		if k.shape(v) {
			return k
		}
	}
	return nil
}

// take reads an object of a known kind.
func (r *reader) take(doc *document, k *kind, v *node, h hint, path []string) {
	if (k.part == PartRoleAssignments || k.part == PartRoleEligibility) && !directoryRoles(doc) {
		return
	}
	if r.objects++; r.objects > r.limits.Objects {
		if r.objects == r.limits.Objects+1 {
			r.trouble(doc, v.off, fmt.Sprintf("more than %d objects; the rest is not read", r.limits.Objects))
		}
		r.cut(k.part, "more objects than the limit")
		return
	}
	r.seen[k.part] = true
	if k.single || h.item || !r.alone && len(path) == 0 || k.part == PartPolicies {
		r.listRead(k)
	} else {
		r.some[k.part] = true
	}
	k.read(r, doc, v, Origin{File: doc.file, Line: doc.line(v.off), Path: joinPath(path)})
}

// joinPath writes a place as ".value[3]".
func joinPath(path []string) string {
	var b strings.Builder
	for _, step := range path {
		if !strings.HasPrefix(step, "[") {
			b.WriteByte('.')
		}
		b.WriteString(step)
	}
	return b.String()
}
