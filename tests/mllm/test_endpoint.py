"""The real `openai` client against an endpoint that does all that endpoints do wrong."""

from __future__ import annotations

import json
import traceback
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from time import time
from typing import Any

import numpy as np
import pytest
from loopback_server import Capacity, Fault, LoopbackServer, images_of
from optional import present

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.mllm.client.endpoint import OpenAIEndpoint
from distortion_graph.mllm.client.messages import (
    EndpointError,
    Image,
    Request,
    Text,
    TryAgainError,
)

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def question(words: str = "What do you see?", schema: dict[str, Any] | None = SCHEMA) -> Request:
    return Request("Be brief.", (Text(words), Image(PICTURE)), schema, max_output_tokens=77)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_comes_with_its_tokens_and_who_gave_it(stream: bool) -> None:
    text = json.dumps({"a": 1, "said": "ü" * 20})
    with LoopbackServer(lambda body: text) as server:
        reply = OpenAIEndpoint("tiny", base_url=server.url, stream=stream).send(question())
        assert (reply.text, reply.finish, reply.served_by) == (text, "stop", "tiny-served")
        assert reply.usage.output_tokens == len(text) // 4 + 1 and not reply.usage.estimated
        (body,) = server.requests
    assert bool(body.get("stream")) == stream
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert body["max_tokens"] == 77 and body["temperature"] == 0


def test_pictures_are_sent_without_loss() -> None:
    import base64

    import cv2

    with LoopbackServer() as server:
        OpenAIEndpoint("tiny", base_url=server.url).send(question())
        (url,) = images_of(server.requests[0])
    data = np.frombuffer(base64.b64decode(url.removeprefix("data:image/png;base64,")), np.uint8)
    assert np.array_equal(present(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1], PICTURE)


def test_free_text_asks_for_no_form() -> None:
    with LoopbackServer() as server:
        OpenAIEndpoint("tiny", base_url=server.url).send(question(schema=None))
        OpenAIEndpoint("tiny", base_url=server.url, structured="off").send(question())
        assert all("response_format" not in body for body in server.requests)


@pytest.mark.parametrize("stream", [False, True])
def test_what_an_endpoint_does_not_take_is_left_out_from_then_on(stream: bool) -> None:
    refused = ("temperature", "seed", "max_tokens", "stream_options")
    takes = Capacity(parameters_refused=refused, json_schema=False, json_object=False, usage=False)
    with LoopbackServer(lambda body: '{"a": 2}', capacity=takes) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, stream=stream)
        first = endpoint.send(question())
        asked = len(server.requests)
        second = endpoint.send(question())
        assert len(server.requests) == asked + 1
        body = server.requests[-1]
    assert first == second and first.usage.estimated
    assert not set(refused) & set(body) and "response_format" not in body
    assert body["max_completion_tokens"] == 77


