"""A vocabulary in words for a language model: what labels mean, and which other words mean them.

Meanings and synonyms are of the published vocabulary's labels; a label of another vocabulary that
is not among them stands for itself, and means what the vocabulary's own words say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.report.wording import printable

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "clean": "nothing is wrong",
        "snow": "falling snow flakes drawn over the picture, often with a whitish veil",
        "rain": "streaks of rain drawn over the picture, often darker",
        "haze": "a whitish fog that lowers contrast, more in the distance",
        "contrast_inc": "contrast too high: dark parts too dark and light parts too light",
        "contrast_dec": "contrast too low: flat and greyish",
        "brightness": "too bright, overexposed",
        "darken": "too dark, underexposed",
        "saturate_inc": "colours too strong",
        "saturate_dec": "colours too weak, up to grey",
        "compression": "artefacts of lossy compression: blocks, ringing, smeared colours",
        "oversharpen": "sharpened too much: halos along edges, harsh texture",
        "noise": "random grain or speckles",
        "blur": "out of focus, smeared by motion, or unsharp",
        "pixelate": "made of visible square blocks, as if enlarged from a few pixels",
    }
)
"""What distortion labels mean, in a few words."""

SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "clean": (
            "none", "no distortion", "no distortions", "undistorted", "pristine", "original",
            "no issue", "no artifacts", "no artefacts", "normal", "n/a", "nothing", "unimpaired",
        ),
        "snow": ("snowfall", "snowy", "snow flakes", "snowflakes", "snow overlay"),
        "rain": ("rain streaks", "rainy", "raindrops", "rain overlay"),
        "haze": ("fog", "foggy", "hazy", "mist", "smoke"),
        "contrast_inc": (
            "contrast increase", "increased contrast", "high contrast", "over contrast",
            "contrast increased", "too much contrast", "overcontrast", "excessive contrast",
        ),
        "contrast_dec": (
            "contrast decrease", "decreased contrast", "low contrast", "reduced contrast",
            "contrast decreased", "contrast reduction", "washed out", "loss of contrast",
            "too little contrast",
        ),
        "brightness": (
            "brighten", "brightened", "brightness increase", "increased brightness", "overexposed",
            "over exposed", "overexposure", "over exposure", "too bright", "brightness inc",
        ),
        "darken": (
            "darkened", "dark", "darkening", "brightness decrease", "decreased brightness",
            "underexposed", "under exposed", "underexposure", "under exposure", "too dark",
            "low light", "brightness dec",
        ),
        "saturate_inc": (
            "oversaturation", "oversaturated", "over saturation", "over saturated",
            "saturation increase", "increased saturation", "high saturation", "saturation inc",
        ),
        "saturate_dec": (
            "desaturation", "desaturated", "undersaturated", "under saturation",
            "saturation decrease", "decreased saturation", "low saturation", "grayscale",
            "greyscale", "gray", "grey", "saturation dec", "black and white", "washed-out colours",
            "washed-out colors",
        ),
        "compression": (
            "jpeg", "jpeg compression", "jpeg artifacts", "jpeg artefacts", "jpeg2000",
            "jpeg 2000", "compression artifacts", "compression artefacts", "compressed",
            "blocking", "blocking artifacts", "block artifacts", "webp compression",
        ),
        "oversharpen": (
            "oversharpening", "oversharpened", "over sharpening", "over sharpened",
            "over sharpen", "sharpening", "sharpen", "sharpened", "halo", "ringing",
        ),
        "noise": (
            "noisy", "grain", "gaussian noise", "white noise", "impulse noise", "speckle",
            "speckle noise", "shot noise", "poisson noise", "salt and pepper noise", "color noise",
        ),
        "blur": (
            "blurry", "blurred", "gaussian blur", "motion blur", "defocus", "defocus blur",
            "lens blur", "out of focus", "glass blur", "zoom blur", "soft",
        ),
        "pixelate": ("pixelated", "pixelation", "pixelization", "mosaic", "low resolution"),
        "minor": ("mild", "slight", "low", "light", "small", "weak", "minimal"),
        "moderate": ("medium", "average", "middle", "noticeable"),
        "severe": ("strong", "high", "heavy", "serious", "extreme", "major", "large"),
        "same": (
            "equal", "similar", "identical", "no difference", "about the same", "the same",
            "comparable", "unchanged", "equivalent",
        ),
        "slightly_better": (
            "a bit better", "a little better", "somewhat better", "marginally better",
            "mildly better", "moderately better",
        ),
        "slightly_worse": (
            "a bit worse", "a little worse", "somewhat worse", "marginally worse", "mildly worse",
            "moderately worse",
        ),
        "significantly_better": (
            "much better", "far better", "a lot better", "considerably better", "clearly better",
            "strongly better", "substantially better",
        ),
        "significantly_worse": (
            "much worse", "far worse", "a lot worse", "considerably worse", "clearly worse",
            "strongly worse", "substantially worse",
        ),
    }
)  # fmt: skip
"""Words that stand for a label where the vocabulary has it. docs/mllm.md lists them; a plain
"better" or "worse" is none of them, since it does not say how much."""


def spelled(word: str) -> str:
    """A word without case, punctuation and underscores: `Over-Exposed ` → `over exposed`."""
    return re.sub(r"[\W_]+", " ", word.casefold()).strip()


@lru_cache
def spellings(labels: tuple[str, ...]) -> Mapping[str, str]:
    """From every spelling of a label, and of its synonyms, to the label; labels come first.

    Without spellings that several labels share, such as that of "+" and "-".
    """
    shared = Counter(map(spelled, labels))
    labelled = {spelled(label): label for label in labels}
    for label in labels:
        for word in SYNONYMS.get(label, ()):
            labelled.setdefault(spelled(word), label)
    return MappingProxyType({word: label for word, label in labelled.items() if shared[word] < 2})


def label_of(said: object, labels: Sequence[str]) -> str | None:
    """The label that a word stands for, by itself or as a synonym; None for another word."""
    if not isinstance(said, str):
        return None
    bare = said.strip()
    return bare if bare in labels else spellings(tuple(labels)).get(spelled(said))


def meaning(vocabulary: Vocabulary, label: str) -> str | None:
    """What a distortion label means: the vocabulary's own words for it, else `MEANINGS`."""
    own = (vocabulary.words or {}).get(label)
    return MEANINGS.get(label) if own is None else printable(own)


