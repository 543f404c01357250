package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ways lists the ways to be wrong.
var ways = []struct {
	name  string
	rules string // of which it must break one
	make  func(*mutant) (string, bool)
}{
	{"another method", "path", func(m *mutant) (string, bool) { m.x.Method = http.MethodPut; return "", true }},
	{"a path below", "path", func(m *mutant) (string, bool) {
		path, q, has := strings.Cut(m.x.URL, "?")
		m.x.URL = path + "/$noSuchResource"
		if has {
			m.x.URL += "?" + q
		}
		return "", true
	}},
	{"a misspelt path", "path", func(m *mutant) (string, bool) {
		m.x.URL = strings.Replace(m.x.URL, "/"+m.op.Version+"/", "/"+m.op.Version+"/x", 1)
		return "", m.op.Version != ARM && !strings.HasPrefix(m.op.Path, "/{")
	}},
	{"a version that lacks the operation", "path", func(m *mutant) (string, bool) {
		other := map[string]string{V1: Beta, Beta: V1}[m.op.Version]
		if _, path, _, err := address(m.x.URL); err == nil && other != "" {
			if _, err := m.c.Find(m.x.Method, other, path); err != nil {
				m.x.URL = strings.Replace(m.x.URL, "/"+m.op.Version+"/", "/"+other+"/", 1)
				return "", true
			}
		}
		return "", false
	}},
	{"an unknown query option", "query", query(func(_ *mutant, q url.Values) bool { q.Set("$selekt", "id"); return true })},
	{"a query option without its sign", "query", query(func(_ *mutant, q url.Values) bool { q.Set("top", "5"); return true })},
	{"a query option of other operations", "query", query(func(m *mutant, q url.Values) bool {
		for _, name := range []string{"$search", "$skip", "$filter"} {
			if !slices.Contains(m.op.Query, name) {
				q.Set(name, "1")
				return true
			}
		}
		return false
	})},
	{"a query option twice", "query", query(func(m *mutant, q url.Values) bool {
		for name, values := range q {
			q[name] = append(values, values...)
			return true
		}
		return false
	})},
	{"$select of nothing there", "query", option("$select", "id,noSuchProperty")},
	{"$filter on nothing there", "query", option("$filter", "noSuchProperty eq 'x'")},
	{"$filter in a lambda on nothing there", "query", option("$filter", "noSuchList/any(x: x eq 'y')")},
	{"$filter with an unknown function", "query", option("$filter", "soundslike(id,'x')")},
	{"$filter cut off", "query", option("$filter", "(id eq 'x'")},
	{"$orderby nothing there", "query", option("$orderby", "noSuchProperty desc")},
	{"$expand of nothing there", "query", option("$expand", "noSuchRelation")},
	{"$expand of a plain property", "query", option("$expand", "id")},
	{"$expand with $select of nothing there", "query", members("members($select=id,noSuchProperty)")},
	{"$search without a property", "query", option("$search", "wa")},
	{"$top of none", "query", option("$top", "0")},
	{"$top of too many", "query", option("$top", "5000")},
	{"$select of nothing", "query", option("$select", "")},
	{"$expand of nothing", "query", option("$expand", "")},
	{"$filter of nothing", "query", option("$filter", "")},
	{"$filter that cannot be read", "query", option("$filter", "id eq ^")},
	{"$filter of any on a text", "query", option("$filter", "id/any(x: x eq 'y')")},
	{"$search of nothing there", "query", option("$search", `"noSuchProperty:x"`)},
	{"$orderby in a direction of its own", "query", option("$orderby", "id up")},
	{"$expand with an option of its own", "query", members("members($selekt=id)")},
	{"$expand to something else", "query", members("members/microsoft.graph.domain")},
	{"$expand within $expand of nothing there", "query", members("owners($expand=noSuchRelation)")},
	{"$skip in words", "query", option("$skip", "some")},
	{"$skiptoken without a token", "query", query(func(m *mutant, q url.Values) bool { q.Set("$skiptoken", ""); return m.op.List })},
	{"a query that cannot be read", "query", func(m *mutant) (string, bool) {
		sign := "?"
		if strings.Contains(m.x.URL, "?") {
			sign = "&"
		}
		m.x.URL += sign + "$select=%zz"
		return "", m.op.Version != ARM
	}},
	{"Azure without a version", "query", func(m *mutant) (string, bool) {
		m.x.URL, _, _ = strings.Cut(m.x.URL, "?")
		return "", m.op.Version == ARM
	}},
	{"an Azure option without a value", "query", func(m *mutant) (string, bool) {
		m.x.URL += "&tenantId="
		return "", slices.Contains(m.op.Query, "tenantId")
	}},
	{"an error of Azure that is a text", "error", func(m *mutant) (string, bool) {
		m.x.Status, m.x.ResponseBody = http.StatusForbidden, rawBody(`{"error":"Forbidden"}`)
		return "", m.op.Version == ARM
	}},
	{"$count in words", "query", option("$count", "yes")},
	{"an advanced query without the header", "header", query(func(m *mutant, q url.Values) bool {
		if !m.c.types[m.op.Version].derives(m.op.Item, "microsoft.graph.directoryObject") || !slices.Contains(m.op.Query, "$filter") {
			return false
		}
		q.Set("$filter", "id ne 'x'")
		q.Set("$count", "true")
		m.x.RequestHeader.Del("ConsistencyLevel")
		return true
	})},
	{"an advanced query without $count", "query", query(func(m *mutant, q url.Values) bool {
		if !m.c.types[m.op.Version].derives(m.op.Item, "microsoft.graph.directoryObject") || !slices.Contains(m.op.Query, "$filter") {
			return false
		}
		q.Set("$filter", "not(id eq 'x')")
		q.Del("$count")
		m.x.RequestHeader.Set("ConsistencyLevel", "eventual")
		return true
	})},
	{"a list without the filter it demands", "query", query(func(m *mutant, q url.Values) bool {
		had := q.Get("$filter") != "" && mandatory[m.op.Path] != nil
		q.Del("$filter")
		return had
	})},
	{"a request with an unknown property", "property", objects(true, addUnknown)},
	{"an answer with an unknown property", "property", objects(false, addUnknown)},
	{"an unknown annotation", "property", objects(false, func(_ *mutant, s spot) bool { s.holder["@odata.noSuch"] = "x"; return true })},
	{"an annotation of nothing there", "property", objects(false, func(m *mutant, s spot) bool {
		if m.c.types[m.op.Version].open(s.owner) {
			return false
		}
		s.holder["noSuchProperty@odata.count"] = 1
		return true
	})},
	{"a request without @odata.type", "discriminator property", objects(true, dropType)},
	{"an answer without @odata.type", "discriminator property", objects(false, dropType)},
	{"@odata.type of something else", "discriminator", objects(false, func(_ *mutant, s spot) bool {
		s.holder["@odata.type"] = "#microsoft.graph.targetResource"
		return s.owner != "microsoft.graph.targetResource"
	})},
	{"@odata.type that does not exist", "discriminator", objects(false, func(_ *mutant, s spot) bool { s.holder["@odata.type"] = "#microsoft.graph.noSuchType"; return true })},
	{"@odata.type without #", "discriminator", objects(false, func(_ *mutant, s spot) bool { s.holder["@odata.type"] = s.owner; return true })},
	{"a number for a text", "type", first(primitive("Edm.String", "string"), func(spot) any { return 7 })},
	{"a text for a Boolean", "type", first(primitive("Edm.Boolean", "boolean"), func(s spot) any { return fmt.Sprint(s.holder[s.key]) })},
	{"a text for a number", "type", first(primitive("Edm.Int32", "Edm.Int64", "integer:int32", "integer:int64"), func(s spot) any { return fmt.Sprint(s.holder[s.key]) })},
	{"a fraction for a whole number", "type", first(primitive("Edm.Int32", "integer:int32"), func(spot) any { return 1.5 })},
	{"a number too large", "type", first(primitive("Edm.Int32", "integer:int32"), func(spot) any { return 1 << 40 })},
	{"a date in words", "type", first(primitive("Edm.DateTimeOffset", "string:date-time"), func(spot) any { return "yesterday" })},
	{"a date without a zone", "type", first(primitive("Edm.DateTimeOffset", "string:date-time"), func(spot) any { return "2026-11-21T10:00:00" })},
	{"a name for a GUID", "type", first(primitive("Edm.Guid", "string:uuid"), func(spot) any { return "adele" })},
	{"a number for a duration", "type", first(primitive("Edm.Duration", "string:duration"), func(spot) any { return 3600 })},
	{"a text for an object", "type", first(primitive("complex"), func(spot) any { return "x" })},
	{"a list for an object", "type", first(primitive("complex"), func(s spot) any { return []any{s.holder[s.key]} })},
	{"an object for a list", "type", first(primitive("list"), func(spot) any { return map[string]any{} })},
	{"a text for a list", "type", first(primitive("list"), func(spot) any { return "x" })},
	{"a text for an object that the description leaves out", "type", objects(false, func(m *mutant, s spot) bool {
		e, _, known := m.c.types[m.op.Version].property(s.owner, "calendar")
		s.holder["calendar"] = "x"
		return known && m.c.types[m.op.Version][e] == nil
	})},
	{"null in a list", "null", first(primitive("list"), func(spot) any { return []any{nil} })},
	{"null where it may not be", "null", first(func(_ *mutant, s spot) bool {
		return s.holder[s.key] != nil && !strings.HasSuffix(s.expression, "?") && s.expression != "any"
	}, func(spot) any { return nil })},
	{"an unknown member", "enum", first(primitive("enum"), func(spot) any { return "noSuchMember" })},
	{"a member in capitals", "enum", first(primitive("enum"), func(s spot) any { return strings.ToUpper(fmt.Sprint(s.holder[s.key])) })},
	{"a number for a member", "type", first(primitive("enum"), func(spot) any { return 1 })},
	{"a request that says a name twice", "body", text(true, twice)},
	{"an answer that says a name twice", "body", text(false, twice)},
	{"a request cut off", "body", text(true, cut)},
	{"an answer cut off", "body", text(false, cut)},
	{"a body where none is described", "body", text(true, func(m *mutant, body string) (string, bool) {
		return `{"id":"x"}`, m.op.request == "" && body == ""
	})},
	{"no body where one is required", "body", text(true, func(m *mutant, body string) (string, bool) { return "", m.op.bodyRequired })},
	{"a reference to nothing", "body", text(true, func(m *mutant, _ string) (string, bool) {
		return `{"@odata.id":"directoryObjects"}`, strings.HasSuffix(m.op.request, "referenceCreate")
	})},
	{"no answer where one is described", "body", text(false, func(m *mutant, body string) (string, bool) {
		return "", body != "" && !m.op.plain && m.x.Status == http.StatusOK && m.op.Version != ARM
	})},
	{"an answer where none is described", "body", text(false, func(m *mutant, _ string) (string, bool) {
		m.x.Status = http.StatusOK
		return `{"id":"x"}`, m.op.response == ""
	})},
	{"a count in words", "type", text(false, func(m *mutant, _ string) (string, bool) { return "three", m.op.plain })},
	{"an answer with 204", "body", text(false, func(m *mutant, body string) (string, bool) { return `{}`, m.x.Status == 204 })},
	{"200 for 201", "status", status(201, 200)}, {"200 for 204", "status", status(204, 200)}, {"201 for 200", "status", status(200, 201)}, {"204 for 200", "status", status(200, 204)}, {"202 for 200", "status", status(200, 202)}, {"302 for 200", "status", status(200, 302)},
	{"an object for the list", "type", top(func(m *mutant, body map[string]any) bool {
		list, is := body["value"].([]any)
		if is && len(list) > 0 {
			body["value"] = list[0]
		}
		return m.op.List && is && len(list) > 0
	})},
	{"no value in a list", "body", top(func(m *mutant, body map[string]any) bool { delete(body, "value"); return m.op.List })},
	{"a list for the object", "type", text(false, func(m *mutant, body string) (string, bool) {
		return "[" + body + "]", !m.op.List && body != "" && m.op.response != "" && m.x.Status < 300
	})},
	{"no @odata.context", "context", top(func(m *mutant, body map[string]any) bool {
		delete(body, "@odata.context")
		return m.op.Version != ARM && m.x.ResponseHeader != nil
	})},
	{"@odata.context of the other version", "context", top(func(m *mutant, body map[string]any) bool {
		other := map[string]string{V1: Beta, Beta: V1}[m.op.Version]
		body["@odata.context"] = "https://graph.microsoft.com/" + other + "/$metadata#users"
		return other != ""
	})},
	{"@odata.nextLink to another host", "link", top(func(m *mutant, body map[string]any) bool {
		body["@odata.nextLink"] = "https://graph.example.net/" + m.op.Version + "/users?$skiptoken=x"
		return m.op.List && m.op.Version != ARM
	})},
	{"@odata.nextLink to the other version", "link", top(func(m *mutant, body map[string]any) bool {
		other := map[string]string{V1: Beta, Beta: V1}[m.op.Version]
		body["@odata.nextLink"] = strings.Replace(m.x.URL, "/"+m.op.Version+"/", "/"+other+"/", 1)
		return m.op.List && m.op.Version != ARM
	})},
	{"no @odata.count where it was asked for", "query", top(func(m *mutant, body map[string]any) bool {
		u, err := url.Parse(m.x.URL)
		_, had := body["@odata.count"]
		delete(body, "@odata.count")
		return err == nil && had && u.Query().Get("$count") == "true" && m.x.ResponseHeader != nil
	})},
	{"@odata.nextLink to another list", "link", top(func(m *mutant, body map[string]any) bool {
		u, err := url.Parse(m.x.URL)
		body["@odata.nextLink"] = "https://" + u.Host + "/" + m.op.Version + "/subscribedSkus"
		return err == nil && m.op.List && m.x.Method == http.MethodGet && m.op.Version != ARM && m.op.Path != "/subscribedSkus"
	})},
	{"@odata.count in words", "type", top(func(m *mutant, body map[string]any) bool { body["@odata.count"] = "3"; return m.op.List })},
	{"a property that was not asked for", "select", query(func(m *mutant, q url.Values) bool {
		v, err := decode(m.x.ResponseBody)
		object, is := v.(map[string]any)
		if _, has := object["displayName"]; err != nil || !is || !has || m.x.Method != http.MethodGet || m.x.Status != 200 || !slices.Contains(m.op.Query, "$select") {
			return false
		}
		q.Set("$select", "id")
		return true
	})},
	{"a throttled policy that says when to come back", "header", func(m *mutant) (string, bool) {
		if m.x.ResponseHeader == nil || !silentThrottle.MatchString(m.op.Path) {
			return "", false
		}
		m.x.ResponseHeader.Set("Retry-After", "1")
		at, done := failing4xx(`{"error":{"code":"TooManyRequests","message":"x","innerError":{"date":"2026-11-21T10:00:00","request-id":"1","client-request-id":"2"}}}`)(m)
		m.x.Status = http.StatusTooManyRequests
		return at, done
	}},
	{"an error that is a text", "error", failing4xx(`{"error":"Forbidden"}`)},
	{"an error without a code", "error", failing4xx(`{"error":{"message":"Forbidden","innerError":{"date":"2026-11-21T10:00:00","request-id":"1","client-request-id":"2"}}}`)},
	{"an error without an error", "error", failing4xx(`{"message":"Forbidden"}`)},
	{"an error without innerError", "error", func(m *mutant) (string, bool) {
		at, done := failing4xx(`{"error":{"code":"Forbidden","message":"x"}}`)(m)
		return at, done && m.x.ResponseHeader != nil
	}},
	{"an error in HTML", "error", failing4xx(`<html>Forbidden</html>`)},
	{"an error with an unknown property", "property", failing4xx(`{"error":{"code":"Forbidden","message":"x","reason":"y","innerError":{"date":"2026-11-21T10:00:00","request-id":"1","client-request-id":"2"}}}`)},
	{"an error without a request id", "error", failing4xx(`{"error":{"code":"Forbidden","message":"x","innerError":{"date":"2026-11-21T10:00:00"}}}`)},
	{"no request-id", "header", func(m *mutant) (string, bool) {
		had := m.x.ResponseHeader.Get("request-id") != ""
		m.x.ResponseHeader.Del("request-id")
		return "", had && m.op.Version != ARM
	}},
	{"another Content-Type", "header", func(m *mutant) (string, bool) {
		had := m.x.ResponseHeader.Get("Content-Type") != "" && len(m.x.ResponseBody) > 0
		m.x.ResponseHeader.Set("Content-Type", "text/html")
		return "", had && m.op.Version != ARM
	}},
	{"a request of another Content-Type", "header", func(m *mutant) (string, bool) {
		m.x.RequestHeader.Set("Content-Type", "text/plain")
		return "", len(m.x.RequestBody) > 0 && m.x.ResponseHeader != nil
	}},
	{"a part asked twice", "batch", batchWay(func(asked, _ map[string]any) bool { return double(asked, "requests") })},
	{"a part answered twice", "batch", batchWay(func(_, answered map[string]any) bool { return double(answered, "responses") })},
	{"a part not answered", "batch", batchWay(func(_, answered map[string]any) bool { answered["responses"] = []any{}; return true })},
	{"a part with an address of its own", "batch", batchWay(func(asked, _ map[string]any) bool {
		return part(asked, "requests", "url", "https://graph.microsoft.com/v1.0/users")
	})},
	{"an answer to no part", "batch", batchWay(func(_, answered map[string]any) bool {
		done := double(answered, "responses")
		rename(answered["responses"], 7)
		return done
	})},
	{"a part with a body and no Content-Type", "batch", batchWay(func(asked, _ map[string]any) bool {
		return part(asked, "requests", "body", map[string]any{"id": "x"})
	})},
	{"a part outside", "path", batchWay(func(asked, _ map[string]any) bool { return part(asked, "requests", "url", "/noSuchResource") })},
	{"a part that depends on nothing there", "batch", batchWay(func(asked, _ map[string]any) bool {
		return part(asked, "requests", "dependsOn", []any{"none"})
	})},
	{"a part with an unknown property", "property", batchWay(func(_, answered map[string]any) bool {
		return part(answered, "responses", "body", map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users", "value": []any{map[string]any{"noSuchProperty": 1}}})
	})},
	{"too many parts", "batch", batchWay(func(asked, answered map[string]any) bool {
		for i := range batchLimit + 1 {
			double(asked, "requests")
			double(answered, "responses")
			rename(asked["requests"], i)
			rename(answered["responses"], i)
		}
		return true
	})},
}

// batchWay changes the two bodies of a batch.
func batchWay(change func(asked, answered map[string]any) bool) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		if !strings.HasSuffix(m.op.Path, "/$batch") || m.x.Status != http.StatusOK {
			return "", false
		}
		var asked, answered map[string]any
		if json.Unmarshal(m.x.RequestBody, &asked) != nil || json.Unmarshal(m.x.ResponseBody, &answered) != nil || !change(asked, answered) {
			return "", false
		}
		request, err := json.Marshal(asked)
		if err != nil {
			return "", false
		}
		response, err := json.Marshal(answered)
		m.x.RequestBody, m.x.ResponseBody = request, response
		return "", err == nil
	}
}

// double appends a copy of the first element of a list.
func double(body map[string]any, name string) bool {
	parts, _ := body[name].([]any)
	if len(parts) == 0 {
		return false
	}
	one, _ := parts[0].(map[string]any)
	body[name] = append(parts, maps.Clone(one))
	return true
}

// rename gives the last element of a list an id of its own.
func rename(parts any, n int) {
	all, _ := parts.([]any)
	last, _ := all[len(all)-1].(map[string]any)
	last["id"] = fmt.Sprint("x", n)
}

// part changes one member of the first part.
func part(body map[string]any, name, key string, v any) bool {
	parts, _ := body[name].([]any)
	if len(parts) == 0 {
		return false
	}
	one, _ := parts[0].(map[string]any)
	one[key] = v
	return true
}
