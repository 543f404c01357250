package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// List is what a paged request brought. Items is all there is only if Complete;
// otherwise the error that came with it says what is missing, and Cut why.
type List struct {
	Items     []json.RawMessage // in the order of Graph; an item that came twice is here once, as it was last
	Complete  bool
	Cut       string
	Count     int64     // @odata.count, or -1
	Pages     int       // read
	Context   string    // @odata.context of the first page
	DeltaLink string    // @odata.deltaLink of the last page
	Again     bool      // the list was read again: the count differed, or there was none for several pages
	Date      time.Time // of the first page, by Graph's clock; zero when it did not say
}

// List reads all pages. It returns an error unless the list is complete; what
// was read until then is in the List all the same.
func (c *Client) List(ctx context.Context, r Request) (List, error) {
	r, err := c.checkRequest(r)
	if err != nil {
		return List{Count: -1}, err
	}
	return c.pages(ctx, r, c.address(r), nil)
}

// pages reads a list from an address that is known to be ours; first is its
// first page when a batch has brought it.
func (c *Client) pages(ctx context.Context, r Request, start string, first *Answer) (List, error) {
	ctx, cancel := c.within(ctx, c.limits.List, nil)
	defer cancel()
	list, err := c.walk(ctx, r, start, first, !c.has(DefenceOnce))
	if KindOf(err) == KindBadRequest && list.Pages == 0 && r.Query.Get("$count") != "" && !r.Eventual {
		// A count that cannot be had is no reason to know nothing of the list.
		r.Query = maps.Clone(r.Query)
		r.Query.Del("$count")
		start = c.address(r)
		list, err = c.walk(ctx, r, start, nil, !c.has(DefenceOnce))
	}
	// The tenant may have changed between two pages: an item can be missing
	// although it was there all the time. Where Graph gives no count, two readings
	// have to agree; then it stays unknown. A log only grows, and is followed with
	// an overlap.
	for reading := 2; err == nil && c.has(DefenceCount); reading++ {
		uncounted := list.Count < 0 && list.Pages > 1 && r.Method == http.MethodGet && r.Family != FamilyReports
		if !list.differs() && !uncounted {
			return list, nil
		}
		before := list
		list, err = c.walk(ctx, r, start, nil, !c.has(DefenceOnce))
		list.Again = true
		switch {
		case err != nil || uncounted && list.sameItems(before):
			return list, err
		case list.differs():
			list.Complete = false
			list.Cut = fmt.Sprintf("%d items came, the count says %d, twice", len(list.Items), list.Count)
			return list, c.cut(r, list.Cut, ErrCount)
		case uncounted && reading == 3:
			list.Complete = false
			list.Cut = fmt.Sprintf("three readings of its %d pages bring other items each", list.Pages)
			return list, c.cut(r, list.Cut, ErrCount)
		}
	}
	return list, err
}

func (l List) differs() bool { return l.Count >= 0 && l.Count != int64(len(l.Items)) }

