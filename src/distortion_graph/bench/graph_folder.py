"""Anyone's predictions: a folder of graphs, one file per pair, named after its key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from distortion_graph.base.errors import DatasetError, GraphError, VocabularyError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, answers_of_regions
from distortion_graph.datasets.layout import PairKey, check_tag
from distortion_graph.datasets.samples import Sample
from distortion_graph.formats.files import read_graph_and_form

Missing = Literal["error", "miss", "skip"]
"""A pair without a file: stop, count all its regions as missed, or leave the pair out."""


def graph_name(key: PairKey) -> str:
    """`<anchor>__<target>__<tag>.json`; raises DatasetError for a name that leaves its folder."""
    name = f"{key.anchor}__{key.target}__{key.tag}.json"
    return check_tag(name, "graph of a pair")


class FolderRun:
    """Graphs in native or published form, scored as they stand.

    Regions are matched by id, the region's index in the data set. The published form numbers its
    own nodes, so it must have exactly the pair's regions, in their order. Regions that the pair
    does not have are counted in `extra_regions`, files that were not there in `missing_files`.
    """

    def __init__(
        self, name: str, folder: Path, vocabulary: Vocabulary, *, missing: Missing = "error"
    ) -> None:
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder, expected one of predicted graphs")
        self.name, self.folder, self.vocabulary, self.missing = name, folder, vocabulary, missing
        self.seconds: list[float] = []
        self.extra_regions = 0
        self.missing_files = 0

    def check(self, keys: Sequence[PairKey]) -> None:
        """Raise DatasetError before any work where files are missing that may not be."""
        absent = [key for key in keys if not (self.folder / graph_name(key)).is_file()]
        if absent and (self.missing == "error" or len(absent) == len(keys)):
            advice = "" if len(absent) == len(keys) else "; --missing miss or skip goes on without"
            raise DatasetError(
                f"{self.folder}: no file {graph_name(absent[0])} ({len(absent)} of the "
                f"{len(keys)} pairs have none), expected <anchor>__<target>__<picture>.json for "
                f"every pair{advice}"
            )

    def answer(self, sample: Sample) -> Answers | None:
        """What the pair's file says; None for a missing file that is to be skipped."""
        path = self.folder / graph_name(sample.key)
        if path.is_file():
            answers, extra = self._read(path, sample)
            self.extra_regions += extra
            return answers
        self.missing_files += 1
        if self.missing == "error":
            raise DatasetError(f"{path}: no such file, expected the graph of this pair")
        return None if self.missing == "skip" else Answers.none(len(sample.regions))

    def answer_swapped(self, sample: Sample) -> Answers | None:
        """What the file of the swapped pair says; None where there is none."""
        key = sample.key
        path = self.folder / graph_name(PairKey(key.target, key.anchor, key.tag))
        return self._read(path, sample)[0] if path.is_file() else None

    def _read(self, path: Path, sample: Sample) -> tuple[Answers, int]:
        """The file's answers for the sample's regions, and how many more regions it has."""
        graph, form = read_graph_and_form(path, self.vocabulary)
        ids: Sequence[int] = [region.id for region in graph.regions]
        if form == "published":
            # Its ids are places in the file's own list.
            if len(ids) != len(sample.regions):
                raise GraphError(
                    f"{path}: the published form has {len(ids)} regions, expected the "
                    f"{len(sample.regions)} of the pair, in their order; the native form may leave "
                    "regions out"
                )
            ids = sample.regions.ids
        by_id = dict(zip(ids, graph.regions, strict=True))
        regions = [by_id.get(region_id) for region_id in sample.regions.ids]
        try:
            answers = answers_of_regions(regions, self.vocabulary)
        except VocabularyError as error:
            raise GraphError(f"{path}: {error}") from error
        return answers, len(by_id) - sum(region is not None for region in regions)
