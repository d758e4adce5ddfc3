"""`check` as a build server runs it: exit codes, findings, what is ignored, and baselines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from distortion_graph.graph import load_graph

pytestmark = pytest.mark.slow

NOTHING_DIFFERS = "differs: {share: 0}\n"
GRID = "compare: {regions: 'grid:1x2'}\n"


def test_true_changes_are_found_with_what_where_and_how_much(folders, check):
    code, out, err = check(NOTHING_DIFFERS, "--out", "shown")
    assert code == 3 and not err
    line = next(x for x in out.splitlines() if x.startswith("patch.png: "))
    # The red square is 30×20 = 600 pixels at (50, 20), of 96×72.
    assert "600 pixels (8.7 %) differ visibly in one place 30×20 at (50, 20)" in line
    assert "allowed 0 %" in line
    assert "same.png: " not in out and "3 pairs: 2 break the policy" in out
    for kind, end in (("overlays", "png"), ("reports", "html"), ("graphs", "json")):
        assert [p.name for p in sorted((folders / "shown" / kind).iterdir())] == [
            f"patch.png.{end}",
            f"soft%2Fnoisy.png.{end}",
        ]
    graph = load_graph(folders / "shown" / "graphs" / "patch.png.json")
    assert graph.anchor.source == "accepted/patch.png"
    assert np.array(Image.open(folders / "shown" / "overlays" / "patch.png.png")).ndim == 3
    # What is mended is not shown any more.
    Path("now/patch.png").write_bytes(Path("accepted/patch.png").read_bytes())
    check(NOTHING_DIFFERS, "--out", "shown")
    assert [p.name for p in (folders / "shown" / "overlays").iterdir()] == ["soft%2Fnoisy.png.png"]


def test_what_is_ignored_or_allowed_to_differ_does_not_break_the_policy(folders, check):
    soft = "folders: {'soft/*': {differs: null}}\n"
    Image.fromarray(np.pad(np.full((20, 30), 255, np.uint8), ((20, 32), (50, 16)))).save("mask.png")
    for places in (
        "ignore: {boxes: [[50, 20, 30, 20]]}",
        "ignore: {masks: [mask.png]}",
        "differs: {outside: {masks: [mask.png]}}",
        "differs: {outside: {boxes: [[45, 15, 40, 30]]}}",
    ):
        rule = places if "differs" in places else NOTHING_DIFFERS + places
        code, out, _ = check(f"{soft}{rule}\nloss: {{region: 1}}\n")
        assert code == 0, (places, out)
        assert "3 pairs: all keep the policy" in out
    code, out, _ = check(f"{soft}{NOTHING_DIFFERS}ignore: {{boxes: [[50, 20, 29, 20]]}}\n")
    assert code == 3 and "20 pixels" in out  # one column of the square is left


def test_regions_are_ignored_by_their_names(folders, check):
    labels = np.ones((72, 96), np.uint8)
    labels[15:45, 45:85] = 2
    Image.fromarray(labels).save("labels.png")
    Path("names.json").write_text(json.dumps({"1": "page", "2": "advert left"}))
    text = "compare: {regions: 'labels.png,names.json'}\nfolders: {'soft/*': {differs: null}}\n"
    assert check(text + NOTHING_DIFFERS)[0] == 3
    assert check(text + NOTHING_DIFFERS + "ignore: {regions: ['advert *']}\n")[0] == 0
    code, _, err = check(text + NOTHING_DIFFERS + "ignore: {regions: [clock]}\n")
    assert code == 2 and "no region is called 'clock', expected one of page, advert left" in err
    code, _, err = check(NOTHING_DIFFERS + "ignore: {regions: [clock]}\n")
    assert code == 2 and "these are found in the pictures" in err


def test_losses_comparisons_and_distortions_have_their_rules(folders, check):
    code, out, _ = check(GRID + "loss: {scene: 0.1, region: 0.2}\n")
    assert code == 3 and "loses" in out and "of its score" in out
    code, out, _ = check(GRID + "comparison: {worst: same, probability: 0.5}\n")
    assert code == 3 and "is worse with probability" in out
    code, out, _ = check(GRID + "distortions: {forbidden: [noise]}\n")
    assert code == 3 and "soft/noisy.png: region" in out and "suffers noise" in out
    assert check(GRID + "distortions: {forbidden: [snow]}\nloss: {region: 1}\n")[0] == 0
    # What the accepted picture suffers as badly is no news.
    code, out, _ = check(GRID + "distortions: {allowed: []}\n", paths=("now", "now"))
    assert code == 0, out


def test_another_size_is_a_finding_and_fit_says_what_else_to_do(folders, check):
    Image.open("now/same.png").crop((0, 0, 96, 60)).save("now/same.png")
    code, out, _ = check("folders: {'*t*': {loss: null}}\nloss: {region: 1}\n", "--out", "shown")
    assert code == 3
    assert "same.png: the picture is 96×60 pixels, and 96×72 before, expected the same size" in out
    assert (folders / "shown" / "reports" / "same.png.html").is_file()
    assert check("compare: {fit: crop}\nloss: {region: 1}\n")[0] == 0
    # Masks and boxes lie on the whole accepted picture.
    Image.fromarray(np.pad(np.full((42, 96), 255, np.uint8), ((30, 0), (0, 0)))).save("low.png")
    text = "differs: {}\nignore: {masks: [low.png], boxes: [[0, 65, 9, 7]]}\n"
    code, out, err = check(text, paths=("accepted/same.png", "now/same.png"))
    assert (code, err) == (3, "") and "expected the same size" in out and "differ" not in out
    text = "loss: {region: 1}\nbaseline: {file: size.json}\n"
    check(text, "--record")
    assert check(text)[0] == 0


def test_a_pair_that_cannot_be_read_is_no_pass_and_the_others_are_told(folders, check):
    Path("now/same.png").write_bytes(b"no picture")
    code, out, err = check("loss: {region: 1}\n", "--junit", "j.xml")
    assert code == 2 and "same.png: now/same.png: " in out
    assert "1 of 3 pairs cannot be compared" in err
    assert 'errors="1"' in Path("j.xml").read_text()
    assert check(NOTHING_DIFFERS)[0] == 3  # others break the policy, which says more


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("differs: {share: 0}\nignore: {boxes: [[500, 0, 4, 4]]}\n", "has no pixel of accepted/"),
        ("differs: {share: 0}\nignore: {masks: [no.png]}\n", "ignore.masks: no.png: no such file"),
        ("compare: {score_metric: haarps}\nloss: {}\n", "policy: compare: "),
        ("compare: {regions: 'grid:2'}\nloss: {}\n", "policy: compare: regions 'grid:2'"),
        ("comparison: {worst: awful}\n", "unknown comparison 'awful'"),
        ("baseline: {file: base.json}\n", "base.json: no such baseline; record it with"),
        ("differs: [", "gate.yml: "),
    ],
)
def test_what_does_not_fit_the_pictures_ends_with_one_line_and_no_folder(
    folders, check, text, said
):
    code, out, err = check(text, "--out", "shown")
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1
    assert not Path("shown").exists()


def test_unmatched_pictures_are_an_error_unless_allowed(folders, check):
    Path("now/more.png").write_bytes(Path("now/same.png").read_bytes())
    code, _, err = check("loss: {region: 1}\n")
    assert code == 2 and "more.png" in err
    assert check("loss: {region: 1}\n", "--allow-unmatched")[0] == 0


def test_two_pictures_are_a_pair_and_a_glob_that_fits_none_is_told(folders, check):
    text = NOTHING_DIFFERS + "folders: {'thumb/*': {differs: null}}\n"
    code, out, err = check(text, paths=("accepted/same.png", "now/same.png"))
    assert code == 0 and "1 pair: all keep the policy" in out
    assert "folders: 'thumb/*' fits no pair" in err


class TestBaseline:
    POLICY = GRID + "differs: {share: 0}\nbaseline: {file: base.json}\n"

    def test_what_was_recorded_passes_and_what_is_worse_fails(self, folders, check):
        code, out, err = check(self.POLICY, "--record")
        assert (code, err) == (0, "") and "3 pairs recorded" in out
        base = json.loads(Path("base.json").read_text())
        assert base["pairs"]["patch.png"]["values"]["differs"] == pytest.approx(
            600 / (96 * 72), abs=1e-6
        )
        assert base["pairs"]["same.png"]["values"] == {}
        assert 0 <= base["noise"]["loss"] < 0.2
        assert check(self.POLICY)[0] == 0
        worse = np.array(Image.open("now/patch.png"))
        worse[0:60, 0:40] = (0, 255, 0)
        Image.fromarray(worse).save("now/patch.png")
        code, out, _ = check(self.POLICY)
        assert code == 3 and "1 break the policy" in out
        assert "recorded 8.68 %" in out and "of noise" in out

    @pytest.mark.parametrize("regions", ["grid:1x2", "auto"])
    def test_a_pair_that_was_equal_may_lose_no_score(self, folders, check, regions):
        how = f"{{regions: '{regions}', reference: anchor}}"
        policy = f"compare: {how}\nbaseline: {{file: base.json}}\n"
        check(policy, "--record")
        assert check(policy)[0] == 0
        Path("now/same.png").write_bytes(Path("now/soft/noisy.png").read_bytes())
        code, out, _ = check(policy)
        assert code == 3 and "1 break the policy" in out
        assert "same.png: " in out and "of its score" in out and "recorded 0 and" in out

    def test_a_tolerance_may_be_given_instead_of_measured_noise(self, folders, check):
        check(self.POLICY, "--record")
        worse = np.array(Image.open("now/patch.png"))
        worse[0:10, 0:10] = 255 - worse[0:10, 0:10]
        Image.fromarray(worse).save("now/patch.png")
        assert check(self.POLICY)[0] == 3
        loose = self.POLICY.replace("base.json", "base.json, tolerance: 0.9")
        assert check(loose)[0] == 0

    def test_one_of_another_policy_or_model_is_refused(self, folders, check):
        check(self.POLICY, "--record")
        code, _, err = check(self.POLICY.replace("1x2", "2x1"))
        assert code == 2
        assert "base.json: was recorded with regions grid:1x2, now it is grid:2x1" in err
        base = json.loads(Path("base.json").read_text())
        Path("base.json").write_text(json.dumps(base | {"model": "another 1 abc"}))
        code, _, err = check(self.POLICY)
        assert code == 2 and "was recorded with model another 1 abc, now it is" in err
        Path("base.json").write_text("{}")
        assert "is missing" in check(self.POLICY)[2]
        Path("base.json").write_text("no JSON")
        assert "cannot be read as a baseline" in check(self.POLICY)[2]

    def test_limits_may_change_without_recording_again(self, folders, check):
        check(self.POLICY, "--record")
        assert check(self.POLICY.replace("share: 0", "share: 0.5"))[0] == 0

    def test_pairs_that_are_gone_are_told_and_new_ones_held_against_the_policy(
        self, folders, check
    ):
        check(self.POLICY, "--record")
        for folder in ("accepted", "now"):
            Path(folder, "same.png").rename(Path(folder, "new.png"))
        code, _, err = check(self.POLICY)
        assert code == 2 and "recorded, and not here: 1 pair (same.png)" in err
        code, _, err = check(self.POLICY, "--allow-unmatched")
        assert code == 0 and "not recorded, held against the policy alone: 1 pair (new.png)" in err

    def test_nothing_is_recorded_without_a_place_or_of_a_pair_that_cannot_be_read(
        self, folders, check
    ):
        assert "names no baseline to write" in check(NOTHING_DIFFERS, "--record")[2]
        Path("now/same.png").write_bytes(b"no picture")
        code, _, err = check(self.POLICY, "--record")
        assert code == 2 and "not recorded: pair same.png" in err
        assert not Path("base.json").exists()


def letters(text, dx=0.0):
    """A small page with a line of text, drawn at eight times the size and averaged."""
    big = Image.new("L", (8 * 160, 8 * 60), 255)
    font = ImageFont.load_default(8 * 18)
    ImageDraw.Draw(big).text((8 * (16 + dx), 8 * 18), text, fill=20, font=font)
    return big.resize((160, 60), Image.Resampling.BOX).convert("RGB")


def test_letters_drawn_otherwise_pass_every_rule_that_ignores_them_and_a_changed_price_fails(
    folders, check
):
    letters("Total 12.50").save("accepted/page.png")
    letters("Total 12.50", dx=0.4).save("now/page.png")
    pair = ("accepted/page.png", "now/page.png")
    rules = NOTHING_DIFFERS + "loss: {region: 0.001, scene: 0.001}\ndistortions: {allowed: []}\n"
    assert check(rules, paths=pair)[0] == 3
    ignoring = rules + "ignore: {antialiasing: text}\n"
    code, out, _ = check(ignoring, paths=pair)
    assert code == 0, out
    letters("Total 12.80", dx=0.4).save("now/page.png")
    code, out, _ = check(ignoring, paths=pair)
    assert code == 3
    box = re.search(r"in one place (\d+)×(\d+) at \((\d+), (\d+)\)", out)
    assert box
    width, height, x, y = map(int, box.groups())
    # The digit that changed is the ninth letter or so: right of the middle, and no more than that.
    assert 75 < x < 125 and width < 30 and 10 < y < 40 and height < 25


def test_worker_processes_find_the_same(folders, check):
    policy = GRID + "loss: {region: 0.1}\ndiffers: {share: 0}\n"
    alone = check(policy, "--out", "one", "--sarif", "one.sarif")
    shared = check(policy, "--out", "two", "--sarif", "two.sarif", "--workers", "2")
    assert (alone[0], alone[1].replace("one/", "two/")) == shared[:2] and alone[0] == 3
    one, two = Path("one.sarif").read_text(), Path("two.sarif").read_text()
    assert one.replace("one/", "two/") == two
    files = [sorted(p.relative_to(f) for p in Path(f).rglob("*.*")) for f in ("one", "two")]
    assert files[0] == files[1] and len(files[0]) == 6