// sameItems compares what two readings of a list brought, by what tells items
// apart; their order may differ.
func (l List) sameItems(other List) bool {
	keys := func(items []json.RawMessage) []string {
		var out []string
		for _, item := range items {
			out = append(out, cmp.Or(idOf(item), string(item)))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(keys(l.Items), keys(other.Items))
}

func (c *Client) cut(r Request, why string, cause error) *Error {
	return &Error{Operation: r.Operation, Kind: KindCut, Permission: r.Permission, Message: why, cause: cause}
}

// walk goes from page to page. With all, an item that comes twice is kept twice,
// as a delta needs it.
func (c *Client) walk(ctx context.Context, r Request, start string, first *Answer, all bool) (List, error) {
	list := List{Count: -1}
	place := map[string]int{}
	seen := map[string]bool{}
	size := int64(0)
	most := c.limits.Pages
	if r.Pages > 0 {
		most = min(most, r.Pages)
	}
	for link := start; ; {
		if seen[link] && c.has(DefenceLoops) {
			return list.stop(c, r, fmt.Sprintf("page %d leads back to an earlier page", list.Pages), ErrLoop)
		}
		seen[link] = true
		if list.Pages >= most && c.has(DefencePages) {
			return list.stop(c, r, fmt.Sprintf("there are more than %d pages", most), ErrTooMany)
		}
		answer, err := first, error(nil)
		if first == nil {
			answer, err = c.send(ctx, r, link, nil)
		}
		first = nil
		if err != nil {
			list.Cut = fmt.Sprintf("page %d: %v", list.Pages+1, err)
			return list, err
		}
		page, err := readPage(r, answer)
		if err != nil && c.has(DefenceForm) {
			list.Cut = err.Error()
			return list, err
		}
		if list.Pages == 0 {
			list.Date, _ = http.ParseTime(answer.Header.Get("Date")) // zero when it cannot be read
		}
		list.add(page, place, all)
		size += int64(len(answer.Body))
		if c.has(DefencePages) && (len(list.Items) > c.limits.Items || size > 8*c.limits.Body) {
			return list.stop(c, r, fmt.Sprintf("there are more than %d items or %d bytes", c.limits.Items, 8*c.limits.Body), ErrTooLarge)
		}
		if page.next == "" {
			list.Complete, list.DeltaLink = true, page.delta
			return list, nil
		}
		if err := c.CheckLink(r, page.next); err != nil {
			list.Cut = err.Error()
			return list, err
		}
		link = page.next
	}
}

// stop ends a list that went too far.
func (l List) stop(c *Client, r Request, why string, cause error) (List, error) {
	l.Cut = why
	return l, c.cut(r, why, cause)
}

// add takes in a page. place says where an item with an id is.
func (l *List) add(p page, place map[string]int, all bool) {
	if l.Pages == 0 {
		l.Context, l.Count = p.context, p.count
	}
	l.Pages++
	for _, item := range p.items {
		id := idOf(item)
		if at, twice := place[id]; twice && id != "" && !all {
			l.Items[at] = item
			continue
		}
		place[id] = len(l.Items)
		l.Items = append(l.Items, item)
	}
}

func idOf(item json.RawMessage) string {
	var o struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(item, &o) != nil {
		return ""
	}
	return o.ID
}

// page is one answer of a list.
type page struct {
	items       []json.RawMessage
	next, delta string
	context     string
	count       int64
}

// readPage takes an answer apart. What is no list is an error, never an empty one.
func readPage(r Request, a *Answer) (page, error) {
	p := page{count: -1}
	fail := func(message string, cause error) (page, error) {
		return p, &Error{Operation: r.Operation, Status: a.Status, Kind: KindMalformed, Permission: r.Permission,
			Message: message, RequestID: requestID(a.Header), cause: cause}
	}
	if a.Body == nil {
		return fail("an empty answer where a list was due", ErrTruncated)
	}
	var o map[string]json.RawMessage
	if err := json.Unmarshal(a.Body, &o); err != nil || o == nil {
		return fail("no object where a list was due", ErrNoValue)
	}
	value, present := o["value"]
	switch {
	case !present:
		return fail("the list has no value", ErrNoValue)
	case string(value) == "null":
		return fail("the list's value is null", ErrNullValue)
	case json.Unmarshal(value, &p.items) != nil:
		return fail("the list's value is no list", ErrNoValue)
	}
	for name, to := range map[string]*string{"@odata.nextLink": &p.next, "@odata.deltaLink": &p.delta, "@odata.context": &p.context} {
		raw, present := o[name]
		if !present || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, to); err != nil || *to == "" {
			return fail(name+" is no link", ErrNoValue)
		}
	}
	if raw, present := o["@odata.count"]; present && json.Unmarshal(raw, &p.count) != nil {
		return fail("@odata.count is no number", ErrNoValue)
	}
	if p.next == "" { // Resource Manager calls it so
		if raw, present := o["nextLink"]; present && r.Version == ARM && string(raw) != "null" && json.Unmarshal(raw, &p.next) != nil {
			return fail("nextLink is no link", ErrNoValue)
		}
	}
	return p, nil
}

// maxLink is the longest link that is followed.
const maxLink = 32 << 10

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// CheckLink says whether a link that an answer to r holds may be followed with
// the token: exactly the configured scheme, host and port, the same version of
// the interface, no user name, no other tenant. The error is a *SecurityError.
func (c *Client) CheckLink(r Request, link string) error {
	if r.Version == "" {
		r.Version = V1
	}
	if !c.has(DefenceLinks) {
		return nil
	}
	e := c.ends[r.Version]
	if why := checkLink(e.base, e.prefix, c.config.Tenant, link); why != "" {
		return &SecurityError{Operation: r.Operation, Why: fmt.Sprintf("the link to the next page (%s) %s", hostFor(link), why)}
	}
	if r.Version == ARM {
		if u, err := url.Parse(link); err != nil || u.Query().Get("api-version") != r.Query.Get("api-version") {
			return &SecurityError{Operation: r.Operation, Why: "the link to the next page is of another API version"}
		}
	}
	return nil
}

// checkLink says what is wrong with a link; "" when nothing is. It compares the
// text before it parses, so that no difference between two readings of an
// address can be used.
func checkLink(base, prefix, tenant, link string) string {
	if len(link) > maxLink {
		return "is too long"
	}
	if strings.IndexFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) >= 0 {
		return "has characters that do not belong into an address"
	}
	rest, ok := cutBase(link, base)
	if !ok {
		return "is not of " + base
	}
	rest, ok = strings.CutPrefix(rest, prefix)
	if !ok || !strings.HasPrefix(rest, "/") {
		return "is of another API version"
	}
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Fragment != "" || u.Opaque != "" || !sameHost(u, base) {
		return "is not a plain address"
	}
	path, _, _ := strings.Cut(rest, "?")
	if err := checkPath(path); err != nil {
		return "has a path that cannot be trusted: " + err.Error()
	}
	// Graph's older addresses name the tenant first: /v1.0/{tenant}/users.
	head, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	head, _ = url.PathUnescape(head)
	isTenant := guid.MatchString(head) || strings.Contains(head, ".") && !strings.Contains(head, "(") && !strings.HasPrefix(head, "microsoft.graph.")
	if prefix != "" && isTenant && !strings.EqualFold(head, tenant) {
		return "names another tenant"
	}
	return ""
}

// cutBase removes scheme, host and port, which must be those of base; the
// standard port may be written out.
func cutBase(link, base string) (string, bool) {
	for _, b := range []string{base, base + ":443"} {
		if b != base && portOf(mustParse(base)) != "443" {
			continue
		}
		if len(link) > len(b) && strings.EqualFold(link[:len(b)], b) && link[len(b)] == '/' {
			return link[len(b):], true
		}
	}
	return "", false
}

// mustParse parses an address that check has accepted.
func mustParse(base string) *url.URL {
	u, err := url.Parse(base)
	if err != nil {
		return &url.URL{}
	}
	return u
}

// Follow sends a request to a link that an earlier answer to r held, such as a
// deltaLink or the Location of a long operation, after CheckLink.
func (c *Client) Follow(ctx context.Context, r Request, link string) (*Answer, error) {
	r, err := c.checkRequest(r)
	if err != nil {
		return nil, err
	}
	if err := c.CheckLink(r, link); err != nil {
		return nil, err
	}
	if r.Method != http.MethodGet {
		return nil, &SecurityError{Operation: r.Operation, Why: "only reads follow links"}
	}
	return c.send(ctx, r, link, nil)
}
