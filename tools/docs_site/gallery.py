"""Make docs/gallery.md and its pictures anew with the shipped model.

    python tools/docs_site/gallery.py

What was done to a picture, and so what is true, stands here; what the model says of it is printed
as it comes, right or wrong.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image

from distortion_graph import DistortionGraph, compare
from distortion_graph.graph import Node
from distortion_graph.report.overlay import overlay
from distortion_graph.report.wording import summary

DOCS = Path(__file__).resolve().parents[2] / "docs"
PHOTOGRAPHS = Path(skimage.data.__file__).parent
WIDTH_PX = 900
UNKNOWN = frozenset({"uncertain"})
CLEAN = frozenset({"clean"})


@dataclass(frozen=True)
class Case:
    """Two pictures, what was done to them, and the labels that are therefore right."""

    name: str
    title: str
    done: str
    make: Callable[[], tuple[Image.Image, Image.Image]]
    anchor: frozenset[str]
    target: frozenset[str]
    better: str  # which picture is: "anchor", "target" or "neither"
    regions: str = "grid:2x2"


def photograph(file: str, width_px: int = 420) -> Image.Image:
    """One of the photographs that come with scikit-image, reduced."""
    picture = Image.open(PHOTOGRAPHS / file).convert("RGB")
    return picture.resize((width_px, round(picture.height * width_px / picture.width)))


def saved(picture: Image.Image, form: str, quality: int) -> Image.Image:
    """The picture after a codec."""
    file = io.BytesIO()
    picture.save(file, form, quality=quality)
    return Image.open(file).convert("RGB")


def codecs() -> tuple[Image.Image, Image.Image]:
    """Two codecs at low quality."""
    cat = photograph("chelsea.png")
    return saved(cat, "JPEG", 10), saved(cat, "AVIF", 20)


def half_blurred() -> tuple[Image.Image, Image.Image]:
    """A clean picture, and one whose left half is out of focus."""
    coffee = np.asarray(photograph("coffee.png"))
    soft = cv2.GaussianBlur(coffee, (0, 0), 3)
    target = coffee.copy()
    target[:, :210] = soft[:, :210]
    return Image.fromarray(coffee), Image.fromarray(target)


def grey() -> tuple[Image.Image, Image.Image]:
    """A picture and its grey copy."""
    coffee = photograph("coffee.png")
    return coffee, coffee.convert("L").convert("RGB")


def turned() -> tuple[Image.Image, Image.Image]:
    """A picture, and a part of it turned."""
    cat = photograph("chelsea.png")
    return cat, cat.rotate(3, Image.Resampling.BICUBIC).crop((28, 28, 390, 250))


def painted_over() -> tuple[Image.Image, Image.Image]:
    """A picture, and one with a plain patch on it."""
    cat = photograph("chelsea.png")
    target = cat.copy()
    target.paste((150, 110, 85), (180, 60, 270, 130))
    return cat, target


def upscaled() -> tuple[Image.Image, Image.Image]:
    """A picture, and one that was reduced to a third and enlarged again."""
    astronaut = photograph("astronaut.png", 400)
    return astronaut, astronaut.resize((133, 133)).resize((400, 400))


def denoised() -> tuple[Image.Image, Image.Image]:
    """A clean picture, and one smeared by a strong denoiser."""
    astronaut = photograph("astronaut.png", 400)
    smeared = cv2.fastNlMeansDenoisingColored(np.asarray(astronaut), None, 12, 12, 7, 21)
    return astronaut, Image.fromarray(smeared)


def banded() -> tuple[Image.Image, Image.Image]:
    """A picture, and one of eight steps per channel."""
    astronaut = np.asarray(photograph("astronaut.png", 400))
    return Image.fromarray(astronaut), Image.fromarray(astronaut // 32 * 32 + np.uint8(16))


def warm() -> tuple[Image.Image, Image.Image]:
    """A picture, and one with a yellow cast."""
    astronaut = np.asarray(photograph("astronaut.png", 400))
    cast = np.clip(astronaut * np.array([1.15, 1, 0.8]), 0, 255).astype(np.uint8)
    return Image.fromarray(astronaut), Image.fromarray(cast)


def dusk() -> tuple[Image.Image, Image.Image]:
    """A launch at dusk, and the same brightened."""
    rocket = np.asarray(photograph("rocket.jpg"))
    bright = (255 * (rocket / 255) ** 0.6).astype(np.uint8)
    return Image.fromarray(rocket), Image.fromarray(bright)


def stars() -> tuple[Image.Image, Image.Image]:
    """A picture of the sky beside itself."""
    sky = photograph("hubble_deep_field.jpg")
    return sky, sky.copy()


CASES = [
    Case(
        "codecs",
        "Two codecs",
        "A cat (chelsea) saved as JPEG of quality 10, and as AVIF of quality 20.",
        codecs,
        frozenset({"compression"}),
        frozenset({"compression"}),
        "target",
    ),
    Case(
        "focus",
        "Half out of focus",
        "The left half of the target (coffee) went through a Gaussian of σ 3. Regions are found by "
        "what is wrong in them; those of the right half are clean in both.",
        half_blurred,
        CLEAN,
        frozenset({"blur", "clean"}),
        "anchor",
        regions="distortions",
    ),
    Case(
        "grey",
        "Without colour",
        "The target is the grey copy of the anchor (coffee).",
        grey,
        CLEAN,
        frozenset({"saturate_dec"}),
        "anchor",
    ),
    Case(
        "turned",
        "Turned and cut",
        "The target is a part of the anchor (chelsea), turned by 3°. Nothing else was done.",
        turned,
        CLEAN,
        CLEAN,
        "neither",
    ),
    Case(
        "upscaled",
        "Enlarged",
        "The target (astronaut) was reduced to a third and enlarged again. It is softer, "
        "whatever one calls that.",
        upscaled,
        CLEAN,
        frozenset({"blur"}),
        "anchor",
    ),
    Case(
        "painted",
        "Something is hidden",
        "The forehead of the cat (chelsea) lies under a plain patch. That is content and no "
        "distortion: both are clean.",
        painted_over,
        CLEAN,
        CLEAN,
        "neither",
    ),
    Case(
        "denoised",
        "Smeared by a denoiser",
        "The target (astronaut) went through non-local means, far too strong. No label is meant"
        " for that: the right "
        "answer is `uncertain`.",
        denoised,
        CLEAN,
        UNKNOWN,
        "anchor",
    ),
    Case(
        "banded",
        "Banding",
        "The target (astronaut) has eight steps per channel. No label is meant for that: the "
        "right answer is `uncertain`.",
        banded,
        CLEAN,
        UNKNOWN,
        "anchor",
    ),
    Case(
        "warm",
        "A colour cast",
        "The target (astronaut) is yellowish: red × 1.15, blue × .8. No label is meant for "
        "that: the right answer is "
        "`uncertain`.",
        warm,
        CLEAN,
        UNKNOWN,
        "anchor",
    ),
    Case(
        "dusk",
        "Dusk",
        "A launch at dusk (rocket) and the same brightened by a gamma of .6. The anchor is "
        "meant to be dark; no pixel "
        "says so.",
        dusk,
        CLEAN,
        frozenset({"brightness"}),
        "anchor",
    ),
    Case(
        "stars",
        "Stars",
        "The Hubble deep field beside itself. Stars are what it shows.",
        stars,
        CLEAN,
        CLEAN,
        "neither",
    ),
]

HEAD = """# Gallery

