package sandbox

import (
	"encoding/base64"
	"net/http"
	"time"
)

// delta answers users and groups that changed since a token (entra-docs
// delta-query-overview). The first round lists everything; a later one what was
// written since, and what was deleted as @removed.
func delta(res *resource) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		selected, err := c.chosen(res)
		if err != nil {
			return a, err
		}
		since := time.Time{}
		if token, ok := c.query.raw["$deltatoken"]; ok {
			text, e := base64.RawURLEncoding.DecodeString(token[0])
			if since, err = time.Parse(time.RFC3339Nano, string(text)); e != nil || err != nil {
				return a, &graphError{http.StatusGone, "SyncStateNotFound", "The sync state of the delta token is not found: start again."}
			}
			c.query.token = ""
		}
		c.View(func(st *State) {
			src := source{st.Count(res.set), func(i int) Object {
				o := st.At(res.set, i)
				if o == nil || !since.IsZero() && !changedSince(st, o, since) {
					return nil
				}
				return o
			}}
			if a, err = res.paged(c, st, src, selected); err != nil {
				return
			}
			body := a.body.(Object)
			body["@odata.context"] = c.context(res.contextName() + "/$delta")
			if body["@odata.nextLink"] != nil {
				return
			}
			if !since.IsZero() {
				body["value"] = append(body["value"].([]any), removed(st, res.typ, since)...)
			}
			body["@odata.deltaLink"] = "https://" + c.config.Host + "/" + c.version + "/" + res.set + "/delta?$deltatoken=" +
				base64.RawURLEncoding.EncodeToString([]byte(c.now.Format(time.RFC3339Nano)))
		})
		return a, err
	}
}

// changedSince reports whether an object was written at or after a time.
func changedSince(st *State, o Object, since time.Time) bool {
	at, is := st.Born[key(text(o, "id"))]
	return is && !at.Before(since)
}

func removed(st *State, typ string, since time.Time) []any {
	var out []any
	for _, o := range st.All(setDeleted) {
		at, err := time.Parse(time.RFC3339, text(o, "deletedDateTime"))
		if typeOf(o, "directoryObject") == typ && err == nil && !at.Before(since.Truncate(time.Second)) {
			out = append(out, Object{"id": o["id"], "@removed": Object{"reason": "changed"}})
		}
	}
	return out
}
