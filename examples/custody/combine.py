#!/usr/bin/env python3
"""Put shares of a sealed file together, without Halligan.

    python3 combine.py | age -d -i - secret.age
    python3 combine.py FILE... | age -d -i - secret.age

A share is the text of its QR code (HALLIGAN-SHARE-1:...) or the words of its page.
Shares that are not in files are asked for. The key of age goes to standard output and
nowhere else. Where manifest.json lies in this folder, each share is compared with it.
The format is that of docs/sealed-format.md; this needs Python 3 and nothing else.
"""
import base64, binascii, hashlib, json, os, re, sys

LETTERS = ["bdfghjklmnprstvz", "aiou"] * 2 + ["bdfghjklmnprstvz"]
PREFIX, BECH32 = "HALLIGAN-SHARE-1:", "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

class Bad(Exception):
    """What is wrong with a share, for people."""

def word(text, where):
    """The 16 bits of a word of five letters."""
    if len(text) != 5:
        raise Bad("%s: %d letters; a word has 5" % (where, len(text)))
    value = 0
    for i, letter in enumerate(text):
        if letter not in LETTERS[i]:
            raise Bad("%s, letter %d: no '%s' stands there; one of %s does" % (where, i + 1, letter, LETTERS[i]))
        value = value * len(LETTERS[i]) + LETTERS[i].index(letter)
    return value.to_bytes(2, "big")

def body(number, words):
    """The six bytes of a row whose check word is right, else None."""
    data = b"".join(word(w, "row %d, word %d" % (number, i + 1)) for i, w in enumerate(words))
    check = binascii.crc_hqx(bytes([number]) + data[:-2], 0xFFFF).to_bytes(2, "big")
    return data[:-2] if check == data[-2:] else None

def row(number, words):
    """The six bytes of a row; a mistyped letter is named."""
    if len(words) != 4:
        raise Bad("row %d: %d words; a row has 4" % (number, len(words)))
    if body(number, words):
        return body(number, words)
    for other in range(1, 9):
        if body(other, words):
            raise Bad("row %d: this is row %d of the page" % (number, other))
    fits = []
    for i, w in enumerate(words):
        for j in range(5):
            for letter in LETTERS[j]:
                if body(number, words[:i] + [w[:j] + letter + w[j + 1:]] + words[i + 1:]):
                    fits.append("row %d, word %d, letter %d is mistyped; %s fits" % (number, i + 1, j + 1, letter))
    raise Bad(fits[0] if len(fits) == 1 else "row %d: something in it is mistyped" % number)

def split(line):
    """The words of a line, without the number of the row."""
    return [w for w in re.split(r"[\s_,;-]+", line.lower()) if w and not re.fullmatch(r"[0-9.:)]+", w)]

def read(text):
    """The 48 bytes of a share."""
    if text.strip().upper().startswith(PREFIX):
        letters = "".join(text.upper().split())[len(PREFIX):]
        try:
            raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
        except binascii.Error:
            raise Bad("behind %s stand 77 letters A to Z and digits 2 to 7" % PREFIX)
    else:
        rows = [w for w in map(split, text.splitlines()) if w]
        if len(rows) == 1:
            rows = [rows[0][i:i + 4] for i in range(0, len(rows[0]), 4)]
        raw = b"".join(row(i + 1, words) for i, words in enumerate(rows))
    if len(raw) != 48 or hashlib.sha256(raw[:44]).digest()[:4] != raw[44:]:
        raise Bad("%d of 48 bytes, or the checksum is not right" % len(raw))
    if raw[0] not in (1, 2) or not 2 <= raw[9] <= raw[10] <= 16 or not 1 <= raw[11] <= raw[10]:
        raise Bad("no share that this program knows")
    return raw

def add(have, text, manifest):
    """Read a share and put it to the others, unless it is not of their set."""
    s = read(text)
    of, number = s[1:9].hex(), s[11]
    want = manifest["set"] if manifest else have[0][1:9].hex() if have else of
    if of != want:
        void = [v["on"] for v in manifest.get("voided", []) if v["set"] == of] if manifest else []
        raise Bad("share %d is of set %s%s, and not of set %s" % (number, of, ", void since " + void[0] if void else "", want))
    if any(number == other[11] for other in have):
        raise Bad("share %d is given twice" % number)
    if manifest and "sha256:" + hashlib.sha256(s).hexdigest() != manifest["holders"][number - 1].get("share"):
        raise Bad("share %d, of %s, was altered" % (number, manifest["holders"][number - 1]["name"]))
    have.append(s)

def ask(have):
    """A share that somebody types."""
    print("Share %d: the text of the QR code, or the 8 rows of words:" % (len(have) + 1), file=sys.stderr)
    lines = []
    while len(lines) < 8 and not "".join(lines[:1]).upper().startswith(PREFIX):
        line = sys.stdin.readline() or sys.exit("error: %d shares, and it takes %s" % (len(have), have[0][9] if have else "more"))
        try:
            if split(line) and not line.upper().startswith(PREFIX):
                row(len(lines) + 1, split(line))
            lines += [line.strip()] if line.strip() else []
        except Bad as bad:
            print("%s. Type the row again:" % bad, file=sys.stderr)
    return "\n".join(lines)

def times(a, b):
    """The product in GF(256), of the polynomial 0x11b."""
    out = 0
    for _ in range(8):
        out, a, b = out ^ a * (b & 1), a << 1 ^ (a >> 7) * 0x11B, b >> 1
    return out

def combine(shares):
    """The key: the values at 0 of the polynomials through the shares (Lagrange)."""
    out = [0] * 32
    for s in shares:
        weight = 1
        for x in [other[11] for other in shares if other is not s]:
            weight = times(weight, x)
            for _ in range(254):  # the power of 254 is the inverse
                weight = times(weight, x ^ s[11])
        out = [o ^ times(weight, y) for o, y in zip(out, s[12:44])]
    return bytes(out)

def bech32(prefix, data):
    """Text of a key of age (BIP 173)."""
    bits = "".join(format(b, "08b") for b in data) + "0" * (-len(data) * 8 % 5)
    values, sums = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)], 1
    for v in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values + [0] * 6:
        sums, top = (sums & 0x1FFFFFF) << 5 ^ v, sums >> 25
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            sums ^= g * (top >> i & 1)
    return prefix + "1" + "".join(BECH32[v] for v in values + [(sums ^ 1) >> 5 * (5 - i) & 31 for i in range(6)])

def main(files):
    have = []
    manifest = json.load(open("manifest.json", encoding="utf-8")) if os.path.exists("manifest.json") else None
    for name in files:
        try:
            add(have, open(name, encoding="utf-8").read(), manifest)
        except (Bad, OSError) as bad:
            sys.exit("error: %s: %s" % (name, bad))
    while not have or len(have) < have[0][9]:
        try:
            add(have, ask(have), manifest)
        except Bad as bad:
            print("%s. Type the share again." % bad, file=sys.stderr)
    have = have[:have[0][9]]
    print(bech32("age-secret-key-pq-" if have[0][0] == 2 else "age-secret-key-", combine(have)).upper())

main(sys.argv[1:])
