"""What is asked of a language model and what it says: plain values, the same for every backend.

    cues, prompts ──→ Request ── client ── backend ──→ Reply ──→ answers ──→ graph

A request holds everything that its answer depends on beside the model, so its `digest` names it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.files import encode_image

Role: TypeAlias = Literal["picture", "crop"]
"""A whole picture may be made smaller for an endpoint that takes no more; a crop never is."""

Finish: TypeAlias = Literal["stop", "length", "refused"]
"""Why an answer ended: the model was done, it was cut off, or nobody wanted to answer."""


@dataclass(frozen=True)
class Text:
    """Words of a message."""

    text: str


@dataclass(frozen=True, eq=False)
class Image:
    """A picture in a message: (H, W, 3) uint8 RGB, sent without loss."""

    rgb: NDArray[np.uint8] = field(repr=False)
    role: Role = "picture"

    @cached_property
    def png(self) -> bytes:
        """The picture as PNG."""
        return encode_image("picture.png", self.rgb, fast=True)

    @cached_property
    def sha256(self) -> str:
        """Of size and pixels, so that another PNG encoder makes no other request."""
        height, width = self.rgb.shape[:2]
        pixels = np.ascontiguousarray(self.rgb)
        return hashlib.sha256(f"{width}x{height}:".encode() + pixels.tobytes()).hexdigest()


Part: TypeAlias = Text | Image


@dataclass(frozen=True, eq=False)
class Request:
    """One question: a system text, then text and pictures of one user's message.

    `schema` is the JSON Schema of the answer, None for free text; `schema_name` is what an
    endpoint calls it. `temperature` and `seed` are left to the endpoint where they are None.
    """

    system: str
    parts: tuple[Part, ...]
    schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    max_output_tokens: int = 4096
    temperature: float | None = 0.0
    seed: int | None = 0

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures in the message, in order."""
        return tuple(part for part in self.parts if isinstance(part, Image))

    def digest(self, model: str) -> str:
        """SHA-256 of the question and of `model`, which says who is asked, in hexadecimal."""
        value = {
            "model": model,
            "system": self.system,
            "parts": [
                {"text": part.text} if isinstance(part, Text) else {"image": part.sha256}
                for part in self.parts
            ],
            "schema": self.schema,
            "max_output_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
        }
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Usage:
    """Tokens of a reply; `estimated` where the endpoint did not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True)
class Reply:
    """What came back. `served_by` is the model's name as the endpoint gives it."""

    text: str
    finish: Finish = "stop"
    usage: Usage = Usage()
    served_by: str | None = None


class ContextTooLongError(DistortionGraphError):
    """The request has more tokens than the model takes; asking for fewer regions may help."""


class ImageTooLargeError(DistortionGraphError):
    """The endpoint takes no picture or no message this large; smaller pictures may help."""


class EndpointError(DistortionGraphError):
    """The endpoint cannot be asked: down, no key, a wrong model's name, a refused request."""


class TryAgainError(EndpointError):
    """What may work a little later: too many requests, a server's fault, a broken answer.

    `after_s` is how long the endpoint asked to wait, None where it did not say.
    """

    def __init__(self, text: str, after_s: float | None = None) -> None:
        super().__init__(text)
        self.after_s = after_s


class Backend(Protocol):
    """Someone who answers requests; `send` may be called from several threads."""

    @property
    def name(self) -> str:
        """The model's name, for people and for rows of tables."""
        ...

    @property
    def identity(self) -> str:
        """Everything beside the request that an answer depends on, for `Request.digest`."""
        ...

    def send(self, request: Request) -> Reply:
        """Ask once, without trying again.

        Raises ContextTooLongError, ImageTooLargeError, TryAgainError, or EndpointError.
        """
        ...
