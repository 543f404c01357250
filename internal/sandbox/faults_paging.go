package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"
)

// pagingFaults are what can be wrong with lists and their next pages (faults 10,
// 11, 13, 21).
var pagingFaults = []faultKind{
	{10, "paging", "pages that lead nowhere", []faultVariant{
		{name: "empty-last", edit: paged(func(x *exchange, body Object, _ []Object) {
			if x.page > 0 {
				body["value"] = []Object{}
				return
			}
			body[nextLink] = x.next(1)
		})},
		{name: "same", edit: paged(func(x *exchange, body Object, _ []Object) { body[nextLink] = x.next(1) })},
		{name: "cycle", edit: paged(func(x *exchange, body Object, _ []Object) { body[nextLink] = x.next(x.page%3 + 1) })},
		{name: "endless", value: "1000000", edit: paged(func(x *exchange, body Object, items []Object) {
			if x.page > 0 {
				body["value"] = renamed(items, x.page)
			}
			if x.page+1 < x.number(1_000_000) {
				body[nextLink] = x.next(x.page + 1)
			}
		})},
	}},
	{11, "nextlink", "a next page somewhere else", []faultVariant{
		{name: "other-host", edit: linked("https://graph.example.net{path}?$skiptoken=x")},
		{name: "evil-suffix", edit: linked("https://{name}.evil.example:{port}{path}?$skiptoken=x")},
		{name: "userinfo", edit: linked("https://{host}@evil.example{path}?$skiptoken=x")},
		{name: "http", edit: linked("http://{host}{path}?$skiptoken=x")},
		{name: "port", edit: linked("https://{name}:{otherport}{path}?$skiptoken=x")},
		{name: "version", edit: linked("https://{host}{otherpath}?$skiptoken=x")},
		{name: "tenant", edit: linked("https://{host}/" + strangeTenant + "{path}?$skiptoken=x")},
		{name: "ipv6", edit: linked("https://[::1]:{port}{path}?$skiptoken=x")},
		// The o is Cyrillic.
		{name: "homograph", edit: linked("https://l\u043ecalhost:{port}{path}?$skiptoken=x")},
		{name: "relative", edit: linked("//evil.example{path}?$skiptoken=x")},
	}},
	{13, "moving-list", "items repeated or missing between two pages", []faultVariant{
		{name: "repeat", edit: paged(func(x *exchange, body Object, items []Object) {
			half := (len(items) + 1) / 2
			if x.page == 0 {
				body["value"], body[nextLink] = items[:half], x.next(1)
				return
			}
			body["value"] = items[max(0, half-1):] // the last of the first page again
		})},
		{name: "missing", edit: paged(func(x *exchange, body Object, items []Object) {
			half := (len(items) + 1) / 2
			if x.page == 0 {
				body["value"], body[nextLink] = items[:half], x.next(1)
				return
			}
			body["value"] = items[min(len(items), half+1):] // the first of the second page slipped away
		})},
	}},
	{21, "size", "very many objects", []faultVariant{
		{name: "groups", path: "/groups", value: "100000", edit: paged((*exchange).enlarge)},
		{name: "policies", path: "/identity/conditionalAccess/policies", value: "10000", edit: paged((*exchange).enlarge)},
		{name: "users", path: "/users", value: "1000000", edit: paged((*exchange).enlarge)},
	}},
}

const (
	nextLink      = "@odata.nextLink"
	strangeTenant = "7e57ab1e-0000-4000-8000-00000000beef"
	pageSize      = 999 // the largest $top of users and groups
)

// paged applies to lists alone; a strike lasts over the pages that it makes.
func paged(change func(x *exchange, body Object, items []Object)) func(*exchange, Object) Object {
	return func(x *exchange, body Object) Object {
		if _, is := body["value"].([]any); !is || !x.strikes() {
			return body
		}
		after := maps.Clone(body)
		change(x, after, propList(body, "value"))
		return after
	}
}

// next is the link to a made-up page of this list.
func (x *exchange) next(page int) string {
	query := x.url.Query()
	query.Set("$skiptoken", fmt.Sprintf("fault%d.%d", x.fault.N, page))
	return x.s.base() + x.path + "?" + query.Encode()
}

// number is the fault's value as a number.
func (x *exchange) number(otherwise int) int {
	n, err := strconv.Atoi(x.fault.Value)
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

// linked puts a link after a list.
func linked(link string) func(*exchange, Object) Object {
	return paged(func(x *exchange, body Object, _ []Object) {
		name, port, err := net.SplitHostPort(x.s.config.Host)
		if err != nil {
			name, port = x.s.config.Host, "443"
		}
		number, _ := strconv.Atoi(port)
		other := x.path
		if rest, is := strings.CutPrefix(x.path, "/v1.0/"); is {
			other = "/beta/" + rest
		} else if rest, is := strings.CutPrefix(x.path, "/beta/"); is {
			other = "/v1.0/" + rest
		}
		body[nextLink] = strings.NewReplacer("{host}", x.s.config.Host, "{name}", name, "{port}", port,
			"{otherport}", strconv.Itoa(number+1), "{path}", x.path, "{otherpath}", other).Replace(link)
	})
}

// renamed are copies of objects under ids of their own, the same at each run.
func renamed(items []Object, round int) []Object {
	out := make([]Object, 0, len(items))
	for i, item := range items {
		next := maps.Clone(item)
		next["id"] = madeUpID(round, i)
		out = append(out, next)
	}
	return out
}

func madeUpID(round, i int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", 0xfa000000+round%0xffffff, i)
}

// enlarge makes a list of value objects: the real ones, and copies of the first.
func (x *exchange) enlarge(body Object, items []Object) {
	last := x.path[strings.LastIndex(x.path, "/")+1:]
	if !strings.HasSuffix(x.fault.Path, last) || len(items) == 0 {
		return // members of a group and the like stay as they are
	}
	total, size := x.number(0), pageSize
	if last == "policies" {
		size = total // Conditional Access policies come in one page
	}
	var page []Object
	for i := x.page * size; i < min((x.page+1)*size, total); i++ {
		if i < len(items) {
			page = append(page, items[i])
			continue
		}
		next := maps.Clone(items[0])
		next["id"] = madeUpID(0, i)
		if _, has := next["displayName"]; has {
			next["displayName"] = fmt.Sprintf("Made up %d", i)
		}
		page = append(page, next)
	}
	body["value"] = page
	if _, has := body["@odata.count"]; has {
		body["@odata.count"] = json.Number(strconv.Itoa(total))
	}
	if (x.page+1)*size < total {
		body[nextLink] = x.next(x.page + 1)
	}
}
