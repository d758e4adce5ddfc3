"""Models behind an OpenAI-compatible endpoint: hosted ones, vLLM, llama.cpp, Ollama, LM Studio.

The `openai` package does the talking. Endpoints differ in which parameters they take; one that is
refused is left out or renamed, and that is remembered for as long as the endpoint object lives.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from distortion_graph.mllm.budget import estimated_input
from distortion_graph.mllm.messages import (
    EndpointError,
    Finish,
    Image,
    Part,
    Reply,
    Request,
    TryAgainError,
    Usage,
)
from distortion_graph.mllm.refusals import (
    ContentRefusedError,
    ParameterRefusedError,
    problem_of,
    wrong_model,
)

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletion

DEFAULT_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
Structured = Literal["auto", "off"]

_FORMS = ("json_schema", "json_object", "none")
_FINISHES: dict[str | None, Finish] = {"length": "length", "content_filter": "refused"}


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

        Raises EndpointError where there is no key, or the URL is none.
        """
        self.name = model
        self.base_url = _checked_url(base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL)
        self.identity = f"{self.base_url} {model} structured={structured}"
        self._key = os.environ.get(key_variable, "").strip()
        if not self._key and not _is_near(self.base_url):
            raise EndpointError(
                f"{self.base_url}: no key; put it into the environment variable {key_variable}, or "
                "name another variable with --key-variable"
            )
        self._timeout_s, self._stream = timeout_s, stream
        self._lock = Lock()
        self._client: OpenAI | None = None
        self._form = 0 if structured == "auto" else len(_FORMS) - 1
        self._length_name = "max_completion_tokens"
        self._left_out: set[str] = set()

    def __repr__(self) -> str:
        return f"OpenAIEndpoint({self.name!r}, base_url={self.base_url!r})"

    def send(self, request: Request) -> Reply:
        """Ask once; see `Backend.send`."""
        while True:
            arguments = self._arguments(request)
            try:
                return self._received(request, arguments)
            except ParameterRefusedError as refused:
                if not self._do_without(refused.parameter, arguments):
                    raise EndpointError(self._hidden(f"{self._place()}: {refused}")) from None

    def _received(self, request: Request, arguments: dict[str, Any]) -> Reply:
        import openai

        try:
            answer = self._openai().chat.completions.create(**arguments)
            if self._stream:
                return _joined(answer, request)
            return _reply(answer, request)
        except openai.NotFoundError as error:
            raise wrong_model(self._place(), self.name, error, self._models()) from None
        except openai.OpenAIError as error:
            problem = problem_of(self._place(), error)
            if isinstance(problem, ContentRefusedError):
                return Reply("", "refused")
            if isinstance(problem, ParameterRefusedError):
                raise problem from None
            problem.args = (self._hidden(str(problem)),)
            raise problem from None
        except (ValueError, TypeError, AttributeError, IndexError) as error:
            # The package passes on whatever stands in a body that is not what was promised.
            raise TryAgainError(f"{self._place()}: the answer is malformed") from error

    def _openai(self) -> OpenAI:
        with self._lock:
            if self._client is None:
                from openai import OpenAI

                self._client = OpenAI(
                    api_key=self._key or "none",
                    base_url=self.base_url,
                    timeout=self._timeout_s,
                    max_retries=0,
                )
            return self._client

    def _arguments(self, request: Request) -> dict[str, Any]:
        """The arguments of a chat completion, without what the endpoint does not take."""
        messages = [
            {"role": "system", "content": request.system},
            {"role": "user", "content": [_part(part) for part in request.parts]},
        ]
        found: dict[str, Any] = {"model": self.name, "messages": messages}
        found[self._length_name] = request.max_output_tokens
        form = _FORMS[self._form] if request.schema is not None else "none"
        if form == "json_schema":
            schema = {"name": request.schema_name, "strict": True, "schema": dict(request.schema)}  # type: ignore[arg-type]
            found["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif form == "json_object":
            found["response_format"] = {"type": "json_object"}
        found |= {"temperature": request.temperature, "seed": request.seed}
        if self._stream:
            found |= {"stream": True, "stream_options": {"include_usage": True}}
        return {
            name: value
            for name, value in found.items()
            if value is not None and name not in self._left_out
        }

    def _do_without(self, parameter: str, sent: dict[str, Any]) -> bool:
        """Remember that a parameter is refused; False where nothing can be changed."""
        if parameter not in sent:
            return False
        with self._lock:
            if parameter == "response_format":
                taken = sent[parameter]["type"]
                # Another thread may have gone on to the next form in the meantime.
                self._form = max(self._form, _FORMS.index(taken) + 1)
            elif parameter == "max_completion_tokens":
                self._length_name = "max_tokens"
            elif parameter in ("temperature", "seed", "stream_options", "max_tokens"):
                self._left_out.add(parameter)
            else:
                return False
        return True

    def _models(self) -> list[str]:
        """The models that the endpoint has; none where it does not say."""
        try:
            return [model.id for model in self._openai().models.list()]
        except Exception:  # whatever an endpoint without such a list answers
            return []

    def _place(self) -> str:
        return f"{self.base_url}: {self.name}"

    def _hidden(self, text: str) -> str:
        """Text without the key; endpoints like to repeat it."""
        return text.replace(self._key, "…") if self._key else text


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EndpointError(f"base URL {url!r}: expected one such as http://localhost:8000/v1")
    return url.rstrip("/")


def _is_near(url: str) -> bool:
    """Whether an endpoint is on this machine or in a private network, where keys are rare."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".localhost")) or "." not in host


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Image):
        data = base64.b64encode(part.png).decode()
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    return {"type": "text", "text": part.text}


def _reply(answer: ChatCompletion, request: Request) -> Reply:
    choice = answer.choices[0]
    message = choice.message
    refusal = getattr(message, "refusal", None)
    text = message.content or refusal or ""
    finish = "refused" if refusal else _FINISHES.get(choice.finish_reason, "stop")
    return Reply(text, finish, _usage(answer.usage, request, text), answer.model)


def _joined(chunks: Iterable[Any], request: Request) -> Reply:
    """The reply of a stream; one that ends without saying why was broken off."""
    texts: list[str] = []
    refusal, finish, usage, served = "", None, None, None
    for chunk in chunks:
        usage, served = chunk.usage or usage, chunk.model or served
        for choice in chunk.choices or ():
            texts.append(choice.delta.content or "")
            refusal += getattr(choice.delta, "refusal", None) or ""
            finish = choice.finish_reason or finish
    if finish is None:
        raise ValueError("broken off")
    text = "".join(texts) or refusal
    how = "refused" if refusal else _FINISHES.get(finish, "stop")
    return Reply(text, how, _usage(usage, request, text), served)


def _usage(usage: Any, request: Request, text: str) -> Usage:
    if usage is None:
        return Usage(estimated_input(request), len(text.encode()) // 3 + 1, estimated=True)
    return Usage(int(usage.prompt_tokens), int(usage.completion_tokens))
