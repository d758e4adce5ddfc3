"""Nothing is sent twice, in one process or in several, and what is damaged counts for nothing."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from optional import present
from scripted_backend import Scripted, client, question

from distortion_graph.base.errors import OutputError
from distortion_graph.mllm.client.cache import ReplyCache, TooMuch, UnderWayError, default_folder
from distortion_graph.mllm.client.client import StoppedError, run_all
from distortion_graph.mllm.client.messages import (
    ContextTooLongError,
    EndpointError,
    Image,
    ImageTooLargeError,
    Reply,
    Request,
    Text,
    Usage,
)


def test_asking_the_same_again_sends_nothing(tmp_path: Path) -> None:
    first = Scripted()
    reply = client(first, tmp_path).ask(question())
    again = Scripted("another answer")
    assert client(again, tmp_path).ask(question()) == reply
    assert (first.sent, again.sent) == (1, 0)


PICTURE = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    "other",
    [
        Request("Be long.", (Text("q"), Image(PICTURE))),
        Request("Be brief.", (Text("Q"), Image(PICTURE))),
        Request("Be brief.", (Image(PICTURE), Text("q"))),
        Request("Be brief.", (Text("q"), Image(PICTURE + 1))),
        Request("Be brief.", (Text("q"), Image(PICTURE.reshape(6, 4, 3)))),
        Request("Be brief.", (Text("q"), Image(PICTURE)), {"type": "object"}),
        Request("Be brief.", (Text("q"), Image(PICTURE)), max_output_tokens=9),
        Request("Be brief.", (Text("q"), Image(PICTURE)), temperature=0.5),
        Request("Be brief.", (Text("q"), Image(PICTURE)), seed=1),
    ],
)
def test_whatever_an_answer_depends_on_makes_another_request(other: Request) -> None:
    base = Request("Be brief.", (Text("q"), Image(PICTURE)))
    same = Request("Be brief.", (Text("q"), Image(PICTURE.copy(), "crop")))
    assert base.digest("m") == same.digest("m")
    assert base.digest("m") != other.digest("m")
    assert base.digest("m") != base.digest("n")


def kept(folder: Path) -> Path:
    """The file of the one answer in a folder."""
    (path,) = folder.glob("??/*.json")
    return path


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "3", '{"version": 9}', '{"version": 1, "reply": {"text": 3}}', "[" * 100_000],
    ids=range(7),
)
def test_a_damaged_entry_is_asked_again(tmp_path: Path, damage: str) -> None:
    client(Scripted(), tmp_path).ask(question())
    whole = kept(tmp_path).read_text()
    kept(tmp_path).write_text(damage)
    backend = Scripted()
    assert client(backend, tmp_path).ask(question()).text == "yes"
    assert backend.sent == 1 and kept(tmp_path).read_text() == whole


def test_a_changed_letter_is_damage(tmp_path: Path) -> None:
    client(Scripted("as it was"), tmp_path).ask(question())
    kept(tmp_path).write_text(kept(tmp_path).read_text().replace("was", "wos"))
    assert client(Scripted("again"), tmp_path).ask(question()).text == "again"


@pytest.mark.parametrize("error", [ContextTooLongError("4096"), ImageTooLargeError("4096 px")])
def test_what_was_too_much_is_remembered(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        client(Scripted(error), tmp_path).ask(question())
    backend = Scripted()
    with pytest.raises(type(error), match=str(error)):
        client(backend, tmp_path).ask(question())
    assert backend.sent == 0 and not ReplyCache(tmp_path).under_way()


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(EndpointError):
        client(Scripted(EndpointError("no key")), tmp_path).ask(question())
    assert client(Scripted(), tmp_path).ask(question()).text == "yes"
    assert not ReplyCache(tmp_path).under_way()


def test_threads_that_ask_the_same_send_it_once(tmp_path: Path) -> None:
    backend = Scripted(lambda: time.sleep(0.1))
    asking = client(backend, tmp_path)
    replies = list(run_all([lambda: asking.ask(question())] * 6, 6, threading.Event()))
    assert backend.sent == 1 and len(set(replies)) == 1


def test_clients_of_one_process_with_caches_of_their_own_do_so_too(tmp_path: Path) -> None:
    backend = Scripted(lambda: time.sleep(0.1))
    clients = [client(backend, folder) for folder in (tmp_path, tmp_path / ".." / tmp_path.name)]
    tasks = [lambda asking=asking: asking.ask(question()) for asking in clients]
    assert len(set(run_all(tasks, 2, threading.Event()))) == 1 and backend.sent == 1


def test_who_waits_for_another_thread_hears_that_it_is_to_stop(tmp_path: Path) -> None:
    go_on = threading.Event()
    asking = client(Scripted(go_on.wait), tmp_path)
    first = threading.Thread(target=asking.ask, args=(question(),))
    first.start()
    while not asking.backend.sent:  # type: ignore[attr-defined]
        time.sleep(0.01)
    asking.stop.set()
    with pytest.raises(StoppedError):
        asking.ask(question())
    go_on.set()
    first.join()
    assert present(present(asking.cache).get(question().digest("scripted"))).text == "yes"  # type: ignore[attr-defined]


def test_what_another_process_asks_is_left_to_it(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path)
    digest = question().digest("scripted")
    cache.begin(digest)
    backend = Scripted()
    with pytest.raises(
        UnderWayError, match=r"\(process \d+ on .*not sent again without --ask-again"
    ):
        client(backend, tmp_path).ask(question())
    assert cache.under_way() == [digest] and backend.sent == 0
    time.sleep(0.01)
    assert client(backend, tmp_path, ask_again=True).ask(question()).text == "yes"
    assert cache.under_way() == []


def test_asking_again_leaves_alone_what_others_have_begun_meanwhile(tmp_path: Path) -> None:
    backend = Scripted()
    asking = client(backend, tmp_path, ask_again=True)
    time.sleep(0.01)
    ReplyCache(tmp_path).begin(question().digest("scripted"))
    with pytest.raises(UnderWayError):
        asking.ask(question())
    assert backend.sent == 0


@pytest.mark.parametrize("text", ["", "{", '{"host": 1}'])
def test_a_note_cut_off_by_the_kill_is_a_note(tmp_path: Path, text: str) -> None:
    cache = ReplyCache(tmp_path)
    digest = question().digest("scripted")
    cache.begin(digest)
    (note,) = tmp_path.glob("??/*.sent")
    note.write_text(text)
    with pytest.raises(UnderWayError):
        client(Scripted(), tmp_path).ask(question())
    time.sleep(0.02)
    assert client(Scripted(), tmp_path, ask_again=True).ask(question()).text == "yes"


def test_what_another_process_has_answered_meanwhile_is_not_sent(tmp_path: Path) -> None:
    """Between the look into the cache and the note, that is."""
    backend = Scripted()
    asking = client(backend, tmp_path)
    begin = present(asking.cache).begin

    def late(digest: str, **more: float) -> None:
        other = ReplyCache(tmp_path)
        other.begin(digest)
        other.put(digest, Reply("theirs"))
        begin(digest, **more)

    present(asking.cache).begin = late  # type: ignore[method-assign]
    assert asking.ask(question()).text == "theirs" and backend.sent == 0
    assert not list(tmp_path.glob("??/*.sent"))


def test_a_note_is_made_only_when_its_request_is_sent(tmp_path: Path) -> None:
    """What waits for its turn at a kill has not been sent."""
    asking = client(Scripted(), tmp_path, requests_per_minute=60)
    asking.ask(question(0))
    threads = [threading.Thread(target=_ask_till_stopped, args=(asking, k)) for k in (1, 2, 3)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    assert not ReplyCache(tmp_path).under_way()
    asking.stop.set()
    for thread in threads:
        thread.join()
    assert asking.backend.sent == 1  # type: ignore[attr-defined]


def _ask_till_stopped(asking, number: int) -> None:
    with pytest.raises(StoppedError):
        asking.ask(question(number))


def test_an_interrupt_while_sending_leaves_the_note(tmp_path: Path) -> None:
    """The endpoint may have answered, and be paid."""
    with pytest.raises(KeyboardInterrupt):
        client(Scripted(KeyboardInterrupt()), tmp_path).ask(question())
    assert ReplyCache(tmp_path).under_way() == [question().digest("scripted")]


def test_who_failed_does_not_take_away_the_note_of_another(tmp_path: Path) -> None:
    mine, other = ReplyCache(tmp_path), ReplyCache(tmp_path)
    mine.begin("ab12")
    other.begin("ab12", again_before=time.time() + 1)
    mine.forget("ab12")
    assert mine.under_way() == ["ab12"]
    other.forget("ab12")
    assert mine.under_way() == []


def test_an_answer_that_is_kept_is_not_under_way(tmp_path: Path) -> None:
    """Killed between the two, an answer's note stays behind."""
    cache = ReplyCache(tmp_path)
    cache.put("ab12", Reply("yes"))
    (tmp_path / "ab" / "ab12.sent").write_text("")
    assert cache.under_way() == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another --cache"):
        client(Scripted(), tmp_path / "file").ask(question())


def test_outcomes_come_back_as_they_were(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path)
    for k, outcome in enumerate(
        (Reply("ü", "length", Usage(1, 2, True), "m"), TooMuch("image too large", "8000 px"))
    ):
        digest = question(k).digest("m")
        cache.put(digest, outcome)  # type: ignore[arg-type]
        assert cache.get(digest) == outcome


def test_the_folder_of_its_own_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/distortion-graph/mllm")
