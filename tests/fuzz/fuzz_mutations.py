"""Changed copies of files: bytes, words of a text, values of JSON, and formats that carry sums.

All of them are pure functions of a generator, so that an input is made again from its number.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any, TypeAlias

Mutate: TypeAlias = Callable[[Random, Sequence[bytes]], bytes]
"""Makes an input of the valid files of a reader."""

_WHOLE = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST = 1 << 18

_NUMBERS = (
    "0", "-0", "1", "-1", "3", "0.5", "-0.1", "1e308", "-1e308", "1e400", "1e-320", "NaN",
    "Infinity", "-Infinity", "255", "256", "65536", "16777216", "2147483647", "2147483648",
    "4294967296", "-4294967296", "9223372036854775807", "9223372036854775808", "1" * 40, "9" * 400,
    "9" * 5000, "0x10", "1_000", "１",
)  # fmt: skip
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e308, 1e-320, 2**31, 2**32, 2**53 + 1, 2**63,
    10**30, 10**400, float("nan"), float("inf"), "", " ", "a", "0", "1e400", "é", "\x00",
    "\ud800", "\n", "a\nb", "../../etc/passwd", "/", "a" * 2000, "💥", [], {}, [[]], [{}],
    {"": None}, [None], [0, 0, 0, 0], [1e308, 1e308], [-1, -1, -1, -1], "\u2028", "\x1b[31m",
)  # fmt: skip
_TEXTS = (
    "", "\n", "\r\n", "\t", "\x00", "\u2028", "\x85", "\ufeff", "'", '"', "`", "```json", "\\",
    "{", "}", "[", "]", "<", ">", "&", "&amp;", "&#0;", "&x;", "]]>", "<!--",
    "<!DOCTYPE a [<!ENTITY x 'y'>]>", "%", "#", ":", ",", ";", "=", "*a", "&a", "null", "true",
    "!!python/object:os.system", "~", "é", "\udcff", "<think>", "</think>", "Infinity", "nan",
    "..", "/", "a" * 300,
)  # fmt: skip
_WORDS = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\w+|\s+|.", re.DOTALL)


def number_of_changes(rng: Random) -> int:
    """Mostly one, seldom many: a reader that stops at the first fault sees only one."""
    return 1 if rng.random() < 0.5 else rng.randint(2, 6)


def changed_bytes(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """Bits turned, bytes and whole numbers replaced, parts cut, doubled, moved and joined."""
    data = bytearray(rng.choice(seeds))
    for _ in range(number_of_changes(rng)):
        _change_bytes(rng, data, seeds)
    return bytes(data[:_LARGEST])


def _change_bytes(rng: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    if not data:
        data += rng.randbytes(rng.randint(1, 16))
        return
    # What says how large everything is stands at the beginning.
    at = rng.randrange(min(64, len(data)) if rng.random() < 0.4 else len(data))
    length = min(rng.choice((1, 2, 4, 8, rng.randint(1, len(data)))), len(data) - at)
    match rng.randrange(10):
        case 0:
            data[at] ^= 1 << rng.randrange(8)
        case 1:
            data[at] = rng.randrange(256)
        case 2:
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        case 3 | 4:
            width, order = rng.choice("BHIQ"), rng.choice("<>")
            whole = struct.pack(
                order + width, rng.choice(_WHOLE) % 256 ** struct.calcsize("<" + width)
            )
            data[at : at + len(whole)] = whole
        case 5:
            del data[at : at + length]
        case 6:
            data[at:at] = data[at : at + length] * rng.choice((1, 1, 2, 50))
        case 7:
            data[at : at + length] = rng.randbytes(length)
        case 8:
            other = rng.choice(seeds)
            start = rng.randrange(len(other) + 1)
            data[at:] = (
                other[start:] if rng.random() < 0.5 else data[at:] + other[start : start + length]
            )
        case 9:
            del data[at:]


def changed_text(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """Words and numbers replaced, dropped, doubled and exchanged; one time in ten only bytes."""
    if rng.random() < 0.1:
        return changed_bytes(rng, seeds)
    words = _WORDS.findall(rng.choice(seeds).decode("utf-8", "surrogateescape"))
    for _ in range(number_of_changes(rng)):
        if not words:
            words.append(rng.choice(_TEXTS))
        at, other = rng.randrange(len(words)), rng.randrange(len(words))
        length = rng.choice((1, 1, 3, rng.randint(1, len(words))))
        match rng.randrange(7):
            case 0 | 1:
                is_number = words[at][:1].isdigit() or words[at].startswith("-")
                words[at] = rng.choice(_NUMBERS if is_number or rng.random() < 0.2 else _TEXTS)
            case 2:
                del words[at : at + length]
            case 3:
                words[at:at] = words[other : other + length] * rng.choice((1, 1, 3))
            case 4:
                words[at], words[other] = words[other], words[at]
            case 5:
                words.insert(at, rng.choice(_TEXTS))
            case 6:
                # The deepest is seldom: parsers in Python take half a second for it.
                (deep,) = rng.choices((30, 300, 3000), (50, 49, 1))
                words[at:at] = [rng.choice(("[", "{", "<a>", "(", '{"a":', "- ", "[[1],"))] * deep
    return "".join(words).encode("utf-8", "surrogateescape")[:_LARGEST]


def changed_json(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """Values replaced, keys dropped and renamed, parts of other files put in; or as a text."""
    if rng.random() < 0.15:
        return changed_text(rng, seeds)
    try:
        tree = json.loads(rng.choice(seeds))
        for _ in range(number_of_changes(rng)):
            tree = _change_tree(rng, tree)
        text = json.dumps(tree, ensure_ascii=rng.random() < 0.5)
    except (ValueError, RecursionError):  # no JSON, or too deep by now
        return changed_text(rng, seeds)
    return text.encode("utf-8", "surrogatepass")[:_LARGEST]


def changed_lines(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """JSON lines: one of them changed as JSON, or all as a text."""
    lines = rng.choice(seeds).splitlines(keepends=True)
    if not lines or rng.random() < 0.3:
        return changed_text(rng, seeds)
    at = rng.randrange(len(lines))
    lines[at] = changed_json(rng, [lines[at]]).strip() + b"\n"
    if rng.random() < 0.2:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return b"".join(lines)


def _change_tree(rng: Random, tree: Any) -> Any:
    """The tree with one of its values changed."""
    places = _places(tree)
    if not places:
        return _odd(rng, tree)
    parent, key = rng.choice(places)
    value = parent[key]
    match rng.randrange(8):
        case 0 | 1 | 2:
            parent[key] = _odd(rng, value)
        case 3:
            del parent[key]
        case 4 if isinstance(parent, dict):
            parent[_key(rng, places)] = parent.pop(key)
        case 5:
            other, at = rng.choice(places)
            parent[key] = json.loads(json.dumps(other[at]))
        case 6 if isinstance(parent, list):
            parent[key:key] = [json.loads(json.dumps(value)) for _ in range(rng.choice((1, 2, 40)))]
        case _ if isinstance(parent, dict):
            parent[_key(rng, places)] = _odd(rng, value)
        case _:
            parent.insert(key, _odd(rng, value))
    return tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every value that stands in a container, as the container and its key, to 100 levels down."""
    places: list[tuple[Any, Any]] = []
    level = [tree]
    for _ in range(100):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                places += [(node, key) for key in node]
                below += [value for value in node.values() if isinstance(value, dict | list)]
            elif isinstance(node, list):
                places += [(node, at) for at in range(len(node))]
                below += [value for value in node if isinstance(value, dict | list)]
        if not below:
            break
        level = below
    return places


