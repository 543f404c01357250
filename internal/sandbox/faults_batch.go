package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// batchFaults are what can be wrong with the answer to a batch (fault 16).
var batchFaults = []faultKind{
	{16, "batch", "a batch answered out of order, with parts missing, doubled or strange", []faultVariant{
		{name: "order", batch: func(_ *exchange, parts []Object) []Object {
			half := (len(parts) + 1) / 2 // neither as asked nor backwards, as the sandbox answers anyway
			return slices.Concat(parts[half:], parts[:half])
		}},
		{name: "missing", batch: func(_ *exchange, parts []Object) []Object { return parts[1:] }},
		{name: "twice", batch: func(_ *exchange, parts []Object) []Object { return append(parts, parts[0]) }},
		{name: "stranger", batch: func(_ *exchange, parts []Object) []Object {
			stranger := maps.Clone(parts[0])
			stranger["id"] = "nobody-asked"
			return append(parts, stranger)
		}},
		{name: "424", times: 1, batch: func(x *exchange, parts []Object) []Object {
			parts[0] = partOf(propText(parts[0], "id"), x.graphReply(424, "FailedDependency", "The request depends on one that failed."))
			return parts
		}},
		{name: "mixed", times: 1, value: "1", batch: func(x *exchange, parts []Object) []Object {
			for i, part := range parts {
				switch i % 3 {
				case 1:
					reply := x.graphReply(429, "TooManyRequests", "Too many requests.")
					reply.header["Retry-After"] = x.fault.Value
					parts[i] = partOf(propText(part, "id"), reply)
				case 2:
					parts[i] = partOf(propText(part, "id"), x.graphReply(503, "ServiceUnavailable", "The service is temporarily unavailable."))
				}
			}
			return parts
		}},
		{name: "base64", batch: bodies(func(raw []byte) any { return base64.StdEncoding.EncodeToString(raw) })},
		{name: "string", batch: bodies(func(raw []byte) any { return string(raw) })},
		{name: "status-text", batch: func(_ *exchange, parts []Object) []Object {
			for _, part := range parts {
				if status, is := part["status"].(json.Number); is {
					part["status"] = status.String()
				} else if status, is := part["status"].(int); is {
					part["status"] = strconv.Itoa(status)
				}
			}
			return parts
		}},
		{name: "413", times: 1, path: "/$batch", reply: jsonError(413, "RequestEntityTooLarge", "The request is too large.")},
		{name: "too-many", times: 1, path: "/$batch", reply: jsonError(400, "BadRequest", "Number of batch request steps exceeds the maximum value of 20.")},
	}},
}

// bodies writes the body of each part in another form.
func bodies(form func([]byte) any) func(*exchange, []Object) []Object {
	return func(_ *exchange, parts []Object) []Object {
		for _, part := range parts {
			if raw, err := json.Marshal(part["body"]); err == nil && part["body"] != nil {
				part["body"] = form(raw)
			}
		}
		return parts
	}
}