def distortion_lines(vocabulary: Vocabulary, *, clean: bool = True) -> str:
    """A line for every distortion label, with what it means where that is known."""
    return "\n".join(
        f'- "{label}"' + (f": {means}" if (means := meaning(vocabulary, label)) else "")
        for label in vocabulary.distortions
        if clean or label != vocabulary.clean
    )


def severity_words(vocabulary: Vocabulary) -> str:
    """`0 (clean), 1 (minor), …`."""
    return ", ".join(f"{k} ({label})" for k, label in enumerate(vocabulary.severities))


def comparison_lines(vocabulary: Vocabulary) -> str:
    """A line for every comparison label, the best first, with the difference of scores it means."""
    steps = vocabulary.neutral_index
    lines = []
    for level in reversed(vocabulary.comparisons):
        rank = abs(level.rank)
        if rank == 0:
            bounds = f"the two scores differ by less than {vocabulary.thresholds[0]:g}"
        else:
            side = "higher" if level.rank > 0 else "lower"
            until = "" if rank == steps else f" and less than {vocabulary.thresholds[rank]:g}"
            bounds = (
                f"the anchor's score is {side} by {vocabulary.thresholds[rank - 1]:g} or more"
                f"{until}"
            )
        lines.append(f'- "{level.label}": {bounds}')
    return "\n".join(lines)
