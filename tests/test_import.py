"""What importing the package costs: nothing, and no torch ever."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import distortion_graph

HEAVY = ("torch", "cv2", "numpy", "onnxruntime", "pydantic", "PIL", "skimage", "scipy", "rich")


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
    assert loaded.isdisjoint(HEAVY)
    assert [m for m in facts["modules"] if m.startswith("distortion_graph.")] == []
    assert facts["same"]


def test_compare_needs_no_torch_and_auto_regions_alone_need_skimage(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    for name in ("a.png", "b.png"):
        Image.fromarray(rgb).save(tmp_path / name)
    loaded = python(
        """
import json, sys
from distortion_graph.cli.main import run
sys.modules["torch"] = None  # importing it fails now
said, sys.stdout = sys.stdout, open("said.txt", "w")
code = run(["compare", "a.png", "b.png", "--regions", "whole", "--out", "g.json"])
sys.stdout = said
print(json.dumps([code, sorted({m.split(".")[0] for m in sys.modules})]))
""",
        cwd=tmp_path,
    )
    assert loaded[0] == 0
    assert {"skimage", "scipy", "torchvision"}.isdisjoint(loaded[1])


def test_the_command_line_starts_light():
    modules = python(
        "import json, sys, distortion_graph.cli.main\nprint(json.dumps(sorted(sys.modules)))"
    )
    heavy = set(HEAVY) - {"rich"}  # which older releases of typer load at once
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
