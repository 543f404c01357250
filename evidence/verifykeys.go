package evidence

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// followKey takes entry 0, which names the first key, and every entry that brings
// a new one.
func (w *walk) followKey(i uint64, line []byte) error {
	e, err := ParseLine(line)
	if err != nil {
		return &Finding{i, Malformed, err.Error()}
	}
	if (e.Kind == KindLogBegun) != (i == 0) {
		return &Finding{i, Malformed, "a log begins with " + string(KindLogBegun) + ", once"}
	}
	if e.Kind != KindLogBegun && e.Kind != KindLogKey && e.Kind != KindLogKeyLost {
		return nil
	}
	d, err := e.readKeyData()
	if err != nil {
		return &Finding{i, Malformed, err.Error()}
	}
	if e.Kind == KindLogBegun {
		w.take(d.Key, 0, w.isGiven(d.Key))
		return nil
	}
	old := w.chain[len(w.chain)-1]
	if w.on(stepKeyChain) && (d.Old != w.result.Keys[len(w.result.Keys)-1].Key || d.New == d.Old) {
		return &Finding{i, OtherKey, "the old key that the entry names does not sign here"}
	}
	if e.Kind == KindLogKey {
		w.take(d.New, i+1, w.trusted || w.isGiven(d.New))
		w.sealing = []note.Verifier{old, w.chain[len(w.chain)-1]}
		return nil
	}
	w.result.Losses = append(w.result.Losses, Loss{i, d.Old, d.New})
	w.take(d.New, w.last, w.isGiven(d.New))
	w.distrust = w.last
	w.sealing = w.chain[len(w.chain)-1:]
	return nil
}

// take makes a key the one that signs from an entry on.
func (w *walk) take(key string, from uint64, trusted bool) {
	if last := len(w.result.Keys) - 1; last >= 0 {
		w.result.Keys[last].To = from
	}
	v, _ := parsePublic(key) // readKeyData did it before
	w.chain = append(w.chain, v)
	w.result.Keys = append(w.result.Keys, Vouch{Key: key, From: from})
	w.trusted = trusted
}

func (w *walk) isGiven(key string) bool {
	for _, k := range w.o.Keys {
		if k == key {
			return true
		}
	}
	return false
}

// reached judges the checkpoints whose size the walk has come to.
func (w *walk) reached() error {
	if w.on(stepKeySealed) && w.sealing != nil && (w.next == nil || w.next.Size != w.size()) {
		return &Finding{w.last, OtherKey, "the key changes, and no checkpoint right after it is signed by the new key"}
	}
	if w.next != nil && w.next.Size == w.size() {
		if err := w.signed(); err != nil {
			return err
		}
		if w.on(stepRoot) && w.next.Root != w.tree.Root() {
			return &Finding{w.last, Altered, "entries were rewritten with their hashes: the next checkpoint has another root"}
		}
		w.sealing = nil
		w.last = w.size()
		w.result.Size, w.result.Root = w.last, w.next.Root
		w.result.Keys[len(w.result.Keys)-1].To = w.last
		w.result.Checkpoints = append(w.result.Checkpoints, w.next.Checkpoint)
		if err := w.nextCheckpoint(); err != nil {
			return err
		}
	}
	for len(w.outside) > 0 && w.outside[0].Size == w.size() {
		if err := w.agrees(w.outside[0]); err != nil {
			return err
		}
		if w.on(stepOutsideRoot) && w.outside[0].Root != w.tree.Root() {
			return &Finding{w.lastOut, Forked, "a checkpoint from outside has another root"}
		}
		w.lastOut = w.size()
		w.result.Outside++
		w.outside = w.outside[1:]
	}
	return nil
}

// signed judges the signatures of the next checkpoint: exactly those of the keys
// that sign at this size, in their order.
func (w *walk) signed() error {
	want := w.chain[len(w.chain)-1:]
	if w.sealing != nil {
		want = w.sealing
	}
	if w.on(stepSigners) && len(w.next.signatures) != len(want) {
		return &Finding{w.last, OtherKey, "the next checkpoint is not signed by exactly the keys of this place"}
	}
	for i, s := range w.next.signatures[:min(len(want), len(w.next.signatures))] {
		if w.on(stepSigners) && !s.by(want[i]) {
			return &Finding{w.last, OtherKey, "the next checkpoint is signed by another key than the one of this place"}
		}
		if w.on(stepSignature) && !w.verify(want[i], w.next, s) {
			return &Finding{w.last, Unsigned, "a signature of the next checkpoint is false"}
		}
	}
	return nil
}

func (w *walk) verify(v note.Verifier, n *signedCheckpoint, s signature) bool {
	if w.o.check != nil {
		return w.o.check(v, n.text, s.raw[4:])
	}
	return v.Verify(n.text, s.raw[4:])
}

// believed judges a checkpoint that stands outside of the order: one of the keys
// that the log or the caller names has signed it, and none of them falsely.
func (w *walk) believed(n *signedCheckpoint) Fault {
	fault := OtherKey
	for _, s := range n.signatures {
		for _, keys := range [][]note.Verifier{w.chain, w.given} {
			for _, v := range keys {
				if !s.by(v) {
					continue
				}
				if !w.verify(v, n, s) {
					return Unsigned
				}
				fault = ""
			}
		}
	}
	return fault
}

// agrees judges a checkpoint from outside by all but its root.
func (w *walk) agrees(n *signedCheckpoint) error {
	if fault := w.believed(n); fault != "" && w.on(stepOutsideSignature) {
		return &Finding{w.lastOut, fault, "the next checkpoint from outside is not signed by a key of this log"}
	}
	if n.Origin != w.result.Origin && w.on(stepOrigin) {
		return &Finding{w.lastOut, Forked, "the next checkpoint from outside is of another log"}
	}
	return nil
}

// end judges what can be judged only when the last entry was read.
func (w *walk) end() error {
	if w.next != nil && w.on(stepUnreached) {
		if fault := w.believed(w.next); fault != "" {
			return &Finding{w.last, fault, "the next checkpoint is not signed by a key of this log"}
		}
		return &Finding{w.size(), Cut, "a checkpoint covers more entries than are there"}
	}
	if w.on(stepCovered) && w.last < w.size() {
		return &Finding{w.last, Unsigned, "no checkpoint covers the entries from here on"}
	}
	if w.on(stepTrust) && !w.trusted {
		return &Finding{w.distrust, OtherKey, "none of the keys given signs here"}
	}
	for _, n := range w.outside {
		if err := w.agrees(n); err != nil {
			return err
		}
		if w.on(stepRolledBack) {
			return &Finding{w.size(), RolledBack, fmt.Sprintf("a checkpoint from outside covers %d entries, here are %d", n.Size, w.size())}
		}
	}
	return nil
}
