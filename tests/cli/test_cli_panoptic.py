"""`compare` with regions found and named by a panoptic checkpoint (a tiny random one)."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_panoptic import LABELS, save_checkpoint

from distortion_graph.graph import load_graph
from distortion_graph.segment.panoptic_model import PanopticSegmenter

OPTIONS = ",threshold=0.34,overlap=0,min_pixels=4"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return save_checkpoint(tmp_path_factory.mktemp("panoptic") / "tiny", "mask2former", seed=3)


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


def test_compare_carries_the_names_into_graph_table_and_overlay(cli, here, checkpoint):
    spec = f"panoptic:{checkpoint}{OPTIONS}"
    ended = cli(
        "compare", "a.png", "b.png", "--regions", spec, "--out", "g.json", "--overlay", "o.png",
        "--evidence", "none",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    graph = json.loads((here / "g.json").read_text())
    names = [region["name"] for region in graph["regions"]]
    assert names and set(names) <= set(LABELS.values())
    assert [region["id"] for region in graph["regions"]] == list(range(1, len(names) + 1))
    assert all(name in ended.out for name in names)
    assert (here / "o.png").stat().st_size > 0


def test_swapping_the_pictures_mirrors_the_graph(cli, here, checkpoint):
    spec = f"panoptic:{checkpoint}{OPTIONS}"
    graphs = []
    for pair in (("a.png", "b.png"), ("b.png", "a.png")):
        ended = cli("compare", *pair, "--regions", spec, "--json", "--evidence", "none")
        assert ended.code == 0
        graphs.append(load_graph(ended.out))
    assert len(graphs[0].regions) > 0 and graphs[0].swapped() == graphs[1]


def test_distort_takes_the_regions_too(cli, here, checkpoint):
    ended = cli(
        "distort", "a.png", "--type", "blur", "--severity", "severe", "--regions",
        f"panoptic:{checkpoint}{OPTIONS}", "--out", "blurred.png",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")


def test_a_model_that_cannot_be_used_is_one_line_and_writes_nothing(cli, here, checkpoint):
    def refused(spec):
        ended = cli("compare", "a.png", "b.png", "--regions", spec, "--out", "g.json")
        assert not (here / "g.json").exists()
        return ended.refusal

    empty = here / "empty"
    empty.mkdir()
    assert refused("panoptic:empty") == (
        "empty/config.json: no such file, expected a panoptic checkpoint's folder"
    )
    assert refused("panoptic:org/absent").startswith(
        "panoptic model 'org/absent': no such folder, not in the local Hugging Face cache, and "
        "it cannot be fetched from the hub ("
    )
    assert refused(f"panoptic:{checkpoint},threshold=high").startswith(
        f"panoptic model {str(checkpoint)!r}: option 'threshold=high', expected threshold=float"
    )
    (empty / "config.json").write_text(
        json.dumps(
            json.loads((checkpoint / "config.json").read_text())
            | {"id2label": {"0": "person", "1": "sky"}, "label2id": {"person": 0, "sky": 1}}
        )
    )
    for name in ("preprocessor_config.json", "model.safetensors"):
        (empty / name).write_bytes((checkpoint / name).read_bytes())
    assert refused("panoptic:empty").startswith(
        "empty: no weights for class_predictor.bias as config.json wants them"
    )


def test_a_data_set_carries_the_names_and_says_who_found_them(cli, here, checkpoint):
    (here / "pictures").mkdir()
    (here / "a.png").rename(here / "pictures" / "a.png")
    ended = cli(
        "dataset", "build", "pictures:pictures", "--out", "root", "--types", "blur", "--workers",
        "0", "--segmenter", f"panoptic:{checkpoint}{OPTIONS}", "--quiet",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    [stats] = (here / "root" / "stats").glob("*_stats_blur.json")
    [entry] = json.loads(stats.read_text()).values()
    names = [region["name"] for region in entry["regions"]]
    assert names and set(names) <= set(LABELS.values())
    description = (here / "root" / "dataset.json").read_text()
    version = PanopticSegmenter(checkpoint, threshold=0.34, overlap=0, min_pixels=4).version
    assert f"panoptic:tiny {version}" in description