def test_the_next_weaker_form_is_taken_first() -> None:
    with LoopbackServer(capacity=Capacity(json_schema=False)) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url)
        endpoint.send(question())
        assert server.requests[-1]["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["refusal", "filter"])
def test_a_model_that_declines_is_a_refusal(kind: str, stream: bool) -> None:
    with LoopbackServer(faults=[Fault(kind)]) as server:
        reply = OpenAIEndpoint("tiny", base_url=server.url, stream=stream).send(question())
    assert reply.finish == "refused"
    assert ("cannot help" in reply.text) == (kind == "refusal")


def test_a_filter_of_the_endpoint_is_a_refusal() -> None:
    fault = Fault("status", 400, {"message": "filtered", "code": "content_filter"})
    with LoopbackServer(faults=[fault]) as server:
        assert OpenAIEndpoint("tiny", base_url=server.url).send(question()).finish == "refused"


def test_a_cut_off_answer_says_so() -> None:
    with LoopbackServer(faults=[Fault("length", text='{"a"')]) as server:
        reply = OpenAIEndpoint("tiny", base_url=server.url).send(question())
    assert (reply.text, reply.finish) == ('{"a"', "length")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500),
        Fault("status", 503, {"message": "loading the model"}),
        Fault("status", 429, {"message": "slow down"}),
        Fault("status", 408),
        Fault("cut"),
        Fault("malformed", text='{"choices": ['),
        Fault("malformed", text='{"choices": []}'),
        Fault("malformed", text='{"choices": null}'),
        Fault("malformed", text="<html>Bad gateway</html>"),
        Fault("malformed", text=""),
    ],
    ids=lambda fault: f"{fault.kind}{fault.status}{fault.text[:14]}",
)
def test_what_may_work_later_is_to_be_tried_again(fault: Fault, stream: bool) -> None:
    fault = Fault(**{**vars(fault), "times": 1})
    with LoopbackServer(lambda body: "x" * 200, faults=[fault]) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, stream=stream)
        with pytest.raises(TryAgainError) as caught:
            endpoint.send(question())
        assert str(caught.value).startswith(server.url) and "\n" not in str(caught.value)
        assert endpoint.send(question()).text == "x" * 200


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry-After": "7"}, 7, 7),
        ({"retry-after-ms": "250"}, 0.25, 0.25),
        ({"Retry-After": "DATE"}, 500, 601),
    ],
)
def test_the_wait_an_endpoint_asks_for_is_passed_on(
    headers: dict[str, str], low: float, high: float
) -> None:
    date = formatdate(time() + 600, usegmt=True)
    headers = {name: value.replace("DATE", date) for name, value in headers.items()}
    fault = Fault("status", 429, headers=headers)
    with LoopbackServer(faults=[fault]) as server, pytest.raises(TryAgainError) as caught:
        OpenAIEndpoint("tiny", base_url=server.url).send(question())
    assert caught.value.after_s is not None and low <= caught.value.after_s <= high


def test_an_account_without_money_is_not_asked_again() -> None:
    fault = Fault("status", 429, {"message": "You exceeded.", "code": "insufficient_quota"})
    with LoopbackServer(faults=[fault]) as server, pytest.raises(EndpointError) as caught:
        OpenAIEndpoint("tiny", base_url=server.url).send(question())
    assert not isinstance(caught.value, TryAgainError)


def test_a_slow_answer_is_not_waited_for_longer_than_told() -> None:
    with LoopbackServer(faults=[Fault("slow", seconds=1.5)]) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, timeout_s=0.2)
        with pytest.raises(TryAgainError, match="no answer in time; --timeout waits longer"):
            endpoint.send(question())


def test_an_endpoint_that_is_down_is_named() -> None:
    with pytest.raises(TryAgainError, match=r"127.0.0.1:9/v1: tiny: cannot be reached"):
        OpenAIEndpoint("tiny", base_url="http://127.0.0.1:9/v1").send(question())


def test_a_wrong_model_is_answered_with_those_there_are() -> None:
    with LoopbackServer() as server, pytest.raises(EndpointError) as caught:
        OpenAIEndpoint("tiny-visoin", base_url=server.url).send(question())
    assert "no such model, expected one of tiny-vision, tiny, large" in str(caught.value)


SECRET = "sk-very-secret-0123456789"


def test_the_key_is_sent_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with LoopbackServer(capacity=Capacity(key=SECRET)) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, key_variable="MY_KEY")
        endpoint.send(question())
        assert server.headers[0]["authorization"] == f"Bearer {SECRET}"
        assert SECRET not in repr(endpoint) + endpoint.identity


def test_a_key_that_the_endpoint_repeats_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with LoopbackServer(capacity=Capacity(key="another")) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, key_variable="MY_KEY")
        with pytest.raises(EndpointError, match="Incorrect API key provided: …") as caught:
            endpoint.send(question())
    assert SECRET not in str(caught.value) and "check the key" in str(caught.value)


def test_far_endpoints_need_a_key_and_near_ones_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(EndpointError, match="no key; put it into the environment variable OPENAI"):
        OpenAIEndpoint("gpt-5-mini")
    for host in ("localhost:8000", "127.0.0.1", "[::1]:80", "192.168.1.7", "10.1.2.3", "gpu-box"):
        OpenAIEndpoint("tiny", base_url=f"http://{host}/v1")


def test_the_environment_names_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1234/v1/")
    assert OpenAIEndpoint("tiny").base_url == "http://localhost:1234/v1"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    if url:
        with pytest.raises(EndpointError, match="expected one such as http://localhost:8000/v1"):
            OpenAIEndpoint("tiny", base_url=url)


