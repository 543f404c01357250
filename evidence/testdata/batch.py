"""Run verify.py on many damaged logs in one process, for the tests.

    python3 batch.py VERIFY.PY < cases

The first line is a case: {"files": {name: base64}, "keys": [...],
"checkpoints": [base64]}. Each later line is what is different from the first
case, or {"flip": [name, byte, bit]}. One line is printed for each, as verify.py
would print it.
"""
import base64
import functools
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
verify.ed25519 = functools.lru_cache(None)(verify.ed25519)

first = None
for text in sys.stdin:
    case = json.loads(text)
    for part in ("files", "checkpoints"):
        if part == "files" and part in case:
            case[part] = {name: base64.b64decode(b or "") for name, b in case[part].items()}
        elif part in case:
            case[part] = [base64.b64decode(b) for b in case[part]]
    first = first or case
    files, keys, checkpoints = (case.get(part, first.get(part, [])) for part in ("files", "keys", "checkpoints"))
    if "flip" in case:
        name, byte, bit = case["flip"]
        flipped = bytearray(files[name])
        flipped[byte] ^= 1 << bit
        files = {**files, name: bytes(flipped)}
    try:
        print("good %d %s" % verify.verify(files, keys, checkpoints))
    except verify.Bad as bad:
        print("bad %d %s" % bad.args)
