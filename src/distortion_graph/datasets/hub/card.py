"""The page of a data set on the hub, for those who have not written one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distortion_graph.datasets.description import DatasetDescription, read_description
from distortion_graph.datasets.layout import CLEAN_FOLDER, SPLITS
from distortion_graph.datasets.shards.contents import SHARDS_FILE, read_shards_file

MADE_HERE = "<!-- Written by `distortion-graph dataset push`. -->"
"""A line of every page made here: such a page is not part of the data set and is not pulled."""

_BEYOND_PUBLISHED = (
    "A region can suffer several distortions: `also` in the stats files names those beside the "
    "first. Labels follow from what was lost. A version may be made of another look of the clean "
    "picture, or of a moved one (`manifest.jsonl` says what was done), and its scores are against "
    "that, not against the picture in `gt/`."
)


def card(folder: Path, repo_id: str, names: Sequence[str]) -> str:
    """The text of README.md for a root or a folder of shards that holds the files `names`."""
    shards = SHARDS_FILE in names
    described = read_description(folder)
    lines = [
        "---",
        f"pretty_name: {repo_id.rpartition('/')[2]}",
        f"tags: [image-quality, distortion-graph{', webdataset' if shards else ''}]",
        "---",
        MADE_HERE,
        "",
        f"# {repo_id.rpartition('/')[2]}",
        "",
        "Pictures whose regions were degraded one by one, with what was done to each region, how "
        "bad it is, and a full-reference score: regions, labels and scores for every version of "
        "every picture.",
        "",
        *_splits(folder, names, described, shards),
    ]
    if described is not None:
        lines += ["", *_facts(described)]
    return "\n".join([*lines, "", *_use(repo_id, shards)]) + "\n"


def _splits(
    folder: Path, names: Sequence[str], described: DatasetDescription | None, shards: bool
) -> list[str]:
    if shards:
        splits = read_shards_file(folder).splits
        counts = {str(name): split.pictures for name, split in splits.items()}
    else:
        counts = {s: sum(n.startswith(f"{CLEAN_FOLDER}/{s}/") for n in names) for s in SPLITS}
    rows = [(split, str(number)) for split, number in counts.items() if number]
    if described is None:
        return [*_table("split", "pictures"), *(f"| {' | '.join(row)} |" for row in rows)]
    known = described.splits
    return [
        *_table("split", "pictures", "regions"),
        *(f"| {' | '.join(row)} | {known[row[0]].regions} |" for row in rows if row[0] in known),
    ]


def _table(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]


def _facts(described: DatasetDescription) -> list[str]:
    recipe = described.recipe
    if recipe is None or described.judged is not None:
        judged = described.judged
        return [
            f"Labels are of {judged.people if judged else 0} people, who judged "
            f"{judged.regions if judged else 0} regions; there are no scores."
        ]
    metric = _cell(str(described.metric.get("name", "not named")))
    lines = [
        f"Versions of every picture: {_cell(', '.join(described.versions))}. Metric of the scores: "
        f"{metric}. Seed {recipe.seed}, recipe {_cell(recipe.name)} {_cell(recipe.id)}.",
        *(["", _BEYOND_PUBLISHED] if recipe.name != "published" else []),
        "",
        *_table("source", "kind", "pictures", "licence"),
    ]
    for source in described.sources:
        cells = (source.name, source.kind, str(source.pictures), source.licence or "not given")
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return lines


def _cell(text: str) -> str:
    """Text from a file as plain text of a table's cell."""
    flat = " ".join(text.split())
    return "".join(f"&#{ord(c)};" if c in "|<>&`*_[]\\" else c for c in flat)


def _use(repo_id: str, shards: bool) -> list[str]:
    place = repo_id.rpartition("/")[2]
    lines = ["```", f"distortion-graph dataset pull {repo_id} --out {place}"]
    if shards:
        lines.append(f"distortion-graph dataset unpack {place} --out {place}-root")
    return [*lines, "```"]
