"""What importing the package costs: nothing, and no torch ever."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import distortion_graph

HEAVY = ("torch", "cv2", "numpy", "onnxruntime", "pydantic", "PIL", "rich")
NEVER = ("torch", "torchvision", "scipy", "skimage")
"""Of which the core makes no use, whatever is asked of it."""


def python(program, *arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_importing_loads_nothing_heavy_and_sets_nothing():
    facts = python(
        """
import json, locale, logging, os, random, signal, sys, warnings
def state():
    return [list(map(str, warnings.filters)), logging.root.level, len(logging.root.handlers),
            dict(os.environ), sys.path[:], repr(signal.getsignal(signal.SIGINT)),
            random.getstate()[1][:3], locale.getlocale(), sys.getrecursionlimit(), os.getcwd()]
before = repr(state())
import distortion_graph
print(json.dumps({"modules": sorted(sys.modules), "same": repr(state()) == before}))
"""
    )
    loaded = {name.split(".")[0] for name in facts["modules"]}
    assert loaded.isdisjoint({*HEAVY, *NEVER})
    assert [m for m in facts["modules"] if m.startswith("distortion_graph.")] == []
    assert facts["same"]


@pytest.fixture
def folder(tmp_path):
    """With a.png and b.png, which differ all over, and a map of four regions that they show."""
    y, x = np.mgrid[:96, :128]
    parts = np.array([[200, 40, 40], [40, 180, 60], [60, 60, 220], [230, 220, 90]], np.uint8)
    rgb = parts[place := 2 * (y > 40) + (x > 70)]
    noise = np.random.default_rng(0).normal(0, 25, rgb.shape)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    Image.fromarray(np.clip(rgb + noise, 0, 255).astype(np.uint8)).save(tmp_path / "b.png")
    Image.fromarray((place + 1).astype(np.uint8)).save(tmp_path / "m.png")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "compare a.png b.png",
        "compare a.png b.png --regions distortions --report page.html --overlay drawn.png",
        "compare a.png b.png --regions m.png --target-regions m.png --json",
        "rank a.png b.png c.png --regions whole",
        "compare a.png b.png --regions whole --fail-on differs --quiet",
        "distort a.png --type blur --level 3 --out blurred.png",
    ],
)
def test_the_core_uses_neither_torch_nor_scipy_nor_scikit_image(folder, words):
    Image.open(folder / "b.png").rotate(180).save(folder / "c.png")
    code, loaded = python(
        f"""
import json, sys
for name in {NEVER!r}:
    sys.modules[name] = None  # importing it fails now
from distortion_graph.cli.main import run
said, sys.stdout = sys.stdout, open("said.txt", "w")
code = run({words.split()!r})
sys.stdout = said
print(json.dumps([code, sorted(m for m, what in sys.modules.items() if what)]))
""",
        cwd=folder,
    )
    assert code in (0, 3)
    loaded = {name.split(".")[0] for name in loaded}
    assert loaded.isdisjoint(NEVER)
    assert ("networkx" in loaded) == ("--target-regions" in words)  # which are matched by it


def test_the_command_line_starts_light():
    modules = python(
        "import json, sys, distortion_graph.cli.main\nprint(json.dumps(sorted(sys.modules)))"
    )
    heavy = {*HEAVY, *NEVER} - {"rich"}  # which older releases of typer load at once
    assert {m.split(".")[0] for m in modules}.isdisjoint(heavy)


def test_the_public_names_are_those_promised():
    assert set(distortion_graph.__all__) == {
        "DEFAULT_VOCABULARY",
        "DistortionGraph",
        "DistortionGraphError",
        "Model",
        "Ranking",
        "RegionSet",
        "Vocabulary",
        "__version__",
        "compare",
        "compare_many",
        "load_graph",
        "load_picture",
        "rank",
    }
    for name in distortion_graph.__all__:
        assert getattr(distortion_graph, name) is getattr(distortion_graph, name)
        assert name in dir(distortion_graph)
    assert callable(distortion_graph.compare)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'distortion_graph' has no attribute 'compere'"):
        _ = distortion_graph.compere
    with pytest.raises(ImportError):
        from distortion_graph import compere  # noqa: F401