What the shipped model, {model}, says of {count} pairs: {right} of them are seen rightly in every
region, and {wrong} are not. The second half was chosen to be hard. What was done, and so what is
right, was written down first; answers are printed as they come. `make gallery` makes this page
anew.

The photographs come with scikit-image: chelsea (Stéfan van der Walt) and coffee (Rachel Michetti)
are CC0; astronaut and hubble_deep_field (NASA) and rocket (SpaceX) are in the public domain.
Regions are filled in the colour of their severity.
"""


def main() -> None:
    """Write the page and its pictures."""
    folder = DOCS / "gallery"
    folder.mkdir(exist_ok=True)
    sections, perfect, graph = [], 0, None
    for case in CASES:
        anchor, target = case.make()
        graph = compare(anchor, target, regions=case.regions)
        drawn = Image.fromarray(overlay(graph, np.asarray(anchor), np.asarray(target)))
        drawn.thumbnail((WIDTH_PX, WIDTH_PX), Image.Resampling.LANCZOS)
        drawn.save(folder / f"{case.name}.webp", quality=50, method=6)
        counts = list(right_counts(case, graph))
        perfect += all(right == of for _, right, of in counts)
        sections.append(section(case, graph, counts))
    assert graph is not None and graph.model is not None
    head = HEAD.format(
        model=f"{graph.model.name} {graph.model.version}",
        count=len(CASES),
        right=perfect,
        wrong=len(CASES) - perfect,
    )
    (DOCS / "gallery.md").write_text("\n".join([head, *sections]), "utf-8")


def right_counts(case: Case, graph: DistortionGraph) -> Iterator[tuple[str, int, int]]:
    """For labels of either picture and for comparisons: how many are right, and of how many."""
    sides = {"anchor": case.anchor, "target": case.target}
    for side, allowed in sides.items():
        said = [label(graph, getattr(region, side)) for region in graph.regions]
        yield f"labels of the {side}", sum(word in allowed for word in said), len(said)
    assert graph.scene is not None
    assert graph.scene.comparison is not None
    whole = graph.scene.comparison.label
    better = "neither" if whole == "same" else "anchor" if "better" in whole else "target"
    yield "comparison of the whole", int(better == case.better), 1


def label(graph: DistortionGraph, node: Node) -> str:
    """What is said of a region in one picture."""
    return "uncertain" if graph.is_uncertain(node) else node.distortion.label


def section(case: Case, graph: DistortionGraph, counts: list[tuple[str, int, int]]) -> str:
    """A case's part of the page."""
    marks = [f"{'✓' if right == of else '✗'} {what}: {right} of {of}" for what, right, of in counts]
    return f"""## {case.title}

{case.done}

![{case.title}: anchor and target with their regions and labels](gallery/{case.name}.webp)

> {summary(graph)}

{" · ".join(marks)}
"""


if __name__ == "__main__":
    main()
