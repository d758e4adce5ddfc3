"""`assert_same_quality`, and pytest with the plugin."""

from __future__ import annotations

import base64
import os
from importlib.metadata import entry_points
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from distortion_graph.base.errors import PolicyError
from distortion_graph.gate.asserting import QualityError, assert_same_quality

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

PLUGIN = "distortion_graph.gate.pytest_plugin"
# Where the package is installed with its entry point, pytest loads the plugin by itself.
LOAD = () if any(e.value == PLUGIN for e in entry_points(group="pytest11")) else ("-p", PLUGIN)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    one = np.array(Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC))
    two = one.copy()
    two[10:20, 30:50] = (255, 0, 0)
    return one, two


def test_it_passes_and_fails_as_the_policy_says():
    one, two = pictures()
    assert_same_quality(one, one)
    assert_same_quality(one, two, {"ignore": {"boxes": [[30, 10, 20, 10]]}, "differs": {}})
    assert_same_quality(one, two, {"differs": {"share": 0.1}})
    with pytest.raises(QualityError, match=r"shop breaks the policy:\n  200 pixels") as failed:
        assert_same_quality(one, two, name="shop")
    (finding,) = failed.value.findings
    assert finding.boxes == ((30, 10, 20, 10),)
    assert failed.value.drawn is not None
    assert failed.value.drawn.overlay.startswith(b"\x89PNG")
    with pytest.raises(PolicyError, match="did you mean 'differs'"):
        assert_same_quality(one, two, {"difers": {}})


def test_rules_of_a_folder_go_by_the_name(tmp_path):
    one, two = pictures()
    (tmp_path / "gate.yml").write_text(
        "differs: {share: 0}\nfolders: {'loose/*': {differs: {share: 0.5}}}\n"
    )
    assert_same_quality(one, two, tmp_path / "gate.yml", name="loose/a")
    with pytest.raises(QualityError):
        assert_same_quality(one, two, tmp_path / "gate.yml", name="strict/a")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    one, two = pictures()
    Image.fromarray(one).save(pytester.path / "one.png")
    Image.fromarray(two).save(pytester.path / "two.png")
    pytester.makepyfile(
        """
        def test_same(assert_same_quality):
            assert_same_quality("one.png", "one.png")

        def test_other(assert_same_quality):
            assert_same_quality("one.png", "two.png", policy={"differs": {"share": 0}})

        def test_plain():
            assert 1 == 2
        """
    )
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return pytester.runpytest_subprocess(*LOAD, *arguments)


def test_the_plugin_writes_overlay_and_report_of_the_test_that_failed(pytester):
    result = run(pytester, "--distortion-graph-out", "shown")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["*QualityError: two.png breaks the policy:", "*200 pixels * differ visibly*", "overlay: *"]
    )
    names = sorted(path.name for path in (pytester.path / "shown").iterdir())
    stem = "test_the_plugin_writes_overlay_and_report_of_the_test_that_failed.py_test_other"
    assert names == [f"{stem}.html", f"{stem}.png"]


@pytest.mark.skipif(find_spec("pytest_html") is None, reason="needs pytest-html")
def test_the_page_of_pytest_html_shows_the_overlay_of_that_test_alone(pytester):
    run(pytester, "--html", "page.html", "--self-contained-html", "--distortion-graph-out", "shown")
    (picture,) = (pytester.path / "shown").glob("*.png")
    page = (pytester.path / "page.html").read_text()
    assert page.count(base64.b64encode(picture.read_bytes()).decode("ascii")) == 1
