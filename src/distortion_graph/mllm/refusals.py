"""Why an endpoint did not answer, read from the words that different servers use for it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from distortion_graph.errors import DistortionGraphError
from distortion_graph.mllm.messages import (
    ContextTooLongError,
    EndpointError,
    ImageTooLargeError,
    TryAgainError,
)

if TYPE_CHECKING:
    import openai

_LONGEST = 200
_SHOWN_MODELS = 8

_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|context (?:length|size|window)|"
    r"exceed_context_size|too many tokens|prompt is too long|input is too long|n_ctx|"
    r"longer than the maximum model length|max_model_len|reduce the length",
    re.IGNORECASE,
)
"""OpenAI, vLLM, llama.cpp, LM Studio, Ollama and others."""

_TOO_LARGE = re.compile(
    r"(?:image|picture|payload|request|body|entity|content)\b.{0,60}\btoo (?:large|big)|"
    r"image.{0,80}(?:exceed|maximum|limit)|exceeds?.{0,60}image|too many pixels|"
    r"image_too_large|max_?pixels",
    re.IGNORECASE | re.DOTALL,
)
_REFUSED_CONTENT = re.compile(r"content_filter|content_policy|safety system", re.IGNORECASE)
_PARAMETERS = (
    "response_format",
    "max_completion_tokens",
    "max_tokens",
    "stream_options",
    "temperature",
    "seed",
)


class ParameterRefusedError(DistortionGraphError):
    """The endpoint does not take a parameter."""

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(text)
        self.parameter = parameter


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
    if not isinstance(error, openai.APIStatusError):
        return TryAgainError(f"{place}: the answer is malformed ({_short(error)})")
    return _of_status(place, error)


def _of_status(place: str, error: openai.APIStatusError) -> DistortionGraphError:
    words, status = _words(error), error.status_code
    line = f"{place}: {status}: {_short(error)}"
    if status in (401, 403):
        return EndpointError(f"{line}; check the key in the environment and what it may use")
    if status == 413 or (400 <= status < 500 and _TOO_LARGE.search(words)):
        return ImageTooLargeError(line)
    if status == 429:
        if "insufficient_quota" in words:
            return EndpointError(f"{line}; the account has nothing left to spend")
        return TryAgainError(line, _after_s(error.response.headers))
    if _TOO_LONG.search(words) and status != 503:
        return ContextTooLongError(line)
    if status in (408, 409) or status >= 500:
        return TryAgainError(line, _after_s(error.response.headers))
    if _REFUSED_CONTENT.search(words):
        return ContentRefusedError(line)
    parameter = _parameter(error, words)
    return ParameterRefusedError(parameter, line) if parameter else EndpointError(line)


class ContentRefusedError(EndpointError):
    """The endpoint's filter does not let the question pass."""


def wrong_model(
    place: str, model: str, error: openai.NotFoundError, known: Sequence[str]
) -> EndpointError:
    """The error for a model, or an address, that the endpoint does not have."""
    if not known:
        return EndpointError(
            f"{place}: 404: {_short(error)}; expected a model of this endpoint, and a URL that "
            "ends in /v1"
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
    named = (error.param or "").split(".")[0]
    if named in _PARAMETERS:
        return named
    if re.search(r"json_?schema|structured output|guided|grammar", words, re.IGNORECASE):
        return "response_format"
    return next((name for name in _PARAMETERS if name in words), None)


def _words(error: openai.APIStatusError) -> str:
    """Everything that the endpoint said."""
    return f"{error.code or ''} {error.type or ''} {error.message} {error.body}"


def _short(error: openai.OpenAIError) -> str:
    """The endpoint's own words, in one short line."""
    body = getattr(error, "body", None)
    text = str(body.get("message") or error) if isinstance(body, Mapping) else str(error)
    return " ".join(text.split())[:_LONGEST]


def _cause(error: openai.APIConnectionError) -> str:
    cause = error.__cause__
    return " ".join(str(cause or error).split())[:_LONGEST] or type(cause).__name__


def _after_s(headers: Mapping[str, Any]) -> float | None:
    """Seconds that the endpoint asks to wait: a number, or a date."""
    milliseconds = headers.get("retry-after-ms")
    said = headers.get("retry-after")
    try:
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        if said is None:
            return None
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(str(said)).timestamp() - time.time())
    except ValueError:
        return None