def _key(rng: Random, places: Sequence[tuple[Any, Any]]) -> str:
    names = [key for _, key in places if isinstance(key, str)]
    return (
        rng.choice(names)
        if names and rng.random() < 0.7
        else rng.choice(("", "a", "id", "\n", "é", "1", "-1"))
    )


def _odd(rng: Random, value: Any) -> Any:
    """A value that a reader may not expect in place of this one."""
    if type(value) in (int, float) and rng.random() < 0.5:
        far = value * 1e9 if abs(value) < 2**64 else 0
        return rng.choice(
            (value + 1, value - 1, -value, value * 2, far, far + 0.5, str(value), [value])
        )
    if isinstance(value, str) and rng.random() < 0.5:
        at = rng.randrange(len(value) + 1)
        return rng.choice(
            (value[:at], value + value, value[:at] + rng.choice(_TEXTS) + value[at:], [value])
        )
    if isinstance(value, list) and value and rng.random() < 0.5:
        return rng.choice(
            (value[0], value[:-1], value + value, value[::-1], dict(enumerate(value)))
        )
    if rng.random() < 0.05:
        deep: Any = value
        for _ in range(rng.choice((20, 200, 400, 700))):
            deep = [deep] if rng.random() < 0.5 else {"a": deep}
        return deep
    return deepcopy(rng.choice(_ODD))


def changed_png(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """A PNG whose chunks are changed and have the right sums all the same, or changed bytes."""
    data = rng.choice(seeds)
    if rng.random() < 0.3 or not data.startswith(_PNG):
        return changed_bytes(rng, seeds)
    chunks = list(_chunks(data))
    for _ in range(number_of_changes(rng)):
        at = rng.randrange(len(chunks))
        kind, body = chunks[at]
        match rng.randrange(6):
            case 0 | 1:
                chunks[at] = kind, changed_bytes(rng, [body or b"\0"])
            case 2 if kind == b"IDAT":
                chunks[at] = kind, _changed_inside(rng, body)
            case 3:
                chunks.insert(rng.randrange(len(chunks) + 1), chunks[at])
            case 4 if len(chunks) > 1:
                del chunks[at]
            case _:
                other = rng.choice(seeds)
                more = list(_chunks(other)) if other.startswith(_PNG) else []
                chunks[at] = rng.choice(more) if more else (kind, body[: len(body) // 2])
    return _PNG + b"".join(map(png_chunk, *zip(*chunks, strict=True)))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG with its sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found or [(b"IEND", b"")]


def _changed_inside(rng: Random, body: bytes) -> bytes:
    """Other rows of pixels, packed rightly."""
    try:
        rows = zlib.decompress(body)
    except zlib.error:
        return body
    if rng.random() < 0.02:
        return zlib.compress(bytes(20_000_000))
    return zlib.compress(changed_bytes(rng, [rows or b"\0"]))
