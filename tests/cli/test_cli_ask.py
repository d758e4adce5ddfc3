"""`ask` as a person uses it, against an endpoint on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from loopback_server import Capacity, Fault, LoopbackServer, images_of, text_of
from PIL import Image
from smart_models import copycat

from distortion_graph.graph import load_graph


@pytest.fixture
def ask(cli, here, tmp_path):
    def run(server, *more):
        return cli(
            "ask", here / "a.png", here / "b.png", "--model", f"tiny@{server.url}", "--regions",
            f"{here}/masks.png,{here}/names.json", "--cache", tmp_path / "cache", *more,
        )  # fmt: skip

    return run


WRITTEN = {
    "sentences": [
        {"text": "The anchor is better on the right.", "regions": [2]},
        {"text": "The left is the same.", "regions": [1]},
    ]
}


def test_an_assessment_is_read_with_its_regions(ask, tmp_path) -> None:
    with LoopbackServer(lambda body: json.dumps(WRITTEN)) as server:
        ended = ask(server, "--about", "Which is better?", "--out", tmp_path / "said.json")
        assert "The reader asks: Which is better?" in text_of(server.requests[0])
        printed = ask(server, "--about", "Which is better?", "--json")
        assert len(server.requests) == 1
    assert ended.out.splitlines() == [
        "The anchor is better on the right. [2]",
        "The left is the same. [1]",
        "",
        "Regions: 1 left, 2 right",
    ]
    assert json.loads(printed.out) == json.loads((tmp_path / "said.json").read_text())
    assert json.loads(printed.out)["sentences"] == WRITTEN["sentences"]


def test_sentences_that_nothing_bears_out_are_told(ask) -> None:
    told = {"sentences": [{"text": "Fine.", "regions": []}, {"text": "Bad.", "regions": [1, 77]}]}
    with LoopbackServer(lambda body: json.dumps(told)) as server:
        ended = ask(server)
    assert "nothing bears out 1 sentence without a region" in ended.err
    assert "regions that are not there, left out: 77" in ended.err


def test_regions_become_a_graph(ask, tmp_path) -> None:
    with LoopbackServer(copycat) as server:
        ended = ask(server, "--question", "regions", "--out", tmp_path / "said.json")
        assert len(images_of(server.requests[0])) == 2
        other = ask(server, "--question", "regions", "--target-first", "--json")
    graph = load_graph(tmp_path / "said.json")
    assert [region.id for region in graph.regions] == [1, 2]
    assert graph.model is not None and graph.model.name == "tiny"
    assert graph.regions[0].anchor.mask is not None and graph.regions[0].evidence is not None
    assert "left" in ended.out and "PSNR" in ended.out
    assert load_graph(other.out).regions == graph.regions


def test_whole_pictures_are_told_in_words(ask) -> None:
    whole = {
        "anchor": {"distortions": [], "score": 1.0},
        "target": {"distortions": ["noise"], "score": 0.5},
        "comparison": "significantly_better",
        "reason": "Grain on the right.",
    }
    with LoopbackServer(lambda body: json.dumps(whole)) as server:
        ended = ask(server, "--question", "whole")
        printed = ask(server, "--question", "whole", "--json")
    assert ended.out.splitlines() == [
        "The anchor is significantly better.",
        "Anchor: nothing wrong; score 1.00.",
        "Target: noise; score 0.50.",
        "Grain on the right.",
    ]
    assert json.loads(printed.out)["comparison"] == "significantly_better"


@pytest.mark.parametrize("question", ["assessment", "regions", "whole"])
def test_a_reply_that_cannot_be_used_is_one_line(ask, question) -> None:
    with LoopbackServer(lambda body: "{}") as server:
        line = ask(server, "--question", question).refusal
    assert "its reply has no answer that can be used" in line


@pytest.mark.parametrize("question", ["assessment", "regions", "whole"])
def test_a_refusal_is_one_line(ask, question) -> None:
    with LoopbackServer(faults=[Fault("refusal")]) as server:
        assert "tiny refused to answer" in ask(server, "--question", question).refusal


def test_a_text_that_was_cut_off_is_told(ask) -> None:
    cut = json.dumps(WRITTEN)[:-60]
    with LoopbackServer(faults=[Fault("length", text=cut)]) as server:
        assert "the answer was cut off" in ask(server).err


def test_other_words_for_what_is_wrong_are_told_and_not_taken_for_nothing(ask) -> None:
    whole = {"anchor": {"distortions": ["vignetting"]}, "comparison": "same", "reason": "So."}
    with LoopbackServer(lambda body: json.dumps(whole)) as server:
        ended = ask(server, "--question", "whole", "--target-first")
    assert "Target: vignetting; score –." in ended.out
    assert "no distortions of the vocabulary: vignetting" in ended.err
    assert "in the reason the target is the anchor" in ended.err


def test_a_target_of_another_size_is_scaled_where_that_is_asked_for(cli, here, tmp_path) -> None:
    small = tmp_path / "small.png"
    Image.open(here / "b.png").resize((20, 16)).save(small)
    with LoopbackServer(copycat) as server:
        model = ("ask", here / "a.png", small, "--model", f"tiny@{server.url}")
        more = (*model, "--question", "regions", "--regions", "grid:1x2", "--cache", tmp_path / "c")
        assert "--fit resize" in cli(*more).refusal
        ended = cli(*more, "--fit", "resize")
    assert ended.code == 0, ended.err


def test_a_reply_under_way_is_kept_when_asking_is_interrupted(cli, here, tmp_path) -> None:
    with LoopbackServer(lambda body: json.dumps(WRITTEN), pause_s=1.5) as server:
        command = [
            "ask", f"{here}/a.png", f"{here}/b.png", "--model", f"tiny@{server.url}",
            "--regions", "grid:1x3", "--cache", f"{tmp_path}/c",
        ]  # fmt: skip
        program = [sys.executable, "-m", "distortion_graph", *command]
        with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            while not server.requests and run.poll() is None:
                time.sleep(0.005)
            run.send_signal(signal.SIGINT)
            assert run.wait() == 130
        end = cli(*command)
        assert end.code == 0, end.err
        assert "The left is the same. [1]" in end.out and len(server.requests) == 1


def test_pictures_sent_smaller_are_told(ask) -> None:
    with LoopbackServer(copycat, capacity=Capacity(most_image_bytes=1)) as server:
        assert "413" in ask(server, "--question", "regions").refusal


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--question", "whole", "--about", "x"), "--about goes into an assessment"),
        (("--target-first",), "--target-first goes with --question regions or whole"),
        (("--cues", "none+marks"), "none contradicts marks"),
        (("--model", "@http://localhost/v1"), "no model's name"),
    ],
)
def test_mistakes_of_ask(ask, arguments, said) -> None:
    with LoopbackServer() as server:
        assert said in ask(server, *arguments).refusal
        assert not server.requests
