package evidence

import (
	"encoding/json"
	"fmt"
)

// keyData is the data of the entries that say which key signs the log.
type keyData struct {
	Key        string          `json:"key,omitempty"` // log-begun
	New        string          `json:"new,omitempty"` // log-key, log-key-lost
	Old        string          `json:"old,omitempty"`
	Signatures json.RawMessage `json:"signatures,omitempty"`
}

// Begin returns entry 0 of a log that is signed with the key. The caller adds
// who, when and why.
func Begin(key string) Entry {
	return keyEntry(KindLogBegun, "begin the log", keyData{Key: key})
}

// Rotate returns the entry by which a new key takes over from the old one. The
// signatures are those of the people who agreed, an array in the form of their
// approvals; this package does not read them. The entry is the last of its batch,
// and the checkpoint after it is signed by LogKey.After.
func Rotate(oldKey, newKey string, signatures json.RawMessage) Entry {
	return keyEntry(KindLogKey, "change the log key", keyData{New: newKey, Old: oldKey, Signatures: signatures})
}

// Lose returns the entry by which a new key takes over from one that is lost. It
// is the last of its batch, and the new key alone signs the checkpoint after it.
func Lose(oldKey, newKey string, signatures json.RawMessage) Entry {
	return keyEntry(KindLogKeyLost, "replace the lost log key", keyData{New: newKey, Old: oldKey, Signatures: signatures})
}

func keyEntry(kind Kind, what string, d keyData) Entry {
	data, err := json.Marshal(d)
	if err != nil { // signatures that are no JSON: Line refuses what stands here now
		data = []byte(fmt.Sprintf("%q", err))
	}
	return Entry{Kind: kind, What: what, Data: data}
}

// readKeyData reads the data of such an entry. Each key has to be one. Names of
// fields count as they are spelled: encoding/json would take "New" for "new".
func (e *Entry) readKeyData() (keyData, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(e.Data, &fields); err != nil {
		return keyData{}, fmt.Errorf("the data of %s: %v", e.Kind, err)
	}
	var d keyData
	need := map[string]*string{"old": &d.Old, "new": &d.New}
	if e.Kind == KindLogBegun {
		need = map[string]*string{"key": &d.Key}
	}
	for name, key := range need {
		if err := json.Unmarshal(fields[name], key); err != nil {
			return d, fmt.Errorf("the data of %s: %q: %v", e.Kind, name, err)
		}
		if err := CheckKey(*key); err != nil {
			return d, err
		}
	}
	return d, nil
}
