#!/usr/bin/env python3
"""Verify an exported evidence log, with nothing but Python's standard library.

    python3 verify.py --key KEY [--key KEY] [--checkpoint FILE] FOLDER

Prints `good SIZE ROOT` (exit 0) or `bad INDEX FAULT` (exit 3); 2 is misuse. Written
from docs/evidence-format.md, shares no code with Halligan, takes the steps of that
page in their order. KEY comes from the binder, never from the folder."""
import argparse
import base64
import datetime
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
LINE = re.compile(rb'\{"index":(0|[1-9][0-9]{0,17}),("kind":"[ -~]*\})?')
FIELDS = "index kind tenant time source skewMs who what on why before after requestIds subject refers marks data".split()
KIND = re.compile(r"[a-z](?:[a-z-]{0,38}[a-z])?")
KEY = re.compile(r"([!-*,-~]{1,100})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")

# Ed25519 (RFC 8032 5.1): points are (x, y, z, t) with x = x/z, y = y/z, x*y = t/z.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    total = (0, 1, 1, 0)
    while n:
        total, a, n = add(total, a) if n & 1 else total, add(a, a), n >> 1
    return total


def point(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y % 2**255 % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in root, root * pow(2, (P - 1) // 4, P) % P:
        if x * x % P == square:
            x = -x % P if x & 1 != sign else x
            return x, y, 1, x * y % P
    return None


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519(key, text, signature):
    r, s, a = signature[:32], int.from_bytes(signature[32:], "little"), point(key)
    if a is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little") % L
    x, y, z, _ = add(times(s, BASE), times(k, (-a[0] % P, a[1], 1, -a[3] % P)))
    x, y = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == r


class Bad(Exception):
    """The first thing that is wrong: an index and a fault."""


def sha256(data):
    return hashlib.sha256(data).digest()


def root_of(edge):
    """The root of a tree (RFC 6962 2.1) from its complete subtrees, the largest first."""
    root = edge[-1][1]
    for _, left in reversed(edge[:-1]):
        root = sha256(b"\1" + left + root)
    return base64.b64encode(root)


def read_key(text):
    """The (name, hash, key) of name+hash+base64, or None."""
    m = KEY.fullmatch(text) if isinstance(text, str) else None
    raw = base64.b64decode(m[3]) if m else b""
    if len(raw) == 33 and raw[0] == 1 and sha256(m[1].encode() + b"\n" + raw)[:4].hex() == m[2]:
        return m[1].encode(), bytes.fromhex(m[2]), raw[1:]
    return None


class Note:
    """A signed checkpoint, read and not believed yet."""

    def __init__(self, match):
        self.text, self.origin, self.size, self.root = match[1], match[2], int(match[3]), match[4]
        pairs = [line.split(b" ")[1:] for line in match[5].splitlines()]
        self.canonical = all(base64.b64encode(base64.b64decode(b)) == b for b in [self.root] + [b for _, b in pairs])
        raws = [(name, base64.b64decode(b)) for name, b in pairs]
        self.signatures = [(name, raw[:4], raw[4:]) for name, raw in raws]

    def fault(self, keys):
        """None when one of the keys signed it and none of them falsely."""
        found = [ed25519(k[2], self.text, s[2]) for s in self.signatures for k in keys if s[:2] == k[:2]]
        return "key" if not found else None if all(found) else "signature"


def read_note(data, start=0):
    """The note at start, or None, and where it ends."""
    match = NOTE.match(data, start)
    note = Note(match) if match else None
    return (note, match.end()) if note and note.canonical else (None, start)


def check_line(i, lines, hashes):
    """The leaf hash of entry i, if it fits its listed hash, its place and its form."""
    def some_line(fits):
        return any(fits(x) for x in lines if len(x) <= MAX_LINE)
    leaf, match = sha256(b"\0" + lines[i]), LINE.match(lines[i])
    if leaf.hex().encode() != hashes[i]:
        if leaf.hex().encode() not in hashes:
            raise Bad(i, "altered")
        raise Bad(i, "moved" if some_line(lambda x: sha256(b"\0" + x).hex().encode() == hashes[i]) else "deleted")
    if match and int(match[1]) != i:
        raise Bad(i, "moved" if some_line(lambda x: x.startswith(b'{"index":%d,' % i)) else "deleted")
    if not match or not match[2] or match.end() != len(lines[i]):
        raise Bad(i, "form")
    return leaf


def key_entry(i, line):
    """What an entry says about the key of the log: (kind, old key, new key), or None."""
    try:
        entry = json.loads(line)
        kind, data = entry["kind"], entry.get("data", {})
        old, new = data.get("old"), data.get("key" if i == 0 else "new")
        good = json.dumps(entry, separators=(",", ":")).encode() == line and list(entry) == [f for f in FIELDS if f in entry]
        good = good and list(data) == sorted(data) and (kind == "log-begun") == (i == 0) and bool(KIND.fullmatch(kind))
        for time in [entry["time"]] + ([entry["source"]] if "source" in entry or "skewMs" in entry else []):
            good = good and len(time) == 24 and bool(datetime.datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ"))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        good = False
    if good and kind not in ("log-begun", "log-key", "log-key-lost"):
        return None
    if not good or not read_key(new) or i > 0 and not read_key(old):
        raise Bad(i, "form")
    return kind, old, new


def verify(files, keys, outside):
    """Verify {name: content}; returns (size, root) or raises Bad."""
    outside = sorted((read_note(c)[0] for c in outside), key=lambda n: n.size)
    if set(files) != FILES:
        raise Bad(0, "file")
    notes = files["checkpoints.txt"]
    if not notes or len(notes) > MAX_CHECKPOINTS:
        raise Bad(0, "form" if notes else "signature")
    origin, last, agreed = None, 0, 0  # sizes of the last good checkpoint of the folder and from outside
    spelled, chain, given = [], [], [read_key(k) for k in keys]
    sealing, trusted, distrust = None, False, 0  # who must sign at once; whether a given key leads here; if not, from where on

    def next_note(start):
        if start == len(notes):
            return None, start
        note, end = read_note(notes, start)
        if not note or notes[end:end + 1] != b"\n" or origin not in (None, note.origin) or note.size <= last:
            raise Bad(last, "form")
        return note, end + 1

    def check_outside(note):
        if fault := note.fault(chain + given):
            raise Bad(agreed, fault)
        if note.origin != origin:
            raise Bad(agreed, "forked")

    note, end = next_note(0)
    origin, edge, i = note.origin, [], 0  # edge: (leaves, hash) of the complete subtrees
    *lines, line_rest = files["entries.jsonl"].split(b"\n")
    *hashes, hash_rest = files["hashes.txt"].split(b"\n")
    while True:
        if any(len(x) > MAX_LINE for x in (lines + [line_rest])[i:i + 1] + (hashes + [hash_rest])[i:i + 1]):
            raise Bad(i, "form")
        if i in (len(lines), len(hashes)):
            if len(lines) != len(hashes) or line_rest or hash_rest:
                raise Bad(i, "cut")
            break
        edge.append((1, check_line(i, lines, hashes)))
        while len(edge) > 1 and edge[-1][0] == edge[-2][0]:
            (n, left), (_, right) = edge[-2:]
            edge[-2:] = [(2 * n, sha256(b"\1" + left + right))]
        if i == 0 or LINE.match(lines[i])[2].startswith(b'"kind":"log-'):
            if found := key_entry(i, lines[i]):
                kind, old, new = found
                if i > 0 and (old != spelled[-1] or old == new):
                    raise Bad(i, "key")
                spelled, chain = spelled + [new], chain + [read_key(new)]
                sealing = {"log-key": chain[-2:], "log-key-lost": chain[-1:]}.get(kind)
                trusted = new in keys or kind == "log-key" and trusted
                distrust = last if kind == "log-key-lost" else distrust
        i += 1
        if sealing and (not note or note.size != i):
            raise Bad(last, "key")
        if note and note.size == i:
            signers = sealing or chain[-1:]
            if len(note.signatures) != len(signers):
                raise Bad(last, "key")
            for signature, key in zip(note.signatures, signers):
                if signature[:2] != key[:2]:
                    raise Bad(last, "key")
                if not ed25519(key[2], note.text, signature[2]):
                    raise Bad(last, "signature")
            if note.root != root_of(edge):
                raise Bad(last, "altered")
            last, sealing = i, None
            note, end = next_note(end)
        while outside and outside[0].size == i:
            check_outside(outside[0])
            if outside.pop(0).root != root_of(edge):
                raise Bad(agreed, "forked")
            agreed = i
    if note:
        fault = note.fault(chain + given)
        raise Bad(last, fault) if fault else Bad(i, "cut")
    if last < i:
        raise Bad(last, "signature")
    if not trusted:
        raise Bad(distrust, "key")
    if outside:
        check_outside(outside[0])
        raise Bad(i, "rolled-back")
    return i, base64.b64decode(root_of(edge)).hex()


def read_file(path):
    with open(path, "rb") as f:
        return f.read()


def read_folder(folder):
    files = {}
    for entry in os.scandir(folder):
        if entry.name not in FILES or not entry.is_file(follow_symlinks=False):
            raise Bad(0, "file")
        files[entry.name] = read_file(entry.path)
    return files


def from_paper(text):
    """The checkpoint in a mail or on a sheet of paper, without the words around it."""
    begin = text.find(b"halligan/evidence/")
    found = re.match(rb"[^\n]+\n(?:[^\n]*\n)*?\n(?:\xe2\x80\x94 [^\n]+\n)+", text[max(0, begin):].replace(b"\r\n", b"\n"))
    return found[0] if found and begin >= 0 else text


def key_in(text):
    """The one line of a text that is a public log key."""
    found = {line.strip() for line in text.splitlines() if read_key(line.strip())}
    return found.pop() if len(found) == 1 else ""


def main():
    parser = argparse.ArgumentParser(description="Verify an exported evidence log.")
    parser.add_argument("folder")
    parser.add_argument("--key", action="append", required=True, help="public log key, from the binder")
    parser.add_argument("--checkpoint", action="append", default=[], help="file with a checkpoint that left the machine")
    args = parser.parse_args()
    args.key = [key_in(read_file(k).decode("utf-8", "replace")) if os.path.isfile(k) else k for k in args.key]
    outside = [from_paper(read_file(path)) for path in args.checkpoint]
    if any(read_note(c)[1] != len(c) or not c for c in outside) or not all(map(read_key, args.key)):
        parser.error("a checkpoint or a key is not in the form of one (--key takes the key itself, or a file with it in a line)")
    try:
        print("good %d %s" % verify(read_folder(args.folder), args.key, outside))
    except Bad as bad:
        print("bad %d %s" % bad.args)
        sys.exit(3)


if __name__ == "__main__":
    main()
