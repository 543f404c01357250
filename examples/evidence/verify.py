#!/usr/bin/env python3
"""Verify an exported evidence log, with nothing but Python's standard library.

    python3 verify.py --key KEY [--key KEY] [--checkpoint FILE] FOLDER

It prints `good SIZE ROOT` and ends with 0, or prints `bad INDEX FAULT` and ends
with 3; 2 means that it was called wrongly. It was written from
docs/evidence-format.md, shares no code with Halligan, and follows the steps of
that page in their order. Take KEY from the binder, never from the folder.
"""
import argparse
import base64
import hashlib
import json
import os
import re
import sys

MAX_LINE, MAX_CHECKPOINTS = 65536, 1 << 20
FILES = {"entries.jsonl", "hashes.txt", "checkpoints.txt"}
NOTE = re.compile(  # groups: text, origin, size, root, signatures
    rb"((halligan/evidence/[0-9a-f]{32})\n([1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)\n"
    rb"time [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\n(?:generation [1-9][0-9]{0,17}\n)?)"
    rb"\n((?:\xe2\x80\x94 [!-*,-~]{1,100} [A-Za-z0-9+/]{91}=\n){1,2})")
INDEX = re.compile(rb'\{"index":(0|[1-9][0-9]{0,17}),')
BODY = re.compile(rb'"kind":"[ -~]*\}')
KEY = re.compile(r"([!-*,-~]{1,100})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")

# Ed25519, RFC 8032 5.1, on points (x, y, z, t) with x*y = z*t.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, a)
        a, n = add(a, a), n >> 1
    return total


