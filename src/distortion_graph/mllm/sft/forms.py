"""Conversations in the forms that trainers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

IMAGE = "<image>"
"""Where a picture stands in LLaVA's and ShareGPT's text."""

_MARKS = (IMAGE, "<video>", "<audio>")


class Form(StrEnum):
    """A form of the file; the value is the file's name without its suffix."""

    llava = "llava"
    messages = "messages"


@dataclass(frozen=True)
class Shown:
    """A picture by the path of its file, relative to the JSONL."""

    path: str


@dataclass(frozen=True)
class Spoken:
    """One exchange: what the user says, words and pictures in order, and the answer."""

    user: tuple[str | Shown, ...]
    assistant: str


@dataclass(frozen=True)
class Conversation:
    """A whole conversation."""

    id: str
    system: str
    turns: tuple[Spoken, ...]

    @property
    def images(self) -> list[str]:
        """Paths of all pictures, in the order they are shown."""
        return [part.path for turn in self.turns for part in turn.user if isinstance(part, Shown)]


def as_llava(conversation: Conversation) -> dict[str, Any]:
    """LLaVA's and ShareGPT's form; words of the data that mark media are cut."""
    turns = []
    for turn in conversation.turns:
        said = [IMAGE if isinstance(p, Shown) else _plain(p) for p in turn.user]
        turns.append({"from": "human", "value": "\n".join(said)})
        turns.append({"from": "gpt", "value": _plain(turn.assistant)})
    return {
        "id": conversation.id,
        "image": conversation.images,
        "system": conversation.system,
        "conversations": turns,
    }


def _plain(text: str) -> str:
    for mark in _MARKS:
        text = text.replace(mark, "")
    return text


def as_messages(conversation: Conversation) -> dict[str, Any]:
    """OpenAI's messages, with the pictures' places in them and their paths in `images`."""
    messages = [_message("system", (conversation.system,))]
    for turn in conversation.turns:
        messages.append(_message("user", turn.user))
        messages.append(_message("assistant", (turn.assistant,)))
    return {"id": conversation.id, "messages": messages, "images": conversation.images}


def _message(role: str, parts: Sequence[str | Shown]) -> dict[str, Any]:
    # Columns of one type need the same keys everywhere.
    content = [
        {"type": "image", "text": None} if isinstance(p, Shown) else {"type": "text", "text": p}
        for p in parts
    ]
    return {"role": role, "content": content}


WRITERS = {Form.llava: as_llava, Form.messages: as_messages}


def llama_factory_info() -> dict[str, Any]:
    """The entry of LLaMA-Factory's dataset_info.json for `llava.jsonl`."""
    return {
        "distortion_graph": {
            "file_name": f"{Form.llava}.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "images": "image", "system": "system"},
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
            },
        }
    }
