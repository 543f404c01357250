package app

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"halligan/evidence"
	"halligan/internal/store"
)

// KnownLog is a log that an account has seen. A log that somebody begins anew is
// bound by nothing that was approved in the one before it; within one store nothing
// shows that, and whoever remembers the other notices.
type KnownLog struct {
	Store string   `json:"store"` // id
	Keys  []string `json:"keys"`  // public log keys, the first first
	Where string   `json:"where"` // for people
}

// Key is the newest public key of the log that was seen.
func (k *KnownLog) Key() string {
	if len(k.Keys) == 0 {
		return "(no key)"
	}
	return k.Keys[len(k.Keys)-1]
}

// KnownLogs are the logs of one tenant that an account has seen.
type KnownLogs struct {
	Version int        `json:"version"`
	Logs    []KnownLog `json:"logs"`
}

// Bounds of what is remembered.
const (
	MaxKnownLogs  = 64 << 10 // bytes
	mostKnownLogs = 32
	mostKnownKeys = 64
	knownVersion  = 1
)

var storeID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// ParseKnownLogs reads what Write wrote, and nothing else.
func ParseKnownLogs(text []byte) (*KnownLogs, error) {
	if len(text) > MaxKnownLogs {
		return nil, fmt.Errorf("it has more than %d bytes", MaxKnownLogs)
	}
	k := &KnownLogs{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(k); err != nil {
		return nil, fmt.Errorf("it is not of the form that is written: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) || k.Version != knownVersion || len(k.Logs) == 0 || len(k.Logs) > mostKnownLogs {
		return nil, errors.New("it is not of the form that is written")
	}
	for i := range k.Logs {
		l := &k.Logs[i]
		if !storeID.MatchString(l.Store) || len(l.Keys) == 0 || len(l.Keys) > mostKnownKeys || slices.ContainsFunc(k.Logs[:i], func(o KnownLog) bool { return o.Store == l.Store }) {
			return nil, fmt.Errorf("log %d of it is not of the form that is written", i)
		}
		for _, key := range l.Keys {
			if err := evidence.CheckKey(key); err != nil {
				return nil, fmt.Errorf("log %d of it: %w", i, err)
			}
		}
	}
	return k, nil
}

// Write is the text that ParseKnownLogs reads.
func (k *KnownLogs) Write() ([]byte, error) {
	k.Version = knownVersion
	text, err := json.MarshalIndent(k, "", "  ")
	return append(text, '\n'), err
}

// LogOf is the log of a view, as it is remembered. ok is false for one that has not
// begun.
func LogOf(v store.View, id, where string) (log KnownLog, ok bool, err error) {
	type keyAt struct {
		at  uint64
		key string
	}
	var keys []keyAt
	for _, kind := range []evidence.Kind{evidence.KindLogBegun, evidence.KindLogKey, evidence.KindLogKeyLost} {
		for e, err := range v.Find(kind, "") {
			if err != nil {
				return log, false, err
			}
			var d struct{ Key, New string }
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return log, false, fmt.Errorf("read entry %d: %w", e.Index, err)
			}
			keys = append(keys, keyAt{e.Index, d.Key + d.New})
		}
	}
	slices.SortFunc(keys, func(a, b keyAt) int { return cmp.Compare(a.at, b.at) })
	log = KnownLog{Store: id, Where: where}
	for _, k := range keys {
		log.Keys = append(log.Keys, k.key)
	}
	return log, len(keys) > 0, nil
}

// Knows reports whether a log is one of these: the same store, and the keys that
// were seen are those that it had, as far as both go. A log that was taken back to a
// backup has fewer.
func (k *KnownLogs) Knows(l *KnownLog) bool {
	for i := range k.Logs {
		o := &k.Logs[i]
		if n := min(len(o.Keys), len(l.Keys)); o.Store == l.Store && n > 0 && slices.Equal(o.Keys[:n], l.Keys[:n]) {
			return true
		}
	}
	return false
}

// Add remembers a log, with what is new about it, and reports whether anything is.
// Of more logs or keys than are kept the first go.
func (k *KnownLogs) Add(l KnownLog) bool {
	l.Keys = slices.Clone(l.Keys)
	at := slices.IndexFunc(k.Logs, func(o KnownLog) bool { return o.Store == l.Store })
	switch {
	case len(l.Keys) > mostKnownKeys:
		return false // what was seen of it stays
	case at < 0:
		k.Logs = append(k.Logs, l)
		k.Logs = k.Logs[max(0, len(k.Logs)-mostKnownLogs):]
		return true
	case len(l.Keys) <= len(k.Logs[at].Keys):
		return false
	}
	k.Logs[at] = l
	return true
}
