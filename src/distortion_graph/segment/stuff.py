"""Which labels of the common panoptic data sets are stuff: sky and grass, not one sky or two.

A checkpoint names its labels and does not say which are countable things. Segments of one stuff
label are one region, however many queries found it; each thing is a region of its own. The names
are those of the data sets' own category lists (`isthing` 0), and of checkpoints made on them.
"""

from __future__ import annotations

from collections.abc import Iterable


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split("|"))


# COCO panoptic 2017: 53 of 133.
COCO = _names("""
    banner|blanket|bridge|cardboard|counter|curtain|door-stuff|floor-wood|flower|fruit|gravel|
    house|light|mirror-stuff|net|pillow|platform|playingfield|railroad|river|road|roof|sand|sea|
    shelf|snow|stairs|tent|towel|wall-brick|wall-stone|wall-tile|wall-wood|water-other|
    window-blind|window-other|tree-merged|fence-merged|ceiling-merged|sky-other-merged|
    cabinet-merged|table-merged|floor-other-merged|pavement-merged|mountain-merged|grass-merged|
    dirt-merged|paper-merged|food-other-merged|building-other-merged|rock-merged|
    wall-other-merged|rug-merged
""")
# Cityscapes: 11 of 19.
CITYSCAPES = _names("""
    road|sidewalk|building|wall|fence|pole|traffic light|traffic sign|vegetation|terrain|sky
""")
# ADE20K's 150 panoptic labels: 50.
ADE20K = _names("""
    wall|building|sky|floor|tree|ceiling|road, route|grass|sidewalk, pavement|earth, ground|
    mountain, mount|plant|water|house|sea|rug|field|rock, stone|base, pedestal, stand|sand|
    skyscraper|grandstand, covered stand|path|runway|stairway, staircase|river|bridge, span|
    blind, screen|hill|bar|hovel, hut, hutch, shack, shanty|tower|dirt track|land, ground, soil|
    escalator, moving staircase, moving stairway|buffet, counter, sideboard|
    poster, posting, placard, notice, bill, card|stage|
    conveyer belt, conveyor belt, conveyer, conveyor, transporter|canopy|pool|falls|tent|cradle|
    tank, storage tank|lake|blanket, cover|pier|crt screen|shower
""")


def stuff_among(labels: Iterable[str]) -> frozenset[str]:
    """The stuff among a checkpoint's labels; none where they are of no data set known here.

    A data set is known by its stuff: the labels have all of it.
    """
    known = frozenset(label.strip() for label in labels)
    fitting = [stuff for stuff in (COCO, ADE20K, CITYSCAPES) if stuff <= known]
    return max(fitting, key=len, default=frozenset())
