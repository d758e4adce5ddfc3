"""A complete root, built again: everything is checked, and damaged pictures are made again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.description import (
    BuildDescription,
    DatasetDescription,
    read_description,
)
from distortion_graph.datasets.layout import DEPTH_FOLDER, MANIFEST_FILE, SPLITS
from distortion_graph.datasets.make.finish import files_for_all, manifest_lines
from distortion_graph.datasets.make.listing import Listing
from distortion_graph.datasets.make.options import BuildReport, Reporter
from distortion_graph.datasets.make.root import State, check_same
from distortion_graph.datasets.make.work import (
    Job,
    Kept,
    Known,
    Made,
    Task,
    file_digest,
    not_what_it_was,
    work_on,
)
from distortion_graph.datasets.manifest import FileLine, parse_line
from distortion_graph.work.processes import local_processes


def check_complete(job: Job, listing: Listing, report: Reporter, started: float) -> BuildReport:
    """Check every file against its digest.

    Raises DatasetError where the root was built with other options or of other pictures, where a
    file that stands for all pictures is damaged, and where a picture that was made again is not
    what it was, as with other library versions.
    """
    description = read_description(job.root)
    if description is None or description.build is None:
        raise DatasetError(f"{job.root}: has lost its dataset.json; build into a new folder")
    _check_build(job, listing, description, description.build)
    manifest = _Manifest(job.root / MANIFEST_FILE)
    try:
        (job.root / DEPTH_FOLDER).mkdir(exist_ok=True)
    except OSError as e:
        raise OutputError(f"{job.root}: cannot be written ({e.strerror})") from e
    versions, repaired = len(job.options.versions), 0
    report.begin("checking", len(manifest.stems) * versions, "images")
    with local_processes(job, job.options.workers, option="--workers") as executor:
        for task, result in executor.run(work_on, manifest.tasks(listing)):
            if not isinstance(result, Kept):
                lines = ""
                if isinstance(result, Made):
                    recipe = job.options.describe_recipe().id
                    lines = "".join(manifest_lines(job, task.listed, result.record, recipe))
                if lines.encode() != manifest.text(task.listed.stem):
                    raise not_what_it_was(job, task.listed)
                repaired += 1
            report.advance(versions)
    report.end()
    return BuildReport(
        pictures={split: part.pictures for split, part in description.splits.items()},
        skipped=sum(source.skipped for source in description.sources),
        made=repaired,
        kept=len(manifest.stems) - repaired,
        images=repaired * versions,
        seconds=time.monotonic() - started,
        complete_before=True,
        repaired=repaired,
        noted=sum(source.noted for source in description.sources),
        left_out=sum(map(len, listing.left_out)),
    )


def _check_build(
    job: Job, listing: Listing, description: DatasetDescription, build: BuildDescription
) -> None:
    check_same(job.root, State.complete, build.options, job.options.facts(job.sources))
    if build.listing != listing.digest:
        raise DatasetError(
            f"{job.root}: was made of other pictures or annotations than are in its sources "
            "now; put them back, or choose a new folder"
        )
    # The names are put together here: those in dataset.json might lead anywhere.
    for path in files_for_all(job, (split for split in SPLITS if split in description.splits)):
        digest = build.files.get(path.relative_to(job.root).as_posix())
        if digest is None or file_digest(path)[0] != digest:
            raise DatasetError(
                f"{path}: is not what was built (missing or changed); build into a new folder"
            )


class _Manifest:
    """Where each picture's lines stand in a manifest that is known to be whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.stems: dict[str, tuple[int, int]] = {}
        end = 0
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                start, end = end, end + len(line)
                entry = parse_line(line, f"{path}: line {number}")
                if isinstance(entry, FileLine):
                    stem = Path(entry.picture).stem
                    self.stems[stem] = (self.stems.get(stem, (start, 0))[0], end)

    def text(self, stem: str) -> bytes:
        """All lines of a picture."""
        start, end = self.stems[stem]
        with self._path.open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def tasks(self, listing: Listing) -> Iterator[Task]:
        """One for every picture in the root, each known."""
        for listed in listing.pictures:
            if listed.stem not in self.stems:
                continue
            text = self.text(listed.stem)
            lines = [parse_line(line, str(self._path)) for line in text.splitlines()]
            files = [line for line in lines if isinstance(line, FileLine)]
            origin = files[0].facts
            inputs = (origin["source_sha256"], *origin["regions_sha256"])
            known = {line.version: (line.sha256, line.bytes) for line in files}
            yield Task(listed, files[0].split, Known(inputs, known), finished=True)
