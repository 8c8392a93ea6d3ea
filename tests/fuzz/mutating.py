"""Turns valid input into invalid input, by bytes and by structure. The same seed gives the same input."""

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

CANARY = "CANARY-91e4"
DEEP = "as deep as you can"
WORDS: tuple[bytes, ...] = (
    b"null", b"true", b"-1", b"1e400", b"NaN", b"4294967296", b"9" * 400, b'"', b'""', b"\\", b"\\u0000", b"\\ud800",
    b"\xff", b"\xed\xa0\x80", b"\x00", b"{", b"}", b"[", b"]", b"[" * 600, b",", b":", b"\r\n", b"\n", b"\r\n\r\n",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"HTTP/1.1", b"%", b"?timeout=1s",
    b"&a [*a]", b"*a", b"!!set", b"---\n", b"? ", b"<<: *a", "\u202e".encode(), b"-----BEGIN CERTIFICATE-----\n",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 49152, 2**31, 2**53, 2**64, 0.5, "", "a", "a" * 300, "49152", "null", "\x00", "\x1b[31m",
    "a\r\nb", "\u202e", "L\u0456veMigrate", "../secrets", "a/b/c", "x?watch=1", [], {}, [None], [[]], {"": None},
    {"userData": CANARY}, DEEP, {"a": {"b": {"c": []}}}, ["a", 1, {}], "1Gi", "-5", "10.1.1.0/24", "fd00::/64", "2026-01-01",
)  # fmt: skip


def bytes_of(value: Any) -> bytes:
    """JSON, in which ``DEEP`` is nested deeper than the encoder itself would go."""
    return json.dumps(value).encode().replace(f'"{DEEP}"'.encode(), b"[" * 5000 + b"]" * 5000)


def mutated_bytes(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """One to four changes of some bytes."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(7):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                made[at:at] = chance.choice(WORDS)
            case 2:
                del made[at : at + chance.randint(1, 40)]
            case 3:
                made[at : at + chance.randint(0, 20)] = chance.choice(WORDS)
            case 4:
                del made[at:]
            case 5:
                part = made[at : at + chance.randint(1, 200)]
                made[at:at] = part * chance.randint(1, 3)
            case _:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                made[at:at] = other[start : start + chance.randint(1, 400)]
    return bytes(made)


def mutated(value: Any, chance: random.Random, most: int = 3) -> Any:
    """A copy in which some values are others, missing, moved, doubled, or stand under another key."""
    made = copy.deepcopy(value)
    for _ in range(chance.randint(1, most)):
        places = list(_places(made))
        if not places:
            break
        holder, key = chance.choice(places)
        match chance.randrange(9):
            case 0 | 1 | 2:
                holder[key] = copy.deepcopy(chance.choice(VALUES))
            case 3:
                del holder[key]
            case 4:
                other, where = chance.choice(places)
                if other[where] != CANARY:  # a secret stays where secrets stand
                    holder[key] = copy.deepcopy(other[where])
            case 5:
                _add(holder, key, chance)
            case 6:
                _respell(holder, key, chance)
            case 7:
                holder[key] = _nested(holder[key], chance.choice((5, 40, 90)), chance)
            case _:
                _repeat(holder, key, chance)
    return made


def _places(value: Any) -> Any:
    """Every holder and key in it."""
    stack = [value]
    while stack:
        holder = stack.pop()
        if isinstance(holder, dict):
            for key, child in holder.items():
                yield holder, key
                stack.append(child)
        elif isinstance(holder, list):
            for index, element in enumerate(holder):
                yield holder, index
                stack.append(element)


def _add(holder: Any, key: Any, chance: random.Random) -> None:
    value = copy.deepcopy(chance.choice(VALUES))
    if isinstance(holder, list):
        holder.insert(key, value)
    else:
        holder[chance.choice(("name", "spec", "x", "", "a.b/c", "metadata", CANARY.lower()))] = value


def _respell(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder[chance.choice((key.upper(), key.lower(), key + "s", key[:1].upper() + key[1:]))] = holder.pop(key)


def _repeat(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, list):
        holder[key:key] = [copy.deepcopy(holder[key]) for _ in range(chance.choice((1, 2, 30)))]
    elif isinstance(holder[key], list):
        holder[key] = holder[key] * chance.choice((2, 50))


def _nested(value: Any, depth: int, chance: random.Random) -> Any:
    for _ in range(depth):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value
