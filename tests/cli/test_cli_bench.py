"""`distortion-graph bench` on a small root, as people call it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

from bench_roots import write_root

from distortion_graph.bench.results import read_result


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_root(tmp_path_factory.mktemp("set") / "my-set")


@pytest.fixture
def there(root, tmp_path, monkeypatch):
    """An empty folder to work in, beside the root."""
    monkeypatch.chdir(tmp_path)
    return root


@pytest.fixture(scope="module")
def result(root, tmp_path_factory):
    """What the shipped model's run writes: result, tables and graphs."""
    from distortion_graph.cli.main import run

    folder = tmp_path_factory.mktemp("result")
    code = run(
        ["bench", str(root), "--pairs", "hard", "--threads", "1", "--quiet",
         "--json", str(folder / "r.json"), "--markdown", str(folder / "r.md"),
         "--latex", str(folder / "r.tex"), "--graphs", str(folder / "graphs")]
    )  # fmt: skip
    assert code == 0
    return folder


def test_everything_that_was_asked_for_is_written(result):
    read = read_result(result / "r.json")
    assert [run.name for run in read.pairs[0].runs] == [
        "lite0-regions",
        "random",
        "majority",
        "metric oracle",
    ]
    assert sorted(p.name for p in (result / "graphs").iterdir()) == [
        "mixed2__mixed__one.png.json",
        "mixed2__mixed__two.png.json",
        "mixed__mixed2__one.png.json",
        "mixed__mixed2__two.png.json",
    ]
    assert "| hard | metric oracle |" in (result / "r.md").read_text()
    assert (result / "r.tex").read_text().count(r"\end{tabular}") == 3


def test_predictions_are_scored_and_compared(there, cli, result, tmp_path):
    ended = cli("bench", there, "--pairs", "hard", "--predictions", f"mine={result / 'graphs'}",
                "--no-baselines", "--json", "mine.json")  # fmt: skip
    assert ended.code == 0
    assert "hard 4 pairs of 2 pictures, 12 regions" in ended.out and "mine" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    ended = cli("bench", "compare", result / "r.json", "mine.json", "--json", "c.json",
                "--markdown", "c.md")  # fmt: skip
    assert ended.code == 0 and "Differences to lite0-regions" in ended.out
    (compared,) = json.loads((tmp_path / "c.json").read_text())["compared"]
    assert compared["other"] == "mine"
    assert {f["figure"]: f["p"] for f in compared["figures"]} == {
        "distortion.accuracy": 1,
        "severity.accuracy": 1,
        "comparison.accuracy": 1,
        "score.srcc": 1,
    }
    assert "| hard | mine | SRCC |" in (tmp_path / "c.md").read_text()


def test_bench_without_a_command_runs_and_other_folders_are_reached_by_their_path(there, cli):
    (Path.cwd() / "compare").symlink_to(there)
    for arguments in (["run", there], [there], ["./compare"]):
        ended = cli("bench", *arguments, "--pairs", "hard", "--limit", "1", "--only", "no.json")
        assert ended.refusal.startswith("no.json: expected a JSON object of lists")
    assert "--predictions" in cli("bench", "--help").out
    assert "sign-flip" in cli("bench", "compare", "--help").out
    assert cli("bench", "compare").refusal.startswith("Missing argument 'RESULT…'")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nix"], "nix: is not a folder, expected the root of a data set (see docs/dataset.md)"),
        (
            ["ROOT", "--pairs", "hart"],
            "Invalid value for '--pairs': 'hart' is unknown, ",
        ),
        (
            ["ROOT", "--split", "val"],
            "ROOT: no stats of the split 'val'; the splits there are: test",
        ),
        (["ROOT", "--model", "nix"], "nix: no model there, expected a folder with model.json"),
        (["ROOT", "--predictions", "nix"], "nix: no such folder, expected one of predicted graphs"),
        (["ROOT", "--json", "no/r.json"], "no/r.json: the folder "),
        (["ROOT", "--json", "a", "--latex", "a"], "a: --json and --latex are the same file; name"),
        (["ROOT", "--graphs", "g", "--predictions", "x=."], "g: --graphs takes the graphs of one"),
        (["ROOT", "--predictions", "random=."], "two rows would be called 'random'; name one: "),
        (
            ["ROOT", "--predictions", "x=.", "--predictions", "x=.."],
            "two rows would be called 'x'; name one: --model NAME=FOLDER or --predictions NAME=DIR",
        ),
        (["ROOT", "--pairs", "easy", "--index", "nix"], "nix: no such file, expected the lists of"),
        (["ROOT", "--seed", "-1"], "Invalid value for '--seed': expected greater than or equal to"),
        (["compare", "a.json", "--seed", "-1"], "Invalid value for '--seed': expected greater"),
        (["compare", "nix.json"], "nix.json: cannot be read (No such file or directory), expected"),
    ],
)
def test_mistakes_are_one_line(there, cli, arguments, expected):
    given = [there if a == "ROOT" else a for a in arguments]
    refusal = cli("bench", *given).refusal.replace(str(there), "ROOT")
    assert refusal.startswith(expected)


