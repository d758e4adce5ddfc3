"""Region specs: what a text names, and what no spec is; nothing is opened for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from distortion_graph.base.errors import DistortionGraphError, RegionError
from distortion_graph.cli.options import REGIONS_HELP
from distortion_graph.pictures.images import load_picture
from distortion_graph.regions import REGION_SPECS_HELP, RegionSet, RegionSpec, resolve_regions
from distortion_graph.regions.spec import (
    LOCAL_SPECS_HELP,
    Alpha,
    Auto,
    Distortions,
    Grid,
    PanopticModel,
    RegionFiles,
    Whole,
)

PNG, JSON, NAMES = Path("a.png"), Path("b.json"), Path("c/d.json")
SPECS = {
    "auto": Auto(),
    "distortions": Distortions(),
    "whole": Whole(),
    "grid:3x4": Grid(3, 4),
    "a.png": RegionFiles(PNG, ()),
    "a.TIFF,b.json": RegionFiles(Path("a.TIFF"), (JSON,)),
    "b.json": RegionFiles(None, (JSON,)),
    "b.json,image=x/y.png": RegionFiles(None, (JSON,), "x/y.png"),
    "b.json,image=a, b.png": RegionFiles(None, (JSON,), "a, b.png"),
    "b.json,c/d.json": RegionFiles(None, (JSON, NAMES)),
    "a.png,b.json,c/d.json": RegionFiles(PNG, (JSON, NAMES)),
    "panoptic:b.json": RegionFiles(None, (JSON,), panoptic=True),
    "panoptic:b.json,image=7": RegionFiles(None, (JSON,), "7", panoptic=True),
    "panoptic:a.png,b.json": RegionFiles(PNG, (JSON,), panoptic=True),
    "panoptic:a.png,b.json,c/d.json": RegionFiles(PNG, (JSON, NAMES), panoptic=True),
    "drawing.svg": RegionFiles(None, (Path("drawing.svg"),)),
    "a.GeoJSON": RegionFiles(None, (Path("a.GeoJSON"),)),
    "annotations.xml,image=a.png": RegionFiles(None, (Path("annotations.xml"),), "a.png"),
    "alpha:a.png": Alpha(PNG),
    "alpha:a,b": Alpha(Path("a,b")),
    "panoptic:org/name": PanopticModel("org/name"),
    "panoptic:org/name@main": PanopticModel("org/name@main"),
    "panoptic:org/name,threshold=0.5,device=cpu": PanopticModel(
        "org/name", ("threshold=0.5", "device=cpu")
    ),
    "panoptic:folder": PanopticModel(Path("folder")),
    "panoptic:folder/in,overlap=0": PanopticModel(Path("folder/in"), ("overlap=0",)),
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder" / "in").mkdir(parents=True)
    return tmp_path


def refusal(text, **options):
    with pytest.raises(RegionError) as caught:
        RegionSpec.parse(text, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("text", SPECS)
def test_a_text_is_parsed_and_written_again(text):
    spec = RegionSpec.parse(text)
    assert spec == SPECS[text]
    assert str(spec) == text


def test_texts_that_say_the_same_are_one_spec():
    assert RegionSpec.parse("grid:3×4") == RegionSpec.parse("grid:03X4") == Grid(3, 4)
    assert RegionSpec.parse("b.json,a.png") == RegionSpec.parse(Path("a.png,b.json"))


def test_the_files_of_a_spec_are_listed():
    files = {text: [str(file) for file in RegionSpec.parse(text).files] for text in SPECS}
    words = {"auto", "distortions", "whole", "grid:3x4"}
    hub = {text for text in SPECS if "org/name" in text}
    assert {text for text, named in files.items() if not named} == words | hub
    assert files["a.png,b.json,c/d.json"] == ["a.png", "b.json", "c/d.json"]
    assert files["panoptic:b.json,image=7"] == ["b.json"]
    assert files["panoptic:folder/in,overlap=0"] == ["folder/in"]


def test_which_specs_fit_any_pictures_and_which_need_the_hub():
    specs = {text: RegionSpec.parse(text) for text in SPECS}
    anywhere = {text for text, spec in specs.items() if spec.found_in_pictures}
    assert anywhere == {t for t in SPECS if not isinstance(SPECS[t], RegionFiles | Alpha)}
    hub = {spec.hub_name for spec in specs.values()}
    assert hub == {None, "org/name", "org/name@main"}


def test_what_exists_is_a_name_whatever_its_commas(here):
    for name in ("a,b.png", "c.json,image=x.json"):
        (here / name).write_bytes(b"")
        assert RegionSpec.parse(name).files == (Path(name),)
        assert RegionSpec.parse(here / name).files == (here / name,)
    (here / "m,threshold=1").mkdir()
    assert RegionSpec.parse("panoptic:m,threshold=1") == PanopticModel(Path("m,threshold=1"))


def test_files_are_no_models(here):
    (here / "org").mkdir()
    (here / "org" / "file").write_text("")
    for names in ("a/b.json", "a/b.png,c.json"):
        assert isinstance(RegionSpec.parse(f"panoptic:{names}"), RegionFiles)
    for name, problem in {
        "org/file": "unknown",
        "plain": "no file 'plain'",
        "a/b/c": "no file 'a/b/c'",
        "": "unknown",
    }.items():
        assert refusal(f"panoptic:{name}").startswith(f"regions 'panoptic:{name}': {problem}, exp")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("grid:2", "regions 'grid:2': expected grid:ROWSxCOLS, for example grid:3x4"),
        ("grid:axb", "regions 'grid:axb': expected grid:ROWSxCOLS, for example grid:3x4"),
        ("atuo", f"regions 'atuo': no file 'atuo', expected one of: {REGION_SPECS_HELP}"),
        ("folder", f"regions 'folder': unknown, expected one of: {REGION_SPECS_HELP}"),
        ("", f"regions '': unknown, expected one of: {REGION_SPECS_HELP}"),
        ("a.png,b.png", "regions 'a.png,b.png': no file 'a.png', expected one of: auto"),
        ("a.png,b.txt", "regions 'a.png,b.txt': no file 'a.png', expected one of: auto"),
        (",".join(["b.json"] * 4), "regions 'b.json,b.json,b.json,b.json': no file 'b.json', "),
        ("panoptic:a.png", "panoptic:a.png: no JSON, expected panoptic:FILE.png,FILE.json"),
    ],
)
def test_a_text_that_is_no_spec_is_refused_in_one_line(text, said):
    assert refusal(text).startswith(said)


def test_an_error_names_the_specs_that_a_caller_takes():
    assert refusal("atuo", expected="whole").endswith("expected one of: whole")


def test_names_are_found_where_the_caller_says_and_may_be_forbidden(here):
    def find(name):
        if name.startswith("/"):
            raise DistortionGraphError(f"{name!r} may not be read")
        return here / "folder" / name

    assert RegionSpec.parse("panoptic:in", find) == PanopticModel(here / "folder" / "in")
    assert RegionSpec.parse("a.png,b.json", find).files == (
        here / "folder" / "a.png",
        here / "folder" / "b.json",
    )
    for text in ("/x.json", "a.png,/x.json", "panoptic:/x", "panoptic:/x.json"):
        with pytest.raises(DistortionGraphError, match=r"'/x.*' may not be read"):
            RegionSpec.parse(text, find)


def test_a_parsed_spec_gives_the_regions_of_its_text():
    picture = load_picture(np.zeros((6, 9, 3), np.uint8))
    for text in ("whole", "grid:2x3", "auto"):
        parsed = resolve_regions(RegionSpec.parse(text), picture, picture)
        assert parsed == resolve_regions(text, picture, picture)
    assert resolve_regions(Grid(2, 3), picture, picture) == RegionSet.grid((6, 9), 2, 3)


def test_every_help_lists_the_same_specs():
    # The command's text is a copy, for its help imports no regions.
    copy = REGIONS_HELP.partition(": ")[2].replace("; needs the segment extra).", ")")
    assert copy == REGION_SPECS_HELP
    hub = "panoptic:FOLDER or panoptic:ORG/NAME (found and named by a panoptic model)"
    assert REGION_SPECS_HELP.replace(hub, "panoptic:FOLDER (of a panoptic model)") == (
        LOCAL_SPECS_HELP
    )
