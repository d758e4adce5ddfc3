"""Why an endpoint did not answer, read from the words that different servers use for it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.mllm.client.messages import (
    ContextTooLongError,
    EndpointError,
    ImageTooLargeError,
    TryAgainError,
)

if TYPE_CHECKING:
    import openai

_LONGEST, _READ = 200, 4000  # characters of an endpoint's words: shown, looked at
_SHOWN_MODELS = 8

# OpenAI, vLLM, SGLang, TGI, llama.cpp, LM Studio, Ollama, Mistral, Gemini, Anthropic, xAI.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context (?:length|size|window|limit|the overf)|"
    r"\bn_ctx\b|max_model_len|maximum (?:model|prompt) length|maximum number of tokens|"
    r"too many (?:input )?tokens|(?:prompt|input) is too long|prompt too long|"
    r"max_new_tokens. must be|reduce the length",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(
    r"image_too_large|too many pixels|max_?pixels|decompression bomb|"
    r"(?:image|picture|payload|request|body|entity|content)s?\b.{0,60}\b(?:too (?:large|big)|"
    r"larger than|exceed)|image.{0,60}(?:exceed|max(?:imum)? (?:allowed )?(?:size|dim|pix))|"
    r"exceeds?.{0,60}(?:image|payload)",
    re.IGNORECASE,
)
_TOO_MANY_IMAGES = re.compile(
    r"limit.mm.per.prompt|at most \d+ image|too many images", re.IGNORECASE
)
_REFUSED_CONTENT = re.compile(r"content_filter|content_policy|safety system", re.IGNORECASE)
_NO_SYSTEM = re.compile(
    r"system (?:role|message|prompt|instruction)s?\b.{0,40}(?:not|un)[ -]?(?:supported|enabled)|"
    r"developer instruction is not enabled",
    re.IGNORECASE,
)
_FORM = re.compile(r"json_?schema|json_object|structured output|guided|grammar", re.IGNORECASE)
_BAD_SCHEMA = re.compile(r"invalid.{0,20}schema|schema.{0,60}too (?:large|complex)", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"unsupported|not supported|unknown|unrecognized|unexpected|not permitted|not allowed|instead",
    re.IGNORECASE,
)
_PARAMETERS = (
    "response_format",
    "max_tokens",
    "max_completion_tokens",
    "stream_options",
    "temperature",
    "seed",
)
_LENGTHS = ("max_tokens", "max_completion_tokens")


class ParameterRefusedError(DistortionGraphError):
    """The endpoint does not take a parameter; `once` if it is about this request's value of it."""

    def __init__(self, parameter: str, text: str, *, once: bool = False) -> None:
        super().__init__(text)
        self.parameter, self.once = parameter, once


class ContentRefusedError(EndpointError):
    """The endpoint's filter does not let the question pass."""


