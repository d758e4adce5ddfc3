"""Made-up models for the loopback server: what they answer follows from what they are asked."""

from __future__ import annotations

import json
import re
from typing import Any

from loopback_server import Body, text_of

NODE = {"distortion": "blur", "severity": 1, "score": 0.8}
CLEAN = {"distortion": "clean", "severity": 0, "score": 1.0}
ENTRY = {"anchor": NODE, "target": CLEAN, "comparison": "slightly_worse"}


def asked_about(body: Body) -> list[int]:
    """The regions that a request asks about."""
    found = re.search(r"For each of these regions: ([\d, ]+)", text_of(body))
    assert found is not None
    return [int(number) for number in found[1].split(",")]


def hint_in(body: Body) -> dict[str, Any] | None:
    """The suggestion in a request."""
    found = re.search(
        r"keyed by region number:\n(\{.*?\})(?:\nThe program itself is uncertain about [^\n]+)?"
        r"\n\nThe suggestion",
        text_of(body),
        re.S,
    )
    return json.loads(found[1]) if found else None


def template(body: Body) -> str:
    """Says the same of every region, in favour of the second picture."""
    return json.dumps({str(k): ENTRY for k in asked_about(body)})


def copycat(body: Body) -> str:
    """Repeats the suggestion; without one, the template."""
    hint = hint_in(body)
    return template(body) if hint is None else json.dumps(hint)


def skipper(body: Body) -> str:
    """Answers every second region and one that is not there."""
    kept = asked_about(body)[::2]
    return json.dumps({str(k): ENTRY for k in [*kept, 9999]})
