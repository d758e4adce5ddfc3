"""The rows of benchmarks/real_pairs.py: what is judged, what counts as right, what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from optional import present
from PIL import Image

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.graph import ComparisonBelief, LabelBelief, Node, Scene, SceneNode
from distortion_graph.graph.build import Decoded, DecodedRegion
from distortion_graph.measure.quality import haarpsi
from distortion_graph.synth.distort.level_losses import level_losses
from distortion_graph.synth.synthesis import DEFAULT_RECIPE

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import real_pairs
import real_rows
from ladders import LADDERS, Ladder, ladders
from real_folder import RealPair, RealPicture, read_real_folder
from shares import Tally

SIDE = 90
"""Grid cells of 30 px."""


def photo(seed: int, side: int = SIDE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 180, (6, 6, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.integers(-25, 26, (side, side, 1)), 0, 255).astype(np.uint8)  # type: ignore[no-any-return]


def noisy(rgb: np.ndarray) -> np.ndarray:
    field = np.random.default_rng(5).normal(0, 40, rgb.shape)
    return np.clip(rgb + field, 0, 255).astype(np.uint8)


class Oracle(real_rows.Judge):
    """Says of every picture what it was told, of all regions alike: label and score."""

    def __init__(self, told: list[tuple[np.ndarray, str, float]]) -> None:
        super().__init__(SimpleNamespace(vocabulary=DEFAULT_VOCABULARY))  # type: ignore[arg-type]
        self.told = {rgb.tobytes(): (label, score) for rgb, label, score in told}
        self.asked = 0

    def decoded(self, anchor: np.ndarray, target: np.ndarray) -> Decoded:
        self.asked += 1
        nodes = [self._node(rgb) for rgb in (anchor, target)]
        margin = present(nodes[0].score) - present(nodes[1].score)
        comparison = ComparisonBelief(label="same", margin=margin)
        scene = Scene(
            anchor=SceneNode(score=nodes[0].score),
            target=SceneNode(score=nodes[1].score),
            comparison=comparison,
        )
        return Decoded((DecodedRegion(*nodes, comparison),) * 9, scene)  # type: ignore[arg-type, call-arg]

    def _node(self, rgb: np.ndarray) -> Node:
        label, score = self.told.get(rgb.tobytes(), ("clean", 1.0))
        severity = "clean" if label == "clean" else "severe"
        return Node(
            distortion=LabelBelief(label=label, probability=0.75),
            severity=LabelBelief(label=severity),
            score=score,
        )


@pytest.fixture
def place(tmp_path: Path):
    def save(name: str, rgb: np.ndarray) -> Path:
        Image.fromarray(rgb).save(tmp_path / name)
        return tmp_path / name

    return save


def pair(reference: Path, distorted: Path, **changes: object) -> RealPair:
    facts: dict[str, object] = {
        "kind": "noise",
        "group": "noise__a",
        "scene": "a",
        "reference": reference,
        "distorted": distorted,
        "expected": ("noise",),
        "is_registered": True,
        "is_partial": False,
        "has_reference": True,
    }
    return RealPair(**(facts | changes))  # type: ignore[arg-type]


def figures(table: object, row: str) -> dict[str, tuple[float, int]]:
    return {name: (s.value, s.regions) for name, s in table.shares()[row].items()}  # type: ignore[attr-defined]


def test_who_is_right_has_all_of_a_pair_and_who_is_wrong_nothing(place):
    clean, bad = photo(0), noisy(photo(0))
    pairs = [pair(place("r.png", clean), place("d.png", bad))]
    right = Oracle([(clean, "clean", 0.9), (bad, "noise", 0.5)])
    table = real_rows.pair_rows(right, pairs)
    assert figures(table, "noise") == {
        "named": (1, 9),
        "reference clean": (1, 9),
        "reference better": (1, 9),
        "plainly wrong": (0, 9),
    }
    assert right.calibration() == (pytest.approx(0.25), 18)  # type: ignore[comparison-overlap]
    wrong = Oracle([(clean, "noise", 0.5), (bad, "clean", 0.9)])
    assert figures(real_rows.pair_rows(wrong, pairs), "noise") == {
        "named": (0, 9),
        "reference clean": (0, 9),
        "reference better": (0, 9),
        "plainly wrong": (1, 9),
    }


def test_a_region_counts_by_what_it_loses(place):
    clean, partly = photo(1), photo(1)
    partly[:30, :60] = noisy(photo(1))[:30, :60]  # two of nine cells
    losses = real_rows.grid_losses(clean, partly)
    assert (losses[:2] > level_losses().least("noise")).all() and not losses[2:].any()
    judge = Oracle([(partly, "noise", 0.5)])
    found = real_rows.pair_rows(judge, [pair(place("r.png", clean), place("d.png", partly))])
    assert figures(found, "noise") == {
        "named": (1, 2),
        "reference clean": (1, 9),
        "reference better": (1, 2),
        "plainly wrong": (0, 2),
    }
    same = place("s.png", clean)
    assert figures(real_rows.pair_rows(judge, [pair(same, same)]), "noise") == {
        "reference clean": (1, 9)
    }


def test_where_pictures_are_not_registered_only_the_reference_is_judged(place):
    clean, bad = photo(2), noisy(photo(2))
    judge = Oracle([(bad, "noise", 0.5)])
    one = pair(place("r.png", clean), place("d.png", bad), is_registered=False)
    assert figures(real_rows.pair_rows(judge, [one]), "noise") == {"reference clean": (1, 9)}


def test_of_a_partial_pair_regions_of_other_brightness_are_judged(place):
    clean = np.full((SIDE, SIDE, 3), 100, np.uint8)
    clean[::2, ::3] = 130
    dark = clean.copy()
    dark[:30, :30] -= 30
    dark[:30, 30:60] -= 20  # too little
    assert np.allclose(real_rows.luma_moved(clean, dark)[:3], [30, 20, 0], atol=0.6)
    judge = Oracle([(dark, "darken", 0.4)])
    one = pair(
        place("r.png", clean),
        place("d.png", dark),
        kind="underexposed",
        expected=("darken",),
        is_partial=True,
    )
    found = figures(real_rows.pair_rows(judge, [one]), "all exposures")
    assert found["named"] == found["reference clean"] == found["reference better"] == (1, 1)


def test_of_two_focuses_the_softer_region_is_blurred_and_the_sharper_one_better(place):
    sharp = photo(3)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    near, far = sharp.copy(), sharp.copy()
    near[:, 30:], far[:, :60] = soft[:, 30:], soft[:, :60]  # the middle is soft in both
    energy = real_rows.laplacian_energy(near) / real_rows.laplacian_energy(far)
    columns = energy.reshape(3, 3)
    assert (columns[:, 0] > 2).all() and (columns[:, 2] < 0.5).all()
    assert np.allclose(columns[:, 1], 1, atol=0.6)
    one = pair(
        place("n.png", near),
        place("f.png", far),
        kind="defocus-two-focuses",
        expected=("blur", "clean"),
        is_partial=True,
        has_reference=False,
    )
    judge = Oracle([(near, "blur", 0.5), (far, "clean", 0.9)])
    # Three regions are sharper in each, and only in `far` they are called clean and better.
    assert figures(real_rows.pair_rows(judge, [one]), "defocus-two-focuses") == {
        "named": (0.5, 6),
        "reference clean": (0.5, 6),
        "reference better": (0.5, 6),
        "plainly wrong": (0.5, 6),
    }


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, 4), (2, 3), (0, 0)])
def test_shifted_crops_show_the_same_pixels_elsewhere(right, down):
    rgb = photo(4)
    first, second = real_rows.shifted(rgb, right, down)
    assert first.shape == second.shape == (SIDE - down, SIDE - right, 3)
    assert np.array_equal(second[: SIDE - 2 * down, : SIDE - 2 * right], first[down:, right:])
    assert np.array_equal(second[-1, -1], rgb[-1, -1])
    assert np.array_equal(first[0, 0], rgb[0, 0])


def test_shifts_go_as_far_as_their_names_say():
    for name, shifts in real_rows.SHIFTS_PX.items():
        if name.startswith("("):
            assert f"{shifts[0]} px off" == name
        else:
            assert {np.hypot(*shift) for shift in shifts} == {float(name.split()[0])}


def test_clean_pictures_are_judged_in_both_crops_and_on_both_sides_of_jpeg(place):
    rgb = photo(6)
    picture = RealPicture("origin", place("p.png", rgb), ())
    judge = Oracle([(rgb, "blur", 0.8)])  # crops and JPEG are clean to it
    found = figures(real_rows.pristine_rows(judge, [picture]), "every origin")
    assert found["beside itself"] == (0, 9)
    assert found["beside JPEG 75"] == (0, 9) and found["as JPEG 75"] == (1, 9)  # type: ignore[unreachable]
    assert found["1 px off"] == found["4 px off"] == (1, 36)
    assert found["(2, 3) px off"] == (1, 18)
    assert found["1 to 4 px off"] == (1, 4 * 36 + 18)


def test_damage_is_the_same_every_time_and_counts_where_it_is_seen(place):
    rgb = photo(7)
    for label in real_rows.DAMAGES + real_rows.TONES:
        first, again = (real_rows.damaged(rgb, "a", label, "severe") for _ in range(2))
        assert first is not None and np.array_equal(first, present(again))
        assert haarpsi(rgb, first) < 1
    grey = np.repeat(photo(7)[..., :1], 3, axis=2)
    assert real_rows.damaged(grey, "a", "saturate_dec", "severe") is None
    assert set(real_rows.DAMAGES + real_rows.TONES) == set(DEFAULT_RECIPE.types)
    assert len(real_rows.TONES) == 6

    flat = RealPicture("flat", place("f.png", np.full((SIDE, SIDE, 3), 120, np.uint8)), ())
    table = real_rows.damaged_rows(Oracle([]), [flat])
    # Blurring an even grey loses nothing, so there is nothing to name.
    assert "blur" not in {row for row, cells in table.shares().items() if cells}
    assert figures(table, "noise")["both"] == (0, 18)


def test_a_ladder_knows_steps_that_fall_and_rungs_that_are_close():
    measured = np.array([[0.99, 0.95, 0.80], [1.0, 1.0, 0.92]])
    predicted = np.array([[0.98, 0.90, 0.85], [0.99, 0.97, 0.97]])
    found: dict[str, Any] = Ladder("blur", predicted, measured).figures()
    steps = found["steps that fall"]
    assert (steps.value, steps.regions) == (pytest.approx(2 / 3), 3)  # 1.0 → 1.0 is no step
    assert found["whole ladders that fall"].value == 0.5
    close = found["within 0.02 above 0.9"]  # .01, .05 | .01, .03, .05
    assert (close.value, close.regions) == (pytest.approx(2 / 5), 5)
    assert found["mean deviation above 0.9"] == pytest.approx(0.03)


def test_rungs_are_measured_and_get_weaker_scores_on_the_way(place):
    rgb = photo(8)
    picture = RealPicture("a", place("p.png", rgb), ())
    judge = Oracle([])
    found = {ladder.name: ladder for ladder in ladders(judge, [picture])}
    assert judge.asked == sum(len(strengths) for _, strengths in LADDERS.values())
    assert found["JPEG"].measured[0, 0] == pytest.approx(
        haarpsi(rgb, real_rows.recompressed(rgb, 95)), abs=1e-12
    )
    for ladder in found.values():
        assert ladder.predicted.min() == 1 and (np.diff(ladder.measured) < 0).mean() > 0.8


def test_shares_are_of_regions_and_intervals_over_pictures():
    tally = Tally()
    for picture, hits, regions in (("a", 9, 9), ("b", 0, 1), ("c", 6, 10)):
        tally.add(picture, [True] * hits + [False] * (regions - hits))
    tally.add("d", [])
    share = present(tally.share())
    assert (share.value, share.regions, share.pictures) == (0.75, 20, 3)
    low, high = present(share.interval)
    assert 0 <= low < 0.75 < high <= 1
    assert str(share) == f"0.750 [{low:.2f}, {high:.2f}] (20)"
    even = Tally()
    for picture in "abcd":
        even.add(picture, [True, False])
    assert present(even.share()).interval == (0.5, 0.5)
    alone = Tally()
    alone.add("a", [True])
    assert present(alone.share()).interval is None and Tally().share() is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clean, bad = photo(10), noisy(photo(10))
    for name, rgb in (("clean.png", clean), ("bad.png", bad)):
        (tmp_path / "some__where").mkdir(exist_ok=True)
        Image.fromarray(rgb).save(tmp_path / "some__where" / name)
    entry = {
        "kind": "noise",
        "ref": "some__where/clean.png",
        "dist": "some__where/bad.png",
        "expected": ["noise"],
        "aligned": "exact",
        "partial": False,
        "reference_is": "captured",
        "source": {"repository": "r", "ref": "clean"},
    }
    lists = {
        "index.json": [entry, entry | {"aligned": "no"}],
        "pristine.json": [{"file": "some__where/clean.png"}],
        "unpaired.json": [{"kind": "noise", "file": "some__where/bad.png", "expected": ["noise"]}],
    }
    for name, entries in lists.items():
        (tmp_path / name).write_text(json.dumps(entries))
    return tmp_path


def test_the_lists_are_read_in_order_and_can_be_cut(folder):
    found = read_real_folder(folder, DEFAULT_VOCABULARY)
    assert [one.is_registered for one in found.pairs] == [True, False]
    assert found.pairs[0].group == "some__where" and found.pairs[0].scene == "r clean"
    assert found.pristine[0].kind == "some__where"
    assert len(found.limited(1).pairs) == 1 and found.limited(None) is found


def test_the_script_prints_the_tables_and_writes_them_again_the_same(
    folder, monkeypatch, capsys, tmp_path
):
    parts = ["--only", "pairs", "--only", "unpaired"]
    for name in ("one", "two"):
        out = ["--json", str(tmp_path / f"{name}.json"), "--markdown", str(tmp_path / f"{name}.md")]
        monkeypatch.setattr(sys, "argv", ["real_pairs.py", str(folder), *parts, *out])
        real_pairs.main()
    one, two = ((tmp_path / f"{name}.json").read_text() for name in ("one", "two"))
    assert one == two
    found = json.loads(one)
    row = found["pairs"]["noise"]
    assert row["reference clean"]["regions"] == 18 and row["named"]["regions"] == 9
    assert row["named"]["pictures"] == 1 and row["named"]["interval"] is None
    assert 0 <= found["calibration error"]["distortion"] <= 1
    assert found["calibration error"]["nodes"] == 18 + 9 + 9
    text = capsys.readouterr().out
    assert "| pairs, noise: named |" in text and "pristine" not in text
    assert (tmp_path / "one.md").read_text().splitlines()[0] == "**Real pairs**"


@pytest.mark.parametrize(
    ("name", "change", "line"),
    [
        ("index.json", {"expected": ["nose"]}, "expected has 'nose'"),
        ("index.json", {"aligned": "well"}, "aligned is 'well', expected one of exact, near, no"),
        ("index.json", {"partial": "no"}, "partial is 'no', expected true or false"),
        ("index.json", {"source": {}}, "source.repository is None, expected a text"),
        ("pristine.json", {"file": "lost.png"}, "lost.png, where there is no file"),
        ("unpaired.json", {"kind": 3}, "kind is 3, expected a text"),
    ],
)
def test_an_entry_that_is_wrong_is_named(folder, name, change, line):
    entries = json.loads((folder / name).read_text())
    entries[-1] |= change
    (folder / name).write_text(json.dumps(entries))
    with pytest.raises(DatasetError) as caught:
        read_real_folder(folder, DEFAULT_VOCABULARY)
    text = str(caught.value)
    assert line in text and f"{name}, entry {len(entries) - 1}" in text and "\n" not in text


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda f: f / "nowhere", "nowhere: no such folder"),
        (lambda f: (f / "pristine.json").unlink() or f, "pristine.json: cannot be read"),
        (lambda f: (f / "index.json").write_text("{") and f, "index.json: not JSON"),
        (lambda f: (f / "index.json").write_text("{}") and f, "expected a list of objects"),
        (lambda f: (f / "some__where/bad.png").write_text("x") and f, "bad.png"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, spoil, line, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["real_pairs.py", str(spoil(folder)), "--only", "pairs"])
    with pytest.raises(SystemExit) as caught:
        real_pairs.main()
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert line in said and said.startswith("real_pairs: error: ") and said.count("\n") == 1