@pytest.mark.parametrize(
    ("option", "place"),
    [("--graphs", "graphs"), ("--graphs", ""), ("--json", "manifest.jsonl"), ("--json", "r.json"),
     ("--markdown", "gt/test/r.md"), ("--latex", "stats/r.tex")],
)  # fmt: skip
def test_nothing_is_written_into_the_data_set(there, cli, option, place):
    before = sorted(there.rglob("*"))
    path = there / place
    refusal = cli("bench", there, "--pairs", "hard", option, path).refusal
    assert refusal == f"{path}: {option} would write into the data set; choose another place"
    assert sorted(there.rglob("*")) == before


def test_graphs_do_not_overwrite_predictions(there, cli, tmp_path):
    (tmp_path / "p").mkdir()
    ended = cli("bench", there, "--model", "shipped", "--predictions", "x=p", "--graphs", "./p")
    assert ended.refusal == "p: --graphs would overwrite --predictions; choose another"


@pytest.mark.parametrize("name", ["shipped", "default"])
def test_the_shipped_model_has_the_names_that_messages_give_it(there, cli, name):
    ended = cli("bench", there, "--model", name, "--pairs", "hard", "--limit", "1", "--quiet")
    assert ended.code == 0


def test_a_refused_run_writes_nothing(there, cli, tmp_path):
    cli("bench", there, "--predictions", f"x={tmp_path}", "--json", "r.json").refusal  # noqa: B018
    assert list(tmp_path.iterdir()) == []


def test_an_output_does_not_overwrite_a_result_that_is_read(there, cli, result, tmp_path):
    path = result / "r.json"
    before = path.read_bytes()
    ended = cli("bench", "compare", path, "--json", path)
    assert "--json would overwrite an input; choose another name" in ended.refusal
    assert path.read_bytes() == before


def test_a_panda_network_is_a_model_like_any_other(there, cli_run):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from distortion_graph.model import panda
    from distortion_graph.model.backbones import Lite0Backbone
    from distortion_graph.model.encoder import Lite0Encoder
    from distortion_graph.model.panda.network import PandaNet

    torch.manual_seed(0)
    backbone = Lite0Backbone(Lite0Encoder())
    config = panda.PandaConfig(
        backbone="lite0",
        width=backbone.width,
        patch_px=backbone.stride_px,
        side_px=64,
        pool=4,
        blocks=1,
    )
    panda.save_panda(Path("baseline"), PandaNet(config, backbone))
    code = cli_run(
        "bench", there, "--model", "baseline", "--pairs", "hard", "--json", "r.json", "-q"
    )
    assert code == 0
    names = [run.name for run in read_result(Path("r.json")).pairs[0].runs]
    assert names == ["baseline", "random", "majority", "metric oracle"]


@pytest.fixture
def cli_run():
    from distortion_graph.cli.main import run

    return lambda *words: run([str(word) for word in words])


def test_graphs_and_the_truth_make_a_gallery_with_pictures(there, cli, tmp_path):
    said, true = tmp_path / "said", tmp_path / "true"
    ended = cli("bench", there, "--pairs", "hard", "--graphs", said, "--true-graphs", true,
                "--no-baselines")  # fmt: skip
    assert ended.code == 0, ended.err
    names = sorted(path.name for path in said.iterdir())
    assert names == sorted(path.name for path in true.iterdir()) and len(names) == 4
    ended = cli("report", *(said / name for name in names), "--truth", true, "--out",
                tmp_path / "gallery")  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    page = (tmp_path / "gallery" / "index.html").read_text("utf-8")
    assert page.count("data:image/") >= 2 * len(names)
    scored = cli("bench", there, "--pairs", "hard", "--predictions", f"truth={true}",
                 "--no-baselines", "--json", tmp_path / "r.json")  # fmt: skip
    assert scored.code == 0, scored.err
    run = json.loads((tmp_path / "r.json").read_text())["pairs"][0]["runs"][0]
    assert run["figures"]["distortion"]["averaged"]["accuracy"] == 1
    assert run["figures"]["comparison"]["accuracy"] == 1


def test_two_kinds_of_graphs_need_two_folders(there, cli, tmp_path):
    ended = cli("bench", there, "--graphs", tmp_path / "g", "--true-graphs", f"{tmp_path}/./g")
    assert "--graphs and --true-graphs are the same folder; name two" in ended.refusal
