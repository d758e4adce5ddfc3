"""What a tool of the MCP server is, whatever it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.validation import validation_line
from distortion_graph.graph.basis import Part


@dataclass(frozen=True)
class Outcome:
    """What a tool gives back: a text for people, facts for programs, and perhaps a PNG."""

    text: str
    facts: Part
    png: bytes | None = None


@dataclass(frozen=True)
class Offer:
    """A tool: what it is called with, what it gives back, and how; a heavy one takes long."""

    title: str
    description: str
    question: type[Part]
    facts: type[Part]
    run: Callable[[Any], Outcome]
    heavy: bool = False

    def answer(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """Run it; raises DistortionGraphError, also for arguments that are not as described."""
        try:
            question = self.question.model_validate(arguments)
        except ValidationError as error:
            raise DistortionGraphError(validation_line(error, name, self.question)) from None
        return self.run(question)
