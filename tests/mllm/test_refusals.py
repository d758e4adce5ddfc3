"""Servers say the same thing in many words; these are what real ones say."""

from __future__ import annotations

import json

import pytest
from loopback_server import Fault, LoopbackServer
from scripted_backend import question

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.mllm.client.endpoint import OpenAIEndpoint
from distortion_graph.mllm.client.messages import (
    ContextTooLongError,
    EndpointError,
    ImageTooLargeError,
    Reply,
    Request,
    Text,
    TryAgainError,
)


def answer(*faults: Fault, request: Request | None = None, stream: bool = False) -> object:
    """The reply to a request that meets faults, or the error."""
    with LoopbackServer(faults=faults) as server:
        try:
            endpoint = OpenAIEndpoint("tiny", base_url=server.url, stream=stream)
            return endpoint.send(request or question())
        except DistortionGraphError as error:
            return error


CONTEXT = {
    "OpenAI": {"message": "too long", "code": "context_length_exceeded"},
    "vLLM": "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum "
    "context length is 4096 tokens and your request has 1234 input tokens (4096 > 4096 - 1234).",
    "vLLM prompt": "The decoder prompt (length 5000) is longer than the maximum model length of "
    "4096. Make sure that `max_model_len` is no smaller than the number of text tokens plus "
    "multimodal tokens. For image inputs, the number of image tokens depends on the number of "
    "images, and possibly their aspect ratios as well.",
    "SGLang": "The input (9000 tokens) is longer than the model's context length (4096 tokens).",
    "TGI": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: "
    "5000 `inputs` tokens and 512 `max_new_tokens`",
    "llama.cpp": {
        "message": "request (70494 tokens) exceeds the available context size (67584 tokens)",
        "type": "exceed_context_size_error",
    },
    "llama.cpp n_keep": "Cannot truncate prompt with n_keep (5000) >= n_ctx (4096)",
    "LM Studio": "Trying to keep the first 9000 tokens when context the overflows. However, the "
    "model is loaded with context length of only 4096 tokens, which is not enough.",
    "LM Studio MLX": "Context size has been exceeded",
    "Ollama": "prompt too long; exceeded max context length by 904 tokens",
    "Ollama input": "the input length exceeds the context length",
    "Mistral": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 "
    "maximum context length",
    "Gemini": "The input token count (1200000) exceeds the maximum number of tokens allowed "
    "(1048576).",
    "Anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "xAI": "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
}
IMAGES = {
    "nginx": "Request Entity Too Large",
    "OpenAI": {"message": "Invalid image.", "code": "image_too_large"},
    "Anthropic": "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 7340032 "
    "bytes > 5242880 bytes",
    "Anthropic px": "At least one of the image dimensions exceed max allowed size: 8000 pixels",
    "Gemini": "Request payload size exceeds the limit: 20971520 bytes.",
    "Groq": "image too large: the limit is 33177600 pixels",
    "pixels": "Invalid image: too many pixels",
}


def error_of(words: object) -> dict[str, object]:
    return words if isinstance(words, dict) else {"message": words}


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("words", CONTEXT.values(), ids=CONTEXT)
def test_a_context_that_is_too_long(words: object, status: int) -> None:
    assert type(answer(Fault("status", status, error_of(words)))) is ContextTooLongError


@pytest.mark.parametrize("words", IMAGES.values(), ids=IMAGES)
def test_a_picture_that_is_too_large(words: object) -> None:
    assert type(answer(Fault("status", 400, error_of(words)))) is ImageTooLargeError


def test_a_message_that_is_too_large_by_its_status() -> None:
    assert type(answer(Fault("status", 413, {"message": ""}))) is ImageTooLargeError


@pytest.mark.parametrize(
    "words",
    [
        "You set or defaulted to '{\"image\": 1}' in `--limit-mm-per-prompt`, but passed 2 image "
        "items in the same prompt.",
        "At most 1 image(s) may be provided in one prompt.",
    ],
)
def test_too_many_pictures_are_not_helped_by_smaller_ones(words: str) -> None:
    problem = answer(Fault("status", 400, {"message": words}))
    assert type(problem) is EndpointError and "1" in str(problem)


def test_what_a_server_repeats_of_the_question_decides_nothing() -> None:
    """FastAPI sends back what it does not like."""
    detail = [{"loc": ["body", "messages"], "msg": "Field required", "input": "context length"}]
    problem = answer(Fault("status", 422, {"detail": detail}))
    assert type(problem) is EndpointError
    assert str(problem).endswith("422: Field required body.messages")


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_may_come_with_a_status_of_success(stream: bool) -> None:
    """LM Studio sends one so, and any server in the midst of a stream."""
    for words, kind in (
        ("Context size has been exceeded", ContextTooLongError),
        ("the model has crashed", TryAgainError),
    ):
        text = json.dumps({"error": {"message": words}})
        body = f"data: {text}\n\n" if stream else text
        problem = answer(Fault("malformed", text=body), stream=stream)
        assert type(problem) is kind and str(problem).endswith(f"tiny: {words}")


