"""`mllm eval` as a person uses it, against an endpoint on this machine."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from bench_roots import write_root
from loopback_server import Capacity, Fault, LoopbackServer, text_of
from smart_models import copycat, skipper, template

from distortion_graph.bench.results import read_result

pytestmark = pytest.mark.slow

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_root(tmp_path_factory.mktemp("mllm") / "set")  # type: ignore[no-any-return]


@pytest.fixture
def evaluate(cli, root, tmp_path):
    """Run `mllm eval` against a server; its places are in a folder of its own."""

    def run(server, *more, model="tiny", out="out"):
        return cli(
            "mllm", "eval", root, "--model", f"{model}@{server.url}", "--out", tmp_path / out,
            "--cache", tmp_path / "cache", "--cues", "names", *more,
        )  # fmt: skip

    return run


def result_of(folder: Path) -> Any:
    return json.loads((folder / "results.json").read_text())


def test_who_copies_is_as_good_as_the_hint_and_found_out(evaluate, tmp_path) -> None:
    with LoopbackServer(copycat) as server:
        ended = evaluate(server, "--hint", "none,predicted", "--hint", "true,corrupted")
        assert ended.code == 0, ended.err
        asked = len(server.requests)
        assert max(server.counts.values()) == 1
        again = evaluate(server, "--hint", "none,predicted,true,corrupted")
        assert len(server.requests) == asked
    assert again.out == ended.out
    for words in ("accuracy, macro F1", "how answers come about", "does it reason or copy?"):
        assert words in ended.out
    result = result_of(tmp_path / "out")
    (listed,) = result["bench"]["pairs"]
    figures = {run["name"]: run["figures"] for run in listed["runs"]}
    for name in ("tiny, true", "hint: true"):
        assert figures[name]["distortion"]["averaged"]["accuracy"] == 1
    for what in ("distortion", "severity", "comparison"):
        assert figures["tiny, predicted"][what] == figures["hint: predicted"][what]
    (habits,) = result["habits"]
    for label, copying in habits["arms"]["tiny, corrupted"]["copying"].items():
        assert copying["agreement"] == 1 and copying["accuracy_where_wrong"] == 0, label
        assert copying["hint_accuracy"] == pytest.approx(1 / 3)  # two of three regions are wrong
        assert copying["agreement_unseen"] < 1
    assert habits["arms"]["tiny, none"]["copying"] is None


def test_bench_scores_the_same_graphs_alike(evaluate, cli, root, tmp_path) -> None:
    with LoopbackServer(template) as server:
        evaluate(server, "--pairs", "hard")
    graphs = tmp_path / "out" / "tiny-names-none" / "graphs"
    cli("bench", root, "--pairs", "hard", "--predictions", f"tiny={graphs}", "--json",
        tmp_path / "bench.json", "--missing", "error")  # fmt: skip
    (listed,) = read_result(tmp_path / "bench.json").pairs
    (own,) = result_of(tmp_path / "out")["bench"]["pairs"]
    assert json.loads(listed.runs[0].figures.model_dump_json()) == own["runs"][0]["figures"]


def test_the_order_is_varied_and_a_bias_is_found(evaluate, tmp_path) -> None:
    with LoopbackServer(template) as server:
        evaluate(server, "--both-orders", "--pairs", "all")
        lines = (tmp_path / "out" / "tiny-names-none" / "pairs.jsonl").read_text().splitlines()
    first = [json.loads(line)["target_first"] for line in lines]
    assert 0.25 < sum(first) / len(first) < 0.75
    (habits,) = result_of(tmp_path / "out")["habits"]
    order = habits["arms"]["tiny"]["order"]
    assert order["bias"] == -1 and order["consistency"] == 0
    assert habits["arms"]["tiny"]["template_rate"] == pytest.approx(1, abs=0.6)


def test_regions_left_out_and_invented_are_counted(evaluate, tmp_path) -> None:
    with LoopbackServer(skipper) as server:
        ended = evaluate(server, "--pairs", "hard", "--no-structured")
        assert all("response_format" not in body for body in server.requests)
    counts = result_of(tmp_path / "out")["counts"]["tiny"]
    assert (counts["missing"], counts["invented"]) == (4, 4)
    assert "4 regions left out, 4 invented regions ignored" in re.sub(r"\s+", " ", ended.out)
    (listed,) = result_of(tmp_path / "out")["bench"]["pairs"]
    assert listed["runs"][0]["figures"]["coverage"] == pytest.approx(2 / 3)


def test_models_cues_and_hints_are_crossed(evaluate, tmp_path) -> None:
    with LoopbackServer(copycat) as server:
        ended = evaluate(
            server, "--model", f"other=large@{server.url}", "--cues", "boxes-text", "--hint",
            "none,shuffled", "--pairs", "hard", "--limit", "1",
        )  # fmt: skip
    assert ended.code == 0, ended.err
    arms = {arm["name"]: arm for arm in result_of(tmp_path / "out")["arms"]}
    assert len(arms) == 8
    arm = arms["other, boxes-text, shuffled"]
    assert (arm["model"], arm["cues"], arm["hint"]) == ("large", "boxes-text", "shuffled")
    assert arm["prompt"] == "regions-hinted.1" and len(arm["prompt_sha256"]) == 64


def test_a_prompt_of_ones_own_is_used_and_named(evaluate, tmp_path) -> None:
    own = tmp_path / "prompts"
    own.mkdir()
    text = "[system]\nS\n[before]\nB\n[after]\nFor each of these regions: $ids. $form"
    (own / "regions.7.txt").write_text(text)
    with LoopbackServer(template) as server:
        evaluate(server, "--prompts", own, "--pairs", "hard", "--limit", "1")
        assert text_of(server.requests[0]).startswith("S\nB\n")
    assert result_of(tmp_path / "out")["arms"][0]["prompt"] == "regions.7"


def test_a_cap_stops_it_and_what_was_answered_is_kept(evaluate, tmp_path) -> None:
    limits = ("--pairs", "all", "--concurrency", "2", "--max-output-tokens", "100")
    with LoopbackServer(template) as server:
        ended = evaluate(server, *limits, "--max-tokens", "6000")
        some = len(server.requests)
        assert "raise --max-tokens and run again: answers are kept" in ended.refusal
        assert 0 < some < 40
        assert evaluate(server, *limits).code == 0
        assert max(server.counts.values()) == 1
    assert not (tmp_path / "out2").exists()


def test_an_endpoint_that_goes_down_stops_it(evaluate) -> None:
    faults = [Fault("status", 500, times=10_000)]
    with LoopbackServer(template, faults=faults) as server:
        ended = evaluate(server, "--retries", "0", "--concurrency", "1", "--pairs", "all")
        assert len(server.requests) == 5
    assert "500: a fault" in ended.refusal


def test_one_pair_without_an_answer_is_a_miss(evaluate, tmp_path) -> None:
    with LoopbackServer(template, faults=[Fault("status", 500)]) as server:
        ended = evaluate(server, "--retries", "0", "--pairs", "hard")
    assert ended.code == 0
    assert result_of(tmp_path / "out")["counts"]["tiny"]["failed"] == 1
    assert "1 pairs without an answer in spite of trying again" in re.sub(r"\s+", " ", ended.out)


def test_a_pair_whose_pictures_are_not_taken_is_missed(evaluate, tmp_path) -> None:
    with LoopbackServer(template, faults=[Fault("status", 413)]) as server:
        ended = evaluate(server, "--pairs", "hard", "--concurrency", "1")
    assert ended.code == 0, ended.err
    counts = result_of(tmp_path / "out")["counts"]["tiny"]
    assert 0 < counts["failed"] < counts["pairs"]  # two pairs may be one request


def test_hints_of_an_earlier_run_do_not_stand_for_those_given(evaluate, tmp_path) -> None:
    with LoopbackServer(copycat) as server:
        for more in (("predicted",), ("corrupted",)):
            evaluate(server, "--hint", *more)
        graphs = tmp_path / "out" / "hints" / "corrupted"
        evaluate(server, "--hint", "predicted", "--hint-graphs", graphs)
    (habits,) = result_of(tmp_path / "out")["habits"]
    assert {f["agreement"] for f in habits["arms"]["tiny"]["copying"].values()} == {1.0}


def test_cues_in_another_order_are_the_same(evaluate, tmp_path) -> None:
    with LoopbackServer(template) as server:
        evaluate(server, "--cues", "names+marks,marks+names", "--limit", "1")
    arms = result_of(tmp_path / "out")["arms"]
    assert [arm["cues"] for arm in arms] == ["names", "marks+names"]


def test_who_is_right_has_the_order_figures_of_the_truth(evaluate, tmp_path) -> None:
    with LoopbackServer(copycat) as server:
        evaluate(server, "--hint", "true")
    (habits,) = result_of(tmp_path / "out")["habits"]
    assert habits["arms"]["tiny"]["order"] == habits["truth_order"]


def test_an_answer_is_kept_where_only_the_other_order_has_none(evaluate, tmp_path) -> None:
    fails = Fault("status", 500, matches=lambda body: len(server.requests) == 2)
    with LoopbackServer(template, faults=[fails]) as server:
        ended = evaluate(server, "--retries", "0", "--both-orders", "--concurrency", "1",
                         "--pairs", "hard", "--limit", "1")  # fmt: skip
    assert ended.code == 0, ended.err
    (listed,) = result_of(tmp_path / "out")["bench"]["pairs"]
    assert listed["runs"][0]["figures"]["coverage"] == 1
    assert result_of(tmp_path / "out")["counts"]["tiny"]["failed"] == 1


def test_graphs_that_are_missing_are_told_before_anything_is_sent(evaluate, tmp_path) -> None:
    (tmp_path / "graphs").mkdir()
    with LoopbackServer(template) as server:
        line = evaluate(server, "--hint", "shuffled", "--hint-graphs", tmp_path / "graphs").refusal
        assert not server.requests
    assert "expected the graph that is suggested for this pair" in line


def test_where_no_pair_is_answered_nothing_is_measured(evaluate, tmp_path) -> None:
    with LoopbackServer(template, faults=[Fault("status", 500, times=9)]) as server:
        ended = evaluate(server, "--retries", "0", "--limit", "2", "--pairs", "hard")
    assert "tiny: none of the 2 pairs got an answer" in ended.refusal
    assert not (tmp_path / "out" / "results.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cues", "marsk"), "did you mean 'marks'?"),
        (("--hint", ""), "--hint: is empty, expected a word such as none"),
        (("--model", "m@localhost:1/v1"), "'localhost:1/v1' is no URL, expected NAME@http://"),
        (("--hint", "maybe"), "--hint 'maybe': expected one of none, predicted, true"),
        (("--max-cost", "1"), "a cap on the cost needs prices: --price IN,OUT"),
        (("--price", "cheap"), "price 'cheap': expected dollars per million"),
        (("--prompts", "nowhere"), "nowhere: no such folder, expected one with prompts"),
        (("--hint", "predicted", "--hint-graphs", "nowhere"), "nowhere: no such folder"),
        (("--model", "tiny"), "OPENAI_API_KEY"),
        (("--split", "val"), "val"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(evaluate, monkeypatch, arguments, said) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with LoopbackServer(template) as server:
        assert said in evaluate(server, *arguments).refusal
        assert not server.requests


def test_a_wrong_name_of_a_model_is_told_with_those_there_are(evaluate) -> None:
    with LoopbackServer(template) as server:
        line = evaluate(server, model="tyni").refusal
    assert "no such model, expected one of tiny" in line


def test_two_rows_of_one_name_are_refused(evaluate) -> None:
    with LoopbackServer(template) as server:
        line = evaluate(server, "--model", f"tiny@{server.url}/").refusal
    assert "two rows would be called 'tiny'; name one: --model LABEL=MODEL" in line


def test_nothing_is_written_into_the_data_set(cli, root) -> None:
    ended = cli("mllm", "eval", root, "--model", "m@http://localhost/v1", "--out", root / "x")
    assert "would write into the data set" in ended.refusal


def test_the_key_is_nowhere_to_be_found(evaluate, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with LoopbackServer(template, capacity=Capacity(key=SECRET)) as server:
        ended = evaluate(server, "--key-variable", "MY_KEY", "--verbose", "--limit", "2")
    assert ended.code == 0 and SECRET not in ended.out + ended.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not any(SECRET.encode() in path.read_bytes() for path in files)
    with LoopbackServer(template, capacity=Capacity(key="another")) as server:
        line = evaluate(server, "--key-variable", "MY_KEY").refusal
    assert SECRET not in line and "check the key" in line


def test_killed_and_resumed_no_pair_is_sent_twice(cli, root, tmp_path) -> None:
    with LoopbackServer(template, pause_s=0.02) as server:
        command = [
            "mllm", "eval", str(root), "--model", f"tiny@{server.url}", "--pairs", "all",
            "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"),
            "--cues", "names", "--concurrency", "4",
        ]  # fmt: skip
        program = [sys.executable, "-m", "distortion_graph", *command]
        with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            while len(server.requests) < 7 and run.poll() is None:
                time.sleep(0.005)
            run.kill()
            assert run.wait() == -signal.SIGKILL
        end = cli(*command)
        assert end.code == 0 and max(server.counts.values()) == 1
        left, answers = (kept(tmp_path, kind) for kind in ("sent", "json"))
        assert left <= 4 and (left > 0) == (unasked(tmp_path) > 0)
        assert ("--ask-again sends them again" in end.err) == (left > 0)
        assert cli(*command, "--ask-again").code == 0
        assert kept(tmp_path, "json") == answers + left and kept(tmp_path, "sent") == 0
        assert unasked(tmp_path) == 0


def kept(folder: Path, kind: str) -> int:
    return len(list((folder / "cache").glob(f"??/*.{kind}")))


def unasked(folder: Path) -> Any:
    return result_of(folder / "out")["counts"]["tiny"]["unasked"]
