"""The final answer of a model that thinks aloud: what it writes down on the way is no part of it.

Models mark their thinking in the text of a reply, each family in its own way:

- tags, `<think>…</think>` and the like (DeepSeek, Qwen, GLM, InternVL), `[THINK]…[/THINK]`
  (Magistral), `◁think▷…◁/think▷` (Kimi), `<|START_THINKING|>…<|END_THINKING|>` (Command A),
  `<|begin_of_thought|>…<|end_of_thought|>`; where the chat template writes the opening tag, the
  reply has the closing one alone;
- channels, `<|channel|>analysis<|message|>…<|end|>…<|channel|>final<|message|>…` (gpt-oss).

Endpoints that keep the thinking in a field of its own (`reasoning_content`) need none of this.
"""

from __future__ import annotations

import re

_NAMES = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis)"
_OPEN = rf"<{_NAMES}(?:\s[^<>]*)?>|\[think\]|◁think▷|<\|start_thinking\|>|<\|begin_of_thought\|>"
_CLOSE = rf"</{_NAMES}\s*>|\[/think\]|◁/think▷|<\|end_thinking\|>|<\|end_of_thought\|>"
_MARK = re.compile(rf"(?P<open>{_OPEN})|(?P<close>{_CLOSE})", re.IGNORECASE)

_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w*)(?:(?!<\|message\|>).)*<\|message\|>(.*?)(?=<\|\w+\|>|\Z)", re.DOTALL
)
_BARE_CHANNELS = re.compile(r"\s*analysis\S.*assistantfinal(.*)", re.DOTALL)
"""Channels of a server that dropped the special tokens around them."""

_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
_WRAPPING = re.compile(
    r"<\|(?:start_response|end_response|begin_of_solution|end_of_solution|begin_of_box|end_of_box)\|>",
    re.IGNORECASE,
)


def final_answer(text: str) -> str:
    """The text without its thinking, "" where it has nothing else.

    Thinking that never ends leaves no answer, and all that stands before a closing mark without an
    opening one is thinking. A second mark inside does not nest: models also write of their marks.
    """
    bare = _BARE_CHANNELS.fullmatch(text)
    if bare is not None:
        return bare[1].strip()
    if "<|channel|>" in text:
        return _final_channel(text)
    answer = _outside(text)
    wrapped = _ANSWER.findall(answer)
    return _WRAPPING.sub("", wrapped[-1] if wrapped else answer).strip()


def thinks_to_the_end(text: str) -> bool:
    """Whether a reply holds thinking and nothing else, as one that was cut off in it does."""
    return bool(text.strip()) and not final_answer(text)


def is_thinking_mark(token: str) -> bool:
    """Whether a token of a model's own is one of the marks around thinking or of channels."""
    return bool(_MARK.fullmatch(token)) or token in (
        "<|channel|>",
        "<|message|>",
        "<|start|>",
        "<|end|>",
    )


def _final_channel(text: str) -> str:
    final = [said for name, said in _CHANNEL.findall(text) if name == "final"]
    return final[-1].strip() if final else ""


def _outside(text: str) -> str:
    kept: list[str] = []
    end, thinking = 0, False
    for mark in _MARK.finditer(text):
        if mark["close"]:
            if not thinking:  # the chat template has written the opening mark
                kept.clear()
            thinking = False
        else:
            if not thinking:
                kept.append(text[end : mark.start()])
            thinking = True
        end = mark.end()
    if not thinking:
        kept.append(text[end:])
    return "\n".join(piece for piece in kept if piece.strip())