def said(**changes: object) -> Fault:
    """An answer with other things in it than usual."""
    message = {"role": "assistant", "content": changes.pop("content", "yes")}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return Fault("malformed", text=json.dumps({"model": "tiny", "choices": [choice], **changes}))


@pytest.mark.parametrize(
    "usage", [{}, {"total_tokens": 5}, {"prompt_tokens": None, "completion_tokens": 3}, "no", None]
)
def test_tokens_that_an_endpoint_does_not_tell_are_estimated(usage: object) -> None:
    reply = answer(said(usage=usage))
    assert isinstance(reply, Reply) and reply.usage.estimated and reply.usage.output_tokens == 1


def test_an_answer_in_parts_is_one() -> None:
    parts = [{"type": "text", "text": "y"}, {"type": "text", "text": "es"}]
    reply = answer(said(content=parts))
    assert isinstance(reply, Reply) and reply.text == "yes"
    assert isinstance(answer(said(content=3)), TryAgainError)


# ---- parameters


def test_the_limit_of_an_answer_is_never_left_out() -> None:
    """Neither where it is too high, nor where both of its names are refused."""
    for words, asked in (
        ("{} is too large: 100000. This model supports at most 16384 completion tokens", 1),
        ("Unsupported parameter: '{}'.", 2),
    ):
        faults = [
            Fault(
                "status", 400, {"message": words.format(name), "param": name}, times=9,
                matches=lambda body, name=name: name in body,  # type: ignore[misc]
            )
            for name in ("max_tokens", "max_completion_tokens")
        ]  # fmt: skip
        with LoopbackServer(faults=faults) as server:
            with pytest.raises(EndpointError, match=r"tiny: 400: (max_|Unsup)"):
                OpenAIEndpoint("tiny", base_url=server.url).send(question())
            assert len(server.requests) == asked
            assert all("max_tokens" in b or "max_completion_tokens" in b for b in server.requests)


def test_a_model_without_a_system_text_gets_it_from_the_user() -> None:
    fault = Fault("status", 500, {"message": "System role not supported"})
    with LoopbackServer(faults=[fault]) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url)
        for _ in range(2):
            endpoint.send(question())
        assert len(server.requests) == 3
        (message,) = server.requests[-1]["messages"]
    texts = [part["text"] for part in message["content"]]
    assert message["role"] == "user" and texts == ["Be brief.", "question 0"]


def test_a_schema_that_is_refused_says_nothing_about_others() -> None:
    error = {"message": "Invalid schema for response_format 'a'", "param": "response_format"}
    with LoopbackServer(faults=[Fault("status", 400, error)]) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url)
        for _ in range(2):
            endpoint.send(Request("Be brief.", (Text("?"),), {"type": "object"}))
        forms = [body["response_format"]["type"] for body in server.requests]
    assert forms == ["json_schema", "json_object", "json_schema"]


@pytest.mark.parametrize(
    ("error", "left"),
    [
        ({"message": "'response_format.type' must be 'json_schema' or 'text'"}, "json_object"),
        ({"message": "This model does not support structured output"}, "json_object"),
        ({"message": "failed to parse grammar"}, "json_object"),
    ],
)
def test_words_about_the_form_of_an_answer(error: dict[str, str], left: str) -> None:
    with LoopbackServer(faults=[Fault("status", 400, error)]) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url)
        endpoint.send(Request("Be brief.", (Text("?"),), {"type": "object"}))
        assert server.requests[-1]["response_format"]["type"] == left


def test_a_parameter_that_a_bill_speaks_of_is_not_left_out() -> None:
    words = "This request requires more credits, or fewer max_tokens."
    problem = answer(Fault("status", 402, {"message": words}))
    assert type(problem) is EndpointError and words in str(problem)


@pytest.mark.parametrize("said", ["inf", "nan", "-5", "soon", "1e999", "Mon, 99 Foo 2026"])
def test_a_wait_that_is_none_is_passed_over(said: str) -> None:
    problem = answer(Fault("status", 429, headers={"Retry-After": said}))
    assert isinstance(problem, TryAgainError) and problem.after_s in (None, 0)


def test_a_model_that_is_there_is_not_said_to_be_missing() -> None:
    words = "No endpoints found that support image input"
    problem = answer(Fault("status", 404, {"message": words}))
    assert type(problem) is EndpointError and str(problem).endswith(f"404: {words}")
