"""Who may ask the servers of this room, and for what: the rules that HTTP and MCP share.

Clients name no address and nothing is fetched for them. The HTTP service takes values only; the
MCP server also paths, below its roots (`mcp_files`). Over HTTP both answer this machine alone, or
those who have a token, and refuse what a page of another site asks for in a browser's name.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.regions.spec import RegionSpec

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that only this machine reaches."""

VALUE_SPECS_HELP = "auto, distortions, whole or grid:ROWSxCOLS"
"""Region specs that read no file and fetch no model."""

SHOWN = 80
"""Characters of what a client sent that an error repeats."""

_LINE = re.compile(r"([\w.@+-]{1,64}) sha256:([0-9a-f]{64}) (\S+)")
_NAME = re.compile(r"[\w.@+-]{1,64}")


class AccessError(DistortionGraphError):
    """A client asked for something that it may not have."""


def value_spec(text: str) -> RegionSpec:
    """The region spec of a word that reads nothing; raises AccessError for any other."""

    def refuse(name: str) -> NoReturn:
        raise AccessError(
            f"regions {text[:SHOWN]!r}: expected {VALUE_SPECS_HELP}; masks are sent as files, "
            "nothing is read from paths and nothing is fetched"
        )

    return RegionSpec.parse(text, refuse, VALUE_SPECS_HELP)


class Tokens:
    """Bearer tokens by name: hashes in a file, which is read anew when it has changed.

    A line of it is `NAME sha256:HEX TIME`. A token is 256 random bits, so that a plain hash of it
    gives nothing away.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; raises AccessError for one that is no such file, or holds no token."""
        self.path = path
        self._lock = threading.Lock()
        self._seen: object = None
        self._hashes: Mapping[str, bytes] = {}
        if not self._current():
            raise AccessError(
                f"{path}: holds no token, expected one; add one: distortion-graph serve-token NAME "
                f"--tokens {path}"
            )

    def name_of(self, token: str) -> str | None:
        """Whose token it is; None for nobody's. Takes the same time for any token.

        Raises AccessError where the file cannot be used any more.
        """
        digest = _digest(token)
        found = None
        for name, known in self._current().items():
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _current(self) -> Mapping[str, bytes]:
        with self._lock:
            try:
                now = self.path.stat()
            except OSError as error:
                raise AccessError(f"{self.path}: cannot be read ({error.strerror})") from error
            seen = now.st_mtime_ns, now.st_size, now.st_ino
            if seen != self._seen:
                self._hashes, self._seen = _read_tokens(self.path), seen
            return self._hashes


def add_token(path: Path, name: str) -> str:
    """A new token, whose hash is added to a file under a name that it does not have yet.

    The file is made where there is none, for its owner alone. Raises AccessError for a name that
    is taken or has other characters than letters, digits and `._@+-`, OutputError for a file that
    cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise AccessError(
            f"{name[:SHOWN]!r}: expected a name of up to 64 letters, digits and ._@+-"
        )
    known = _read_tokens(path) if path.exists() else {}
    if name in known:
        raise AccessError(f"{path}: has a token of {name} already; remove its line, or use another")
    if not path.exists():
        path.touch(mode=0o600)
    token = secrets.token_urlsafe(32)
    line = f"{name} sha256:{_digest(token).hex()} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n"
    before = path.read_text("utf-8")
    atomic_write_text(path, before + "\n" * (before != "" and not before.endswith("\n")) + line)
    return token


@dataclass(frozen=True)
class Rules:
    """Who may ask over HTTP.

    `hosts` are what requests may call the server, None for anything; `tokens` are those of which
    every request needs one, None where none is needed. `free` are paths that anyone may have.
    """

    hosts: tuple[str, ...] | None = LOOPBACK
    tokens: Tokens | None = None
    free: frozenset[str] = frozenset()

    def refusal(self, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request may not have what it asks for; None where it may.

        A request that names another host comes from a page whose name was pointed at this machine,
        one with another origin from a page of another site.
        """
        host = headers.get("host", "")
        if self.hosts is not None and _host(host) not in self.hosts:
            return Refusal(
                "host", f"the request is for {host[:SHOWN]!r}, expected {', '.join(self.hosts)}"
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return Refusal("origin", f"the page {origin[:SHOWN]!r} may not ask this server")
        if self.tokens is None or path in self.free:
            return None
        try:
            known = self.name_of(headers)
        except AccessError:
            known = None
        if known is None:
            return Refusal("token", "expected the header Authorization: Bearer TOKEN, with a token")
        return None

    def name_of(self, headers: Mapping[str, str]) -> str | None:
        """Whose token a request has; None without one."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if self.tokens is None or kind.lower() != "bearer":
            return None
        return self.tokens.name_of(token.strip())


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: `kind` is host, origin or token."""

    kind: str
    line: str

    @property
    def status(self) -> int:
        """The status code of the answer."""
        return {"host": 421, "origin": 403, "token": 401}[self.kind]


class Guard:
    """ASGI middleware that keeps to rules, for an application that has no door of its own."""

    def __init__(self, app: Any, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let a request in, or answer with the one line of its refusal."""
        refused = None
        if scope["type"] == "http":
            pairs = scope["headers"]
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
            refused = self._rules.refusal(scope["path"], headers)
        if refused is None:
            await self._app(scope, receive, send)
            return
        head: list[tuple[bytes, bytes]] = [(b"content-type", b"text/plain; charset=utf-8")]
        if refused.kind == "token":
            head.append((b"www-authenticate", b"Bearer"))
        await send({"type": "http.response.start", "status": refused.status, "headers": head})
        await send({"type": "http.response.body", "body": refused.line.encode()})


def _host(header: str) -> str:
    """The host of a Host header, without its port and brackets."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _read_tokens(path: Path) -> Mapping[str, bytes]:
    """Hashes by name; raises AccessError for a file that is no list of tokens."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise AccessError(f"{path}: cannot be read ({reason}), expected tokens") from error
    # Windows keeps who may write a file elsewhere and says of every mode that all may.
    if os.name == "posix" and mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise AccessError(f"{path}: others than its owner may write it; chmod 600 {path}")
    return dict(_entries(path, lines))


def _entries(path: Path, lines: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _LINE.fullmatch(line)
        if entry is None:
            raise AccessError(f"{path}:{number}: expected NAME sha256:HEX TIME")
        yield entry[1], bytes.fromhex(entry[2])
