"""Models behind an OpenAI-compatible endpoint: hosted ones, vLLM, llama.cpp, Ollama, LM Studio.

The `openai` package does the talking. Endpoints differ in which parameters they take; one that is
refused is left out or renamed, and that is remembered for as long as the endpoint object lives.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from distortion_graph.mllm.client.budget import estimated_input, estimated_text
from distortion_graph.mllm.client.messages import (
    EndpointError,
    Finish,
    Image,
    Part,
    Reply,
    Request,
    TryAgainError,
    Usage,
)
from distortion_graph.mllm.client.refusals import (
    ContentRefusedError,
    ParameterRefusedError,
    problem_in_answer,
    problem_of,
    wrong_model,
)

if TYPE_CHECKING:
    from openai import OpenAI

DEFAULT_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
Structured = Literal["auto", "off"]

_FORMS = ("json_schema", "json_object", "none")
_SPOKEN = (None, "text", "output_text")
"""Types of the pieces of a message that are said to the one who asks."""
_FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "refused"}
_LIST_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class _RequestStyle:
    """How an endpoint wants to be asked: the form of answers, and which parameters it takes."""

    form: int  # of _FORMS
    length: str  # the name of the limit of an answer's length
    renamed: bool = False
    left_out: frozenset[str] = frozenset()

    def without(self, parameter: str, sent: dict[str, Any]) -> _RequestStyle | None:
        """Another style, in which `parameter` is not sent as it was; None where there is none."""
        if parameter == "response_format" and parameter in sent:
            return replace(self, form=_FORMS.index(sent[parameter]["type"]) + 1)
        if parameter == self.length:  # renamed but never left out: answers must have an end
            other = {"max_tokens", "max_completion_tokens"} - {parameter}
            return None if self.renamed else replace(self, length=other.pop(), renamed=True)
        can_go = parameter in ("temperature", "seed", "stream_options", "system")
        if not can_go or parameter in self.left_out:
            return None
        return replace(self, left_out=self.left_out | {parameter})

    def joined(self, other: _RequestStyle) -> _RequestStyle:
        """What this and another thread have found out."""
        named = self if self.renamed else other
        left_out = self.left_out | other.left_out
        return replace(named, form=max(self.form, other.form), left_out=left_out)


class OpenAIEndpoint:
    """One model at one endpoint; may be asked from several threads."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        key_variable: str = KEY_VARIABLE,
        timeout_s: float = 120.0,
        structured: Structured = "auto",
        stream: bool = False,
    ) -> None:
        """Say who is asked; nothing is sent yet.

        Args:
            model: its name at the endpoint.
            base_url: of the endpoint, up to /v1; None takes OPENAI_BASE_URL, then OpenAI's own.
            key_variable: environment variable that holds the key. Endpoints on this machine or in
                a private network need none.
            timeout_s: longest time without an answer.
            structured: "auto" asks for an answer in the request's JSON schema, where that is taken.
            stream: receive answers piece by piece.

        Raises EndpointError where there is no key, the URL is none, or `openai` is not installed.
        """
        if find_spec("openai") is None:
            raise EndpointError(
                "asking an endpoint needs openai, not installed: "
                "pip install 'distortion-graph[mllm]'"
            )
        self.name = model
        self.base_url = _checked_url(base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL)
        self.identity = f"{self.base_url} {model} structured={structured}"
        self._key = _key(key_variable)
        if not self._key and not _is_near(self.base_url):
            raise EndpointError(
                f"{self.base_url}: no key; put it into the environment variable {key_variable}, or "
                "name another variable with --key-variable"
            )
        self._timeout_s, self._stream = timeout_s, stream
        self._lock = Lock()
        self._client: OpenAI | None = None
        # Ollama takes max_completion_tokens without a word and ignores it; OpenAI wants it.
        own = urlsplit(self.base_url).hostname == urlsplit(DEFAULT_URL).hostname
        self._style = _RequestStyle(
            form=_FORMS.index("json_schema" if structured == "auto" else "none"),
            length="max_completion_tokens" if own else "max_tokens",
        )

    def __repr__(self) -> str:
        return f"OpenAIEndpoint({self.name!r}, base_url={self.base_url!r})"

    def send(self, request: Request) -> Reply:
        """Ask once; see `Backend.send`."""
        style, lasting = self._style, True
        while True:
            arguments = self._arguments(request, style)
            try:
                reply = self._received(request, arguments)
            except ParameterRefusedError as error:
                refused = error
            else:
                if lasting and style != self._style:
                    with self._lock:
                        self._style = self._style.joined(style)
                return reply
            other = style.without(refused.parameter, arguments)
            if other is None:
                raise EndpointError(str(refused))
            style, lasting = other, lasting and not refused.once

    def _received(self, request: Request, arguments: dict[str, Any]) -> Reply:
        """The reply to a chat completion.

        Errors of the package hold the request with its key, so none of them is chained.
        """
        import openai

        place = f"{self.base_url}: {self.name}"
        try:
            answer: Any = self._openai().chat.completions.create(**arguments)
            said = _joined(answer) if self._stream else _said(answer)
        except openai.NotFoundError as error:
            problem: Exception = wrong_model(place, self.name, error, self._models())
        except openai.OpenAIError as error:
            problem = problem_of(place, error)
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            # The package passes on whatever stands in a body that is not what was promised.
            problem = TryAgainError(f"{place}: the answer is malformed")
        else:
            if said.error is None:
                return self._reply(said, request)
            problem = problem_in_answer(place, said.error)
        if isinstance(problem, ContentRefusedError):
            return Reply("", "refused")
        problem.args = (self._hidden(str(problem)),)
        raise problem

    def _reply(self, said: _Said, request: Request) -> Reply:
        text = self._hidden(said.text or said.refusal)
        finish = "refused" if said.refusal else _FINISHES.get(str(said.finish), "stop")
        return Reply(text, finish, _usage(said.usage, request, text), said.model)

    def _openai(self) -> OpenAI:
        with self._lock:
            if self._client is None:
                import openai

                # A proxy of the network does not know this machine's own servers.
                loopback = _is_loopback(self.base_url)
                self._client = openai.OpenAI(
                    api_key=self._key or "none",
                    base_url=self.base_url,
                    timeout=self._timeout_s,
                    max_retries=0,
                    http_client=openai.DefaultHttpxClient(trust_env=False) if loopback else None,
                )
            return self._client

    def _arguments(self, request: Request, style: _RequestStyle) -> dict[str, Any]:
        """The arguments of a chat completion, without what the endpoint does not take."""
        content = [_part(part) for part in request.parts]
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if "system" in style.left_out:
            content.insert(0, {"type": "text", "text": request.system})
        else:
            messages.insert(0, {"role": "system", "content": request.system})
        arguments: dict[str, Any] = {"model": self.name, "messages": messages}
        arguments[style.length] = request.max_output_tokens
        form = _FORMS[style.form]
        if request.schema is not None and form == "json_schema":
            schema = {"name": request.schema_name, "strict": True, "schema": dict(request.schema)}
            arguments["response_format"] = {"type": form, form: schema}
        elif request.schema is not None and form == "json_object":
            arguments["response_format"] = {"type": form}
        arguments |= {"temperature": request.temperature, "seed": request.seed}
        if self._stream:
            arguments |= {"stream": True, "stream_options": {"include_usage": True}}
        return {
            name: value
            for name, value in arguments.items()
            if value is not None and name not in style.left_out
        }

    def _models(self) -> list[str]:
        """The models that the endpoint has; none where it does not say."""
        try:
            timeout_s = min(_LIST_TIMEOUT_S, self._timeout_s)
            return [str(model.id) for model in self._openai().models.list(timeout=timeout_s)]
        except Exception:  # whatever an endpoint without such a list answers
            return []

    def _hidden(self, text: str) -> str:
        """Text without the key; endpoints like to repeat it."""
        return text.replace(self._key, "…") if self._key else text


