"""Headers that keep browsers from doing more with an answer than showing it."""

from __future__ import annotations

import re

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
_HEAD = 2000  # characters of a page in which its policy stands

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content policy of what is no page."""

SECURE: tuple[tuple[str, str], ...] = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cache-Control", "no-store"),
)
"""Of every answer, unless it has its own."""


def policy_of(page: str) -> str:
    """The content policy that a page has in itself, as a header; it also says who may frame it.

    Raises ValueError for a page without one.
    """
    found = _POLICY.search(page, 0, _HEAD)
    if found is None:
        raise ValueError("the page has no content policy")
    return f"{found[1]}; frame-ancestors 'self'"
