"""What is said of pairs is what graphs say, and figures are those of what was said."""

from __future__ import annotations

import numpy as np
import pytest
from opinion_samples import write_opinions
from optional import present
from PIL import Image
from scipy.stats import spearmanr

from distortion_graph import compare
from distortion_graph.base.errors import ImageError
from distortion_graph.bench.human.measuring import IDENTICAL_DB, judge
from distortion_graph.bench.human.opinions import OpinionPair, read_opinions
from distortion_graph.bench.human.results import human_result, human_tables
from distortion_graph.bench.tables import markdown
from distortion_graph.predict.opinion import OpinionMaps
from distortion_graph.predict.session import Model


@pytest.fixture(scope="module")
def model():
    return Model.load(threads=1)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_opinions(tmp_path_factory.mktemp("opinions") / "study")


@pytest.fixture(scope="module")
def judged(model, study):
    return judge(model, read_opinions(study, "csv"))


def test_numbers_are_those_of_graphs(model, judged):
    for k in (0, 5):
        pair = judged.pairs[k]
        graph = compare(pair.reference, pair.distorted, regions="grid:3x3", model=model)
        scene, given = present(graph.scene), {name: v[k] for name, v in judged.given.items()}
        evidence = present(scene.evidence)
        assert given["score"] == scene.target.score
        assert given["margin"] == -present(present(scene.comparison).margin)
        assert given["HaarPSI"] == pytest.approx(evidence.haarpsi, abs=1e-5)
        assert given["SSIM"] == pytest.approx(evidence.ssim, abs=1e-4)
        assert given["PSNR"] == pytest.approx(evidence.psnr_db, abs=1e-2)
        assert judged.shares[k] == scene.target.distortion_share


def test_progress_is_told_and_identical_pictures_have_a_psnr(model, study):
    picture = study / "r0.png"
    told = []
    pair = OpinionPair(picture, picture, 1.0, "", "r0")
    found = judge(model, [pair, pair], lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert found.given["PSNR"].tolist() == [IDENTICAL_DB] * 2
    assert found.given["margin"].tolist() == [0, 0]


def test_pictures_of_unequal_size_are_named(model, study, tmp_path):
    small = tmp_path / "small.png"
    Image.new("RGB", (9, 9)).save(small)
    with pytest.raises(ImageError) as caught:
        judge(model, [OpinionPair(study / "r0.png", small, 1.0, "", "r0")])
    assert str(caught.value) == f"{small}: is 9×9, expected 64×48 as {study / 'r0.png'}"


def test_figures_are_those_of_the_numbers(model, judged):
    result = human_result(judged, None, model.identity.info, of="study")
    grain = judged.kind == "grain"
    assert result.by_kind["grain"].agreement["SSIM"].srcc == pytest.approx(
        spearmanr(judged.given["SSIM"][grain], judged.opinion[grain]).statistic
    )
    lower = judged.given["margin"] > 0
    assert result.overall.reference_lower == pytest.approx(lower.mean())
    assert result.by_kind["noise"].reference_lower == pytest.approx(lower[~grain].mean())


def test_one_common_map_ranks_as_the_score_does(model, judged):
    maps = OpinionMaps(common=((0.0, 0.1), (1.0, 0.9)), by_distortion={})
    found = human_result(judged, maps, model.identity.info, of="study").overall.agreement
    assert found["opinion"].srcc == found["score"].srcc
    assert found["opinion"].accuracy_interval == found["score"].accuracy_interval


def test_a_set_of_one_kind_has_one_table(model, judged):
    def tables(kinds):
        pairs = tuple(p._replace(kind=k) for p, k in zip(judged.pairs, kinds, strict=True))
        of_kinds = type(judged)(pairs, judged.given, judged.shares)
        result = human_result(of_kinds, None, model.identity.info, of="study")
        return human_tables(result)

    count = len(judged.pairs)
    assert len(tables([""] * count)) == 1
    two = tables(np.resize(["", "fog"], count).tolist())
    assert len(two) == 3 and "| – | 9 |" in markdown(two[1])
