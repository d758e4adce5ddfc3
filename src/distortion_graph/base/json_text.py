"""Texts in JSON that no file can hold."""

from __future__ import annotations

import json
import re
from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def has_half_characters(text: str, value: Any) -> bool:
    r"""Whether a string of the JSON `text`, parsed as `value`, has half of a surrogate pair.

    JSON may write "\ud800" alone; UTF-8 has no bytes for it, so it could not be written again.
    """
    if not _SURROGATE.search(text):
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
