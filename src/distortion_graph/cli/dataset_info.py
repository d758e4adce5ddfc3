"""`distortion-graph dataset info`: the statistics table of a data set."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from distortion_graph.base.counting import counted
from distortion_graph.cli.console import talk_of, write_json
from distortion_graph.cli.options import Quiet, Verbose
from distortion_graph.cli.progress import WorkTalk

if TYPE_CHECKING:
    from rich.table import Table

    from distortion_graph.datasets.info import DatasetInfo, LabelInfo, SplitInfo

_SIZES = 4


def dataset_info(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The folder of a data set.")],
    json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON on standard output.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the statistics of a data set of the published layout.

    Pictures and regions by split, labels by type and severity with mean scores, how comparisons
    are distributed over the easy, medium, hard and all pairs, scores, sizes, licences.

    \b
    Examples:
      distortion-graph dataset info my-set
      distortion-graph dataset info my-set --json | jq .total.regions_mean

    Exit codes: 0 done, 2 ROOT or a file in it is at fault (one line says what; `dataset check`
    finds everything), 1 a defect of the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)
    from distortion_graph.datasets.info import dataset_info as count

    with WorkTalk(talk) as work:
        info = count(root, progress=work.follow("counting", "files"))
    if json:
        write_json(json_module.dumps(info.to_json(), ensure_ascii=False, allow_nan=False))
        return
    from distortion_graph.cli.tables import comparison_table

    tables = [_splits(info), _labels(info), _means(info), comparison_table(info.comparisons)]
    for table in (*tables, _scores(info), *([_versions(info)] if verbose else [])):
        talk.show(table)
        talk.say("")
    for line in _lines(info):
        talk.say(line)


def _splits(info: DatasetInfo) -> Table:
    from distortion_graph.cli.tables import count_table

    columns = ("pictures", "images", "regions", "mean", "max", "no mask", "relations")
    table = count_table("split", columns)
    for name, split in info.splits.items():
        table.add_row(name, *_split_cells(split))
    if len(info.splits) > 1:
        table.add_section()
        table.add_row("all", *_split_cells(info.total))
    return table


def _split_cells(split: SplitInfo) -> list[str]:
    counts = (split.pictures, split.images, split.regions)
    more = (split.regions_max, split.without_mask, split.relations)
    return [*map(str, counts), f"{split.regions_mean:.1f}", *map(str, more)]


def _severities(info: DatasetInfo) -> list[str]:
    return list(dict.fromkeys(row.severity for row in info.labels))


def _by_distortion(info: DatasetInfo) -> Iterator[tuple[str, dict[str, LabelInfo]]]:
    """Every distortion with its rows by severity."""
    for label in dict.fromkeys(row.distortion for row in info.labels):
        yield label, {row.severity: row for row in info.labels if row.distortion == label}


def _labels(info: DatasetInfo) -> Table:
    """Regions of each distortion and severity, and how many of them are in mixed versions."""
    from distortion_graph.cli.tables import count_table, spaced

    severities = _severities(info)
    table = count_table("regions", [*severities, "single type", "mixed"])
    for label, rows in _by_distortion(info):
        counts = [rows[s].single + rows[s].mixed if s in rows else 0 for s in severities]
        parts = sum(r.single for r in rows.values()), sum(r.mixed for r in rows.values())
        table.add_row(spaced(label), *(str(n or "–") for n in (*counts, *parts)))
    return table


def _means(info: DatasetInfo) -> Table:
    from distortion_graph.cli.tables import count_table, spaced

    severities = _severities(info)
    table = count_table("mean score", severities)
    for label, rows in _by_distortion(info):
        means = [rows[s].score_mean if s in rows else None for s in severities]
        table.add_row(spaced(label), *("–" if mean is None else f"{mean:.3f}" for mean in means))
    return table


def _scores(info: DatasetInfo) -> Table:
    """The histogram of region scores, with bars."""
    from distortion_graph.cli.tables import count_table

    table = count_table("score", ["regions"])
    table.add_column("", no_wrap=True)
    largest = max(*info.score_deciles, 1)
    for k, count in enumerate(info.score_deciles):
        table.add_row(
            f"{k / 10:.1f} … {(k + 1) / 10:.1f}", str(count), "█" * (30 * count // largest)
        )
    return table


def _versions(info: DatasetInfo) -> Table:
    from distortion_graph.cli.tables import count_table, spaced

    table = count_table("version", ["pictures", "mean region score", "mean scene score"])
    for row in info.versions:
        means = (row.region_score_mean, row.scene_score_mean)
        cells = ("–" if mean is None else f"{mean:.3f}" for mean in means)
        table.add_row(spaced(row.version), str(row.pictures), *cells)
    return table


def _lines(info: DatasetInfo) -> Iterator[str]:
    """What is no table."""
    from distortion_graph.cli.tables import spaced

    if info.sizes:
        shown = ", ".join(f"{w}×{h} ({count})" for w, h, count in info.sizes[:_SIZES])
        more = len(info.sizes) - _SIZES
        yield f"sizes: {shown}{f' and {more} more' if more > 0 else ''}"
    if info.total.relations:
        yield f"relations: {info.total.relations} of {info.predicates} predicates"
    if info.together:
        counts = ", ".join(f"{n} have {number}" for number, n in info.together.items())
        beside = ", ".join(f"{spaced(label)} {n}" for label, n in info.also.items())
        yield f"regions with several distortions: {counts}; beside the first: {beside}"
    yield from _fact_lines(info.facts)


def _fact_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    if not facts:
        yield "no dataset.json: nothing is known of licences, seed and metric"
        return
    if judged := facts.get("judged"):
        who = "1 person" if judged["people"] == 1 else f"{judged['people']} people"
        graphs = counted(judged["graphs"], "graph")
        regions = counted(judged["regions"], "region")
        yield f"{regions} judged by {who}, from {graphs}; there are no scores"
        return
    metric = facts["metric"]
    yield f"metric: {metric.get('name', '?')} {metric.get('version', '')}".rstrip()
    recipe = f"{facts['recipe_name']} {facts['recipe']}"
    yield f"seed {facts['seed']}, recipe {recipe}, images {facts['image']}"
    for source in facts["sources"]:
        others = sum(source["left_out"].values())
        counts = (
            (source["skipped"], "left out"),
            (source["noted"], "with notes"),
            (others, "other file" if others == 1 else "other files"),
        )
        told = "".join(f", {count} {what}" for count, what in counts if count)
        licence = source["licence"] or "no licence given"
        what = f"source {source['name']} ({source['kind']})"
        yield f"{what}: {counted(source['pictures'], 'picture')}{told}; {licence}"
