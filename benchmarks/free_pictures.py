"""Collect freely licensed photographs of other origins than those that the shipped model has seen.

    python benchmarks/free_pictures.py runs/free-pictures

Sources: the colour photographs inside scikit-image, and four Debian packages, fetched with
`apt-get download` (170 MB) and unpacked in a temporary folder; nothing is installed. Without
apt-get only the first are taken, and a line says so; with --no-packages nothing is fetched.

They measure a model (robustness.py, large_accuracy.py) and never train the shipped one. Writes
`sources.json` beside the pictures: for each its name, package, version, path in it, licence as the
package's copyright file gives it, and SHA-256.

Pictures are named one by one below: only photographs that are sharp where they mean to be. Left
out are drawings, renderings and patterns (all of the packages' `abstract` and `desktop` folders,
Fossa, Painting-Colors, Infinite-Sea, umang, analogpattern), motion-blurred ones (Storm,
licenseplate_motion, text_*), grey ones, stereo and optical-flow test sets, and OpenCV samples that
other collections publish under terms of their own (baboon, graf, leuven, aloe, rubberwhale, messi5,
scenetext*).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from distortion_graph.base.files import atomic_write_text
from distortion_graph.datasets.pictures import find_pictures
from distortion_graph.pictures.images import load_picture

SKIMAGE = {
    "astronaut.png": "public domain (NASA)",
    "chelsea.png": "CC0-1.0 (Stefan van der Walt)",
    "coffee.png": "CC0-1.0 (Rachel Michetti)",
    "rocket.jpg": "public domain (SpaceX)",
}
"""File in skimage/data → licence as the function of that name documents it."""

DEBIAN = {
    "lomiri-wallpapers-16.04": (
        "Bridge_by_Sander_Klootwijk.jpg",
        "Dragonfly_by_Bolly.jpg",
        "Picture_0B_by_freespace.jpg",
        "Picture_1A_by_freespace.jpg",
        "Wine_by_Jakkub_Mede.jpg",
        "aitzgorri_by_Aitzol_Berasategi.jpg",
        "free_by_Peter_Nerlich.jpg",
        "friends_by_Aitzol_Berasategi.jpg",
        "greentock_by_Peter_Nerlich.jpg",
        "life_by_Aitzol_Berasategi.jpg",
        "picosdeeuropa_by_Aitzol_Berasategi.jpg",
        "seeding_by_Clements_Engelhardt.jpg",
        "sunset_by_Aitzol_Berasategi.jpg",
    ),
    "lomiri-wallpapers-20.04": ("Kleiber_by_Lukas_Baubkus.jpg",),
    "mate-backgrounds": (
        "Aqua.jpg",
        "Blinds.jpg",
        "Dune.jpg",
        "FreshFlower.jpg",
        "Garden.jpg",
        "GreenMeadow.jpg",
        "LadyBird.jpg",
        "RainDrops.jpg",
        "TwoWings.jpg",
        "Wood.jpg",
        "YellowFlower.jpg",
    ),
    "opencv-doc": (
        "data/aero1.jpg",
        "data/aero3.jpg",
        "data/board.jpg",
        "data/building.jpg",
        "data/butterfly.jpg",
        "data/chicky_512.png",
        "data/ela_original.jpg",
        "data/fruits.jpg",
        "data/home.jpg",
        "data/squirrel_cls.jpg",
        "data/stuff.jpg",
    ),
}
"""Debian package → the ends of the paths of its photographs."""


@dataclass(frozen=True)
class Source:
    """Where a picture of the folder comes from; `path` is its place inside the package."""

    name: str
    package: str
    version: str
    path: str
    license: str
    sha256: str


def collect_skimage(folder: Path) -> Iterator[Source]:
    """Copy the photographs that lie in the scikit-image package."""
    import skimage.data

    place = Path(skimage.data.__file__).parent
    for name, terms in SKIMAGE.items():
        path = f"skimage/data/{name}"
        yield _take(place / name, folder, "scikit-image", version("scikit-image"), path, terms)


def collect_debian(package: str, folder: Path) -> Iterator[Source]:
    """Fetch a Debian package and copy its photographs; one that is not there any more is told."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        # apt-get fetches as a user of its own, who could not write into a private folder.
        place.chmod(0o755)
        _run("apt-get", "download", package, cwd=place)
        archive = next(place.glob("*.deb"))
        _run("dpkg", "-x", archive.name, "tree", cwd=place)
        number = _run("dpkg-deb", "-f", archive.name, "Version", cwd=place).strip()
        tree = place / "tree"
        terms = (tree / "usr/share/doc" / package / "copyright").read_text("utf-8", "replace")
        files = sorted(p for p in tree.rglob("*") if p.is_file())
        for ending in DEBIAN[package]:
            found = [p for p in files if p.as_posix().endswith(f"/{ending}")]
            if not found:
                print(f"{package} {number}: no {ending} in it, left out", file=sys.stderr)
                continue
            path = found[0].relative_to(tree).as_posix()
            yield _take(found[0], folder, package, number, path, license_of(ending, terms))