@pytest.mark.parametrize(
    "url",
    ["http://[::1/v1", "http://localhost:99999999/v1", "http://localhost:x/v1", "http://h/v1?k=1"],
)
def test_a_url_with_a_mistake_is_refused(url: str) -> None:
    with pytest.raises(EndpointError, match="expected one such as http://localhost:8000/v1"):
        OpenAIEndpoint("tiny", base_url=url)


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    for url in ("http://me:hunter2@localhost/v1", "http://me:hunter2@localhost:x/v1"):
        with pytest.raises(EndpointError) as caught:
            OpenAIEndpoint("tiny", base_url=url)
        assert "hunter2" not in str(caught.value)


def test_an_endpoint_has_one_identity_however_it_is_spelt() -> None:
    spelt = ("HTTP://LocalHost:80/v1/", "http://localhost/v1")
    assert len({OpenAIEndpoint("tiny", base_url=url).identity for url in spelt}) == 1


def test_this_machine_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with LoopbackServer() as server:
        assert OpenAIEndpoint("tiny", base_url=server.url).send(question()).text == "{}"


@pytest.mark.parametrize("key", ["“sk-secret”", "sk secret", "sk-\x01secret"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(EndpointError, match="MY_KEY holds characters") as caught:
        OpenAIEndpoint("tiny", base_url="http://localhost/v1", key_variable="MY_KEY")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 429, 500])
def test_no_error_shows_the_key_anywhere(
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    caplog.set_level(0)
    fault = Fault("status", status, {"message": f"bad seed of {SECRET}", "code": SECRET}, times=9)
    with LoopbackServer(faults=[fault]) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, key_variable="MY_KEY")
        try:
            endpoint.send(question())
        except DistortionGraphError as error:
            shown = "".join(traceback.format_exception(error))
            assert error.__cause__ is error.__context__ is None
        else:
            raise AssertionError("expected an error")
    assert SECRET not in shown and SECRET not in caplog.text


def test_an_answer_that_repeats_the_key_is_kept_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with LoopbackServer(lambda body: f"your key is {SECRET}") as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url, key_variable="MY_KEY")
        assert endpoint.send(question()).text == "your key is …"


def test_threads_find_out_together_what_is_refused() -> None:
    refused = ("temperature", "seed", "max_tokens")
    takes = Capacity(parameters_refused=refused, json_schema=False)
    with LoopbackServer(capacity=takes, pause_s=0.01) as server:
        endpoint = OpenAIEndpoint("tiny", base_url=server.url)
        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(lambda k: endpoint.send(question(str(k))), range(24)))) == 24
        asked = len(server.requests)
        endpoint.send(question())
        assert len(server.requests) == asked + 1


@pytest.mark.parametrize(
    "message",
    [
        {"content": '{"a": 2}', "reasoning_content": 'First {"a": 1}, no.'},
        {"content": '{"a": 2}', "reasoning": 'First {"a": 1}, no.'},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": '{"a": 1}'}]},
                {"type": "reasoning", "text": '{"a": 1}'},
                {"type": "text", "text": '{"a": 2}'},
            ]
        },
    ],
)
def test_thinking_in_a_field_of_its_own_is_no_part_of_the_answer(message: dict[str, Any]) -> None:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    value = {"id": "c", "created": 1, "model": "m", "object": "chat.completion"}
    fault = Fault("malformed", text=json.dumps({**value, "choices": [choice]}))
    with LoopbackServer(faults=[fault]) as server:
        reply = OpenAIEndpoint("tiny", base_url=server.url).send(question())
    assert reply.text == '{"a": 2}'


def test_a_reply_that_is_all_thinking_has_no_text() -> None:
    message = {"role": "assistant", "content": None, "reasoning_content": '{"a": 1} or'}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    value = {"id": "c", "created": 1, "model": "m", "object": "chat.completion"}
    fault = Fault("malformed", text=json.dumps({**value, "choices": [choice]}))
    with LoopbackServer(faults=[fault]) as server:
        reply = OpenAIEndpoint("tiny", base_url=server.url).send(question())
    assert (reply.text, reply.finish) == ("", "length")