def problem_of(place: str, error: openai.OpenAIError) -> DistortionGraphError:
    """The error to raise for one of the `openai` package; `place` begins its line."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return TryAgainError(f"{place}: no answer in time; --timeout waits longer")
    if isinstance(error, openai.APIConnectionError):
        return TryAgainError(
            f"{place}: cannot be reached ({_cause(error)}); is the server running, and the URL "
            "right?"
        )
    if isinstance(error, openai.APIStatusError):
        return _of_status(place, error)
    return problem_in_answer(place, getattr(error, "body", None) or str(error))


def problem_in_answer(place: str, said: object) -> DistortionGraphError:
    """The error for one that comes where an answer was expected, with a status that says success.

    LM Studio does so, and every endpoint once a stream has begun.
    """
    words = _words(said)
    line = f"{place}: {_short(said) or 'the answer is malformed'}"
    if _TOO_LONG.search(words):
        return ContextTooLongError(line)
    if _TOO_LARGE.search(words) and not _TOO_MANY_IMAGES.search(words):
        return ImageTooLargeError(line)
    return TryAgainError(line)


def _of_status(place: str, error: openai.APIStatusError) -> DistortionGraphError:
    words, status = _words(error.body), error.status_code
    line = f"{place}: {status}: {_short(error.body) or 'no reason given'}"
    if status in (401, 403):
        return EndpointError(f"{line}; check the key in the environment and what it may use")
    if status == 429:
        if "insufficient_quota" in words:
            return EndpointError(f"{line}; the account has nothing left to spend")
        return TryAgainError(line, _after_s(error.response.headers))
    if _TOO_LONG.search(words) and status != 503:
        return ContextTooLongError(line)
    many = _TOO_MANY_IMAGES.search(words)
    if status == 413 or (400 <= status < 500 and _TOO_LARGE.search(words) and not many):
        return ImageTooLargeError(line)
    if _NO_SYSTEM.search(words):
        return ParameterRefusedError("system", line)
    if status in (408, 409) or (status >= 500 and status != 501):
        return TryAgainError(line, _after_s(error.response.headers))
    if _REFUSED_CONTENT.search(words):
        return ContentRefusedError(line)
    parameter = _parameter(error, words) if status in (400, 422, 501) else None
    if parameter is None:
        return EndpointError(line)
    once = parameter == "response_format" and _BAD_SCHEMA.search(words) is not None
    return ParameterRefusedError(parameter, line, once=once)


def wrong_model(
    place: str, model: str, error: openai.NotFoundError, known: Sequence[str]
) -> EndpointError:
    """The error for a model, or an address, that the endpoint does not have."""
    said = _short(error.body) or "not found"
    if model in known:
        return EndpointError(f"{place}: 404: {said}")
    if not known:
        return EndpointError(
            f"{place}: 404: {said}; expected a model of this endpoint, and a URL that ends in /v1"
        )
    near = get_close_matches(model, known, n=_SHOWN_MODELS, cutoff=0.3)
    rest = [name for name in known if name not in near]
    shown = [*near, *rest][:_SHOWN_MODELS]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return EndpointError(
        f"{place}: the endpoint has no such model, expected one of {', '.join(shown)}{more}"
    )


def _parameter(error: openai.APIStatusError, words: str) -> str | None:
    """The parameter that a refusal is about."""
    named = str(error.param or "").split(".")[0]
    found = [name for name in _PARAMETERS if re.search(rf"\b{name}\b", words)]
    if named not in _PARAMETERS:
        named = "response_format" if _FORM.search(words) else (found or [""])[0]
    if named in _LENGTHS and not _UNKNOWN.search(words):
        return None  # known, and too many: the limit must not be lost
    return named or None


def _words(said: object, *, codes: bool = True) -> str:
    """What an endpoint said, without what it repeats of the question; `codes` for programs too."""
    if isinstance(said, Sequence) and not isinstance(said, str):
        return " ".join(_words(one, codes=codes) for one in said)[:_READ]
    if not isinstance(said, Mapping):
        return "" if said is None else str(said)[:_READ]
    inner = [said[key] for key in ("error", "detail") if said.get(key)]
    keys = ("code", "type", "msg", "message") if codes else ("msg", "message")
    parts = [str(said[key]) for key in keys if isinstance(said.get(key), str | int)]
    place = said.get("loc")
    if isinstance(place, Sequence) and not isinstance(place, str):
        parts.append(".".join(map(str, place)))
    return " ".join([*parts, *(_words(one, codes=codes) for one in inner)])[:_READ]


def _short(said: object) -> str:
    """What an endpoint said to people, in one short line."""
    text = " ".join(re.sub(r"<[^>]*>", " ", _words(said, codes=False)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _cause(error: openai.APIConnectionError) -> str:
    cause = error.__cause__
    return _short(str(cause or error)) or type(cause).__name__


def _after_s(headers: Mapping[str, Any]) -> float | None:
    """Seconds that the endpoint asks to wait: a number, or a date."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        said = str(headers.get(name, "")).strip()
        try:
            seconds = float(said) * unit
        except ValueError:
            seconds = math.nan
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