def point(raw):
    """The point with this encoding, or None."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, (y & 2**255 - 1) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        return None
    if x & 1 != sign:
        x = -x % P
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519(key, text, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    a = point(key)
    if a is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little") % L
    x, y, z, _ = add(times(s, BASE), times(k, (-a[0] % P, a[1], 1, -a[3] % P)))
    x, y = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == r


class Bad(Exception):
    """The first thing that is wrong: an index and a fault."""


def leaf_hash(line):
    return hashlib.sha256(b"\0" + line).digest()


def root_hash(edge):
    """The root of a tree (RFC 6962 2.1) from its complete subtrees, the largest first."""
    *edge, root = edge
    for _, left in reversed(edge):
        root = (0, hashlib.sha256(b"\1" + left + root[1]).digest())
    return root[1]


def read_key(text):
    """(name, hash of the key, key) of a line name+hash+base64, or None."""
    m = KEY.fullmatch(text) if isinstance(text, str) else None
    raw = base64.b64decode(m[3]) if m else b""
    if len(raw) != 33 or raw[0] != 1 or hashlib.sha256(m[1].encode() + b"\n" + raw).hexdigest()[:8] != m[2]:
        return None
    return m[1].encode(), bytes.fromhex(m[2]), raw[1:]


class Note:
    """A signed checkpoint, read and not believed yet."""

    def __init__(self, match):
        self.text, self.origin, self.size, self.root = match[1], match[2], int(match[3]), match[4]
        self.signatures, spelled = [], [self.root]  # (name, hash of the key, signature)
        for line in match[5].splitlines():
            _, name, b64 = line.split(b" ")
            raw = base64.b64decode(b64)
            spelled.append(b64)
            self.signatures.append((name, raw[:4], raw[4:]))
        if any(base64.b64encode(base64.b64decode(b)) != b for b in spelled):
            raise ValueError("base64 in another spelling")

    def believed(self, keys):
        """None when one of the keys signed it and none of them falsely; else the fault."""
        fault = "key"
        for name, key_hash, signature in self.signatures:
            for key in keys:
                if (name, key_hash) == key[:2]:
                    if not ed25519(key[2], self.text, signature):
                        return "signature"
                    fault = None
        return fault


def read_note(data, start=0):
    """The note at start and where it ends; None when there is none."""
    match = NOTE.match(data, start)
    try:
        return (Note(match), match.end()) if match else (None, start)
    except ValueError:
        return None, start


def key_of(i, line):
    """What an entry says about the key of the log: (kind, old key, new key)."""
    try:
        entry = json.loads(line)
        kind, data = entry["kind"], entry.get("data", {})
        if json.dumps(entry, separators=(",", ":")).encode() != line or (kind == "log-begun") != (i == 0):
            raise ValueError
        old, new = data.get("old"), data.get("key" if i == 0 else "new")
    except (ValueError, KeyError, AttributeError, RecursionError):
        raise Bad(i, "form") from None
    if kind not in ("log-begun", "log-key", "log-key-lost"):
        return None, None, None
    if read_key(new) is None or i > 0 and read_key(old) is None:
        raise Bad(i, "form")
    return kind, old, new


def check_line(i, lines, hashes):
    """Entry i against its hash and its index."""
    line, leaf = lines[i], leaf_hash(lines[i])
    short = [x for x in lines if len(x) <= MAX_LINE]
    if leaf.hex().encode() != hashes[i]:
        if leaf.hex().encode() not in hashes:
            raise Bad(i, "altered")
        raise Bad(i, "moved" if hashes[i] in [leaf_hash(x).hex().encode() for x in short] else "deleted")
    index = INDEX.match(line)
    if not index:
        raise Bad(i, "form")
    if int(index[1]) != i:
        raise Bad(i, "moved" if any(x.startswith(b'{"index":%d,' % i) for x in short) else "deleted")
    if not BODY.fullmatch(line, index.end()):
        raise Bad(i, "form")
    return leaf


def verify(files, keys, outside):
    """Verify {name: content}; returns (size, root) or raises Bad."""
    given = [read_key(k) for k in keys]
    outside = sorted((read_note(c)[0] for c in outside), key=lambda n: n.size)
    if set(files) != FILES:
        raise Bad(0, "file")
    notes, end = files["checkpoints.txt"], 0
    if len(notes) > MAX_CHECKPOINTS:
        raise Bad(0, "form")
    if not notes:
        raise Bad(0, "signature")
    first, last, last_outside = None, 0, 0

    def next_note(start):
        if start == len(notes):
            return None, start
        note, stop = read_note(notes, start)
        if note is None or notes[stop:stop + 1] != b"\n":
            raise Bad(last, "form")
        if first and note.origin != first.origin or note.size <= last:
            raise Bad(last, "form")
        return note, stop + 1

    def agrees(note):
        if fault := note.believed(chain + given):
            raise Bad(last_outside, fault)
        if note.origin != first.origin:
            raise Bad(last_outside, "forked")

    note, end = next_note(0)
    first = note
    *lines, line_torn = files["entries.jsonl"].split(b"\n")
    *hashes, hash_torn = files["hashes.txt"].split(b"\n")
    edge, chain, names, sealing = [], [], [], None  # (leaves, hash) of complete subtrees; keys; their spelling; who must sign next
    trusted, distrust, i = False, 0, 0
    while True:
        if any(len(x) > MAX_LINE for x in (lines + [line_torn])[i:i + 1] + (hashes + [hash_torn])[i:i + 1]):
            raise Bad(i, "form")
        if i == len(lines) or i == len(hashes):
            if len(lines) != len(hashes) or line_torn or hash_torn:
                raise Bad(i, "cut")
            break
        edge.append((1, check_line(i, lines, hashes)))
        if i == 0 or INDEX.sub(b"", lines[i], count=1).startswith(b'"kind":"log-'):
            kind, old, new = key_of(i, lines[i])
            if i > 0 and kind and (old != names[-1] or old == new):
                raise Bad(i, "key")
            if kind:
                names.append(new)
                chain.append(read_key(new))
                sealing = {"log-key": chain[-2:], "log-key-lost": chain[-1:]}.get(kind)
                trusted = new in keys or kind == "log-key" and trusted
                distrust = last if kind == "log-key-lost" else distrust
        while len(edge) > 1 and edge[-1][0] == edge[-2][0]:
            (n, left), (_, right) = edge[-2:]
            edge[-2:] = [(2 * n, hashlib.sha256(b"\1" + left + right).digest())]
        i += 1
        if sealing and (note is None or note.size != i):
            raise Bad(last, "key")
        if note and note.size == i:
            want = sealing or chain[-1:]
            if len(note.signatures) != len(want):
                raise Bad(last, "key")
            for (name, key_hash, signature), key in zip(note.signatures, want):
                if (name, key_hash) != key[:2]:
                    raise Bad(last, "key")
                if not ed25519(key[2], note.text, signature):
                    raise Bad(last, "signature")
            if base64.b64encode(root_hash(edge)) != note.root:
                raise Bad(last, "altered")
            last, sealing = i, None
            note, end = next_note(end)
        while outside and outside[0].size == i:
            agrees(outside[0])
            if base64.b64encode(root_hash(edge)) != outside.pop(0).root:
                raise Bad(last_outside, "forked")
            last_outside = i
    if note:
        fault = note.believed(chain + given)
        raise Bad(last, fault) if fault else Bad(i, "cut")
    if last < i:
        raise Bad(last, "signature")
    if not trusted:
        raise Bad(distrust, "key")
    for note in outside:
        agrees(note)
        raise Bad(i, "rolled-back")
    return i, root_hash(edge).hex()


def read_folder(folder):
    files = {}
    for entry in os.scandir(folder):
        if entry.name not in FILES or not entry.is_file(follow_symlinks=False):
            raise Bad(0, "file")
        with open(entry.path, "rb") as f:
            files[entry.name] = f.read()
    return files


def main():
    parser = argparse.ArgumentParser(description="Verify an exported evidence log.")
    parser.add_argument("folder")
    parser.add_argument("--key", action="append", required=True, help="public log key, from the binder")
    parser.add_argument("--checkpoint", action="append", default=[], help="file with a checkpoint that left the machine")
    args = parser.parse_args()
    outside = []
    for path in args.checkpoint:
        with open(path, "rb") as f:
            outside.append(f.read())
        if read_note(outside[-1])[1] != len(outside[-1]):
            parser.error(f"{path} is not a signed checkpoint")
    if None in [read_key(k) for k in args.key]:
        parser.error("a key is name+8 digits+44 characters, as in the binder")
    try:
        print("good %d %s" % verify(read_folder(args.folder), args.key, outside))
    except Bad as bad:
        print("bad %d %s" % bad.args)
        sys.exit(3)


if __name__ == "__main__":
    main()