def license_of(path: str, copyright_file: str) -> str:
    """Short name of a file's licence in a Debian copyright file (its machine-readable form).

    A paragraph that names the file goes before the one for `*`. Packages list the paths of their
    source, not of where files end up, so that files are told by name.
    """
    name, general = Path(path).name, "see the package's copyright file"
    for paragraph in re.split(r"\n\s*\n", copyright_file):
        files = re.search(r"^Files:((?:.*\n?)(?:[ \t]+.*\n?)*)", paragraph, re.MULTILINE)
        terms = re.search(r"^License:[ \t]*(.+)$", paragraph, re.MULTILINE)
        if not files or not terms:
            continue
        listed = files[1].split()
        if name in (Path(entry).name for entry in listed):
            return terms[1].strip()
        if listed == ["*"]:
            general = terms[1].strip()
    return general


def _take(file: Path, folder: Path, package: str, number: str, path: str, terms: str) -> Source:
    """Copy one picture under its own name, after making sure that it is one."""
    load_picture(file)
    shutil.copyfile(file, folder / file.name)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Source(file.name, package, number, path, terms, digest)


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise SystemExit(
            f"{' '.join(command)} failed: {' '.join(last)}; try `apt-get update` first"
        )
    return done.stdout


def collect(folder: Path, packages: list[str]) -> list[Source]:
    """Copy every photograph into a folder; of `packages` only where apt-get is there."""
    sources = list(collect_skimage(folder))
    if packages and not (shutil.which("apt-get") and shutil.which("dpkg")):
        print(
            f"no apt-get here: {len(sources)} pictures of scikit-image only, without those of the "
            f"Debian packages {', '.join(packages)}",
            file=sys.stderr,
        )
        return sources
    for package in packages:
        sources += collect_debian(package, folder)
    return sources


def main() -> None:
    """Collect everything into one folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the pictures go; made if missing")
    parser.add_argument(
        "--without", action="append", default=[], choices=DEBIAN, help="leave a package out"
    )
    parser.add_argument(
        "--no-packages", action="store_true", help="only scikit-image's; nothing is fetched"
    )
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    left_out = DEBIAN if arguments.no_packages else arguments.without
    sources = collect(folder, [p for p in DEBIAN if p not in left_out])
    # Scripts take every picture below this folder.
    strangers = {p.name for p in find_pictures(folder)} - {source.name for source in sources}
    if strangers:
        raise SystemExit(
            f"{folder}: holds {sorted(strangers)[0]} and {len(strangers) - 1} more pictures that "
            "are not from here; choose a folder of its own"
        )
    listed = [asdict(source) for source in sources]
    atomic_write_text(folder / "sources.json", json.dumps(listed, indent=1, ensure_ascii=False))
    print(f"{len(sources)} pictures in {folder}, their terms in {folder / 'sources.json'}")


if __name__ == "__main__":
    main()