def _key(variable: str) -> str:
    """The key in the environment, "" for none; raises EndpointError for what no header can hold."""
    key = os.environ.get(variable, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EndpointError(
            f"the environment variable {variable} holds characters that no key has, expected "
            "letters, digits and signs of ASCII without spaces"
        )
    return key


def _checked_url(url: str) -> str:
    """The URL in its one spelling; raises EndpointError without showing a password in it."""
    expected = "expected one such as http://localhost:8000/v1"
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise EndpointError(f"base URL {url.rpartition('@')[2]!r}: {expected}") from None
    if parts.username or parts.password:
        raise EndpointError(
            f"base URL for {host}: holds a name or password, {expected}; keys come from the "
            "environment"
        )
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise EndpointError(f"base URL {url!r}: {expected}")
    usual = {"http": 80, "https": 443}[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    place = shown if port in (None, usual) else f"{shown}:{port}"
    return f"{parts.scheme}://{place}{parts.path}".rstrip("/")


def _is_near(url: str) -> bool:
    """Whether an endpoint is on this machine or in a private network, where keys are rare."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return _is_loopback(url) or host.endswith((".local", ".internal")) or "." not in host


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Image):
        data = base64.b64encode(part.png).decode()
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    return {"type": "text", "text": part.text}


@dataclass
class _Said:
    """What stood in an answer; of the usage whatever was there."""

    text: str = ""
    refusal: str = ""
    finish: object = None
    usage: Any = None
    model: str | None = None
    error: object = None  # in the place of an answer


def _said(answer: Any) -> _Said:
    """Of an answer in one piece; raises ValueError, TypeError or AttributeError for another."""
    if not answer.choices:
        error = getattr(answer, "error", None)
        if not error:
            raise ValueError("no choices")
        return _Said(error=error)
    choice = answer.choices[0]
    message = choice.message
    text, refusal = _text(message.content), _text(getattr(message, "refusal", None))
    return _Said(text, refusal, choice.finish_reason, answer.usage, _name(answer.model))


def _joined(chunks: Iterable[Any]) -> _Said:
    """Of a stream; one that ends without saying why was broken off (ValueError)."""
    said = _Said()
    for chunk in chunks:
        said.usage = chunk.usage or said.usage
        said.model = _name(chunk.model) or said.model
        for choice in chunk.choices or ():
            said.text += _text(choice.delta.content)
            said.refusal += _text(getattr(choice.delta, "refusal", None))
            said.finish = choice.finish_reason or said.finish
    if said.finish is None:
        raise ValueError("broken off")
    return said


def _text(content: Any) -> str:
    """Content of a message, in one piece or in several; pieces of thinking are none of it."""
    if isinstance(content, list):
        said = (part for part in content if part.get("type") in _SPOKEN)
        return "".join(str(part.get("text") or "") for part in said)
    if not isinstance(content, str | None):
        raise TypeError(type(content))
    return content or ""


def _name(model: object) -> str | None:
    return model if isinstance(model, str) else None


def _usage(usage: Any, request: Request, text: str) -> Usage:
    asked = getattr(usage, "prompt_tokens", None)
    answered = getattr(usage, "completion_tokens", None)
    if isinstance(asked, int) and isinstance(answered, int) and min(asked, answered) >= 0:
        return Usage(asked, answered)
    return Usage(estimated_input(request), estimated_text(text), estimated=True)
