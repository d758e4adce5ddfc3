"""The collection of freely licensed pictures says where each comes from, and holds nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from scripts import loaded

from distortion_graph.pictures.images import load_picture

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "free_pictures.py"

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pictures

Files: *
Copyright: 2001 Somebody
License: Apache-2.0 AND BSD-3-Clause

Files: nature/Aqua.jpg
       nature/Dune.jpg
Copyright: 2008, Charles
License: GPL-2+
Comment: see AUTHORS

Files: 16.04/seeding.jpg
Copyright: Clemens, 2018
License: CC0-1.0

License: GPL-2+
 Files: none are meant by this line of the text.
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return loaded(SCRIPT)


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["free_pictures.py", *arguments])
    script.main()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Aqua.jpg", "GPL-2+"),
        ("Dune.jpg", "GPL-2+"),
        ("seeding.jpg", "CC0-1.0"),
        ("data/home.jpg", "Apache-2.0 AND BSD-3-Clause"),
    ],
)
def test_the_licence_is_the_one_of_the_files_own_paragraph(
    script: ModuleType, path: str, expected: str
) -> None:
    assert script.license_of(path, COPYRIGHT) == expected


def test_a_copyright_file_without_paragraphs_is_pointed_to(script: ModuleType) -> None:
    assert script.license_of("Aqua.jpg", "free as in air") == "see the package's copyright file"


def test_without_apt_only_scikit_image_is_taken_and_a_line_says_so(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    run(script, monkeypatch, str(tmp_path / "free"))
    sources = json.loads((tmp_path / "free/sources.json").read_text())
    assert {s["package"] for s in sources} == {"scikit-image"}
    for source in sources:
        file = tmp_path / "free" / source["name"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == source["sha256"]
        assert load_picture(file).rgb.shape[2] == 3
        assert source["license"] and source["version"] and source["path"]
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("no apt-get here: 4 pictures of scikit-image only")


def test_a_folder_with_other_pictures_is_refused(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (tmp_path / "mine.jpg").write_bytes(b"another picture")
    with pytest.raises(SystemExit, match=r"holds mine\.jpg and 0 more .* folder of its own"):
        run(script, monkeypatch, str(tmp_path))
    assert not (tmp_path / "sources.json").exists()


def test_every_picture_has_a_name_of_its_own(script: ModuleType) -> None:
    names = [Path(p).stem for paths in script.DEBIAN.values() for p in paths]
    names += [Path(name).stem for name in script.SKIMAGE]
    assert len(set(names)) == len(names)
