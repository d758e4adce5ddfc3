"""One pair at the gate: pictures in; findings, an overlay and a report out."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from distortion_graph.base.errors import DistortionGraphError, ModelError, OutputError, PolicyError
from distortion_graph.base.files import atomic_write_bytes, encode_image
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.worker import NO_MEMORY, file_name, loaded_picture
from distortion_graph.gate.amounts import Finding, amounts_of, findings_of
from distortion_graph.gate.baseline import Baseline, moves, values_of
from distortion_graph.gate.policy import Policy
from distortion_graph.gate.seeing import Seen, see
from distortion_graph.graph import DistortionGraph, Side
from distortion_graph.measure.differences import changed_pixels
from distortion_graph.pictures.images import Picture, rgb_sha256
from distortion_graph.pictures.pairs import pair_warnings
from distortion_graph.predict.sizes import with_pixels

NOISE_QUALITY = 98
"""JPEG quality of the re-encoded targets that tell what noise is."""


@dataclass(frozen=True)
class GateJob:
    """What all pairs of a run have in common.

    Overlays, reports and graphs of pairs that fail are written into the folder `out`, where there
    is one. With `record` nothing is judged, and noise is measured.
    """

    policy: Policy
    out: Path | None = None
    baseline: Baseline | None = None
    record: bool = False


@dataclass(frozen=True)
class Verdict:
    """What came of a pair: it passed where it has neither findings nor an error.

    `error` says in one line why the pair could not be compared. `values` and `moved` are for a
    baseline. `files` are those written of it, by what they are.
    """

    pair: PairTask
    findings: tuple[Finding, ...] = ()
    error: str | None = None
    notes: tuple[str, ...] = ()
    values: Mapping[str, float] | None = None
    moved: tuple[tuple[str, float], ...] = ()
    files: Mapping[str, str] | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the pair keeps the policy."""
        return not self.findings and self.error is None


@dataclass(frozen=True)
class Drawn:
    """Files to look at: the overlay as PNG, the report as HTML, the graph."""

    overlay: bytes
    report: str
    graph: DistortionGraph


def check_task(job: GateJob, task: PairTask) -> Verdict:
    """Hold a pair against the policy and write what shows its findings.

    A pair that cannot be read has an error of its own; a policy, a model or a disk that cannot be
    used ends the run.
    """
    started = time.monotonic()
    verdict = _checked(job, task)
    return replace(verdict, seconds=time.monotonic() - started)


def _checked(job: GateJob, task: PairTask) -> Verdict:
    notes: list[str] = []
    how, rules = job.policy.compare.comparing(), job.policy.rules_of(task.id)
    try:
        pair = loaded_picture(how, task.anchor), loaded_picture(how, task.target)
        original: Picture | Side | None = how.reference
        if task.reference is not None:
            original = loaded_picture(how, task.reference)
        notes += pair_warnings(*pair)
        regions = how.regions if task.regions is None else task.regions
        seen = see(how, rules, pair, original=original, regions=regions, warn=notes.append)
        amounts = amounts_of(seen, rules)
        values = values_of(amounts, seen.ids_stay)
        moved: tuple[tuple[str, float], ...] = ()
        if job.record:
            again = see(how, rules, _noisy(pair), original=original, regions=regions)
            moved = tuple(moves(values, values_of(amounts_of(again, rules), again.ids_stay)))
    except (ModelError, OutputError, PolicyError):
        raise
    except (DistortionGraphError, MemoryError) as error:
        reason = NO_MEMORY if isinstance(error, MemoryError) else str(error)
        return Verdict(task, error=reason, notes=tuple(notes))
    if job.record:
        return Verdict(task, notes=tuple(notes), values=values, moved=moved)
    recorded = None if job.baseline is None else job.baseline.pairs.get(task.id)
    fixed = None if job.policy.baseline is None else job.policy.baseline.tolerance
    tolerance = None if job.baseline is None else job.baseline.tolerance(task.id, fixed)
    findings = tuple(findings_of(amounts, None if recorded is None else recorded.values, tolerance))
    files = None if job.out is None else _write(job.out, task, seen, findings)
    return Verdict(task, findings, notes=tuple(notes), values=values, files=files)


def _noisy(pair: tuple[Picture, Picture]) -> tuple[Picture, Picture]:
    """The pair with its target re-encoded as a JPEG of high quality.

    Pixels that are equal in both pictures stay so: whoever makes them makes them exactly.
    """
    data = io.BytesIO()
    anchor, target = pair
    Image.fromarray(target.rgb).save(data, "JPEG", quality=NOISE_QUALITY, subsampling=0)
    with Image.open(data) as coded:
        rgb = np.array(coded.convert("RGB"))
    if anchor.size == target.size:
        exact = ~changed_pixels(anchor.rgb, target.rgb)
        rgb[exact] = target.rgb[exact]
    return anchor, replace(with_pixels(target, rgb), sha256=rgb_sha256(rgb), sha256_of="rgb")


def _write(out: Path, task: PairTask, seen: Seen, findings: Sequence[Finding]) -> dict[str, str]:
    """Write what shows the findings of a pair; the names of the files by what they are.

    Of a pair without findings, what an earlier run wrote is removed.
    """
    name = file_name(task.id)
    paths = {
        "overlay": out / "overlays" / f"{name}.png",
        "report": out / "reports" / f"{name}.html",
        "graph": out / "graphs" / f"{name}.json",
    }
    drawn = draw(seen, findings) if findings else None
    if drawn is None:
        for path in paths.values():
            path.unlink(missing_ok=True)
        return {}
    atomic_write_bytes(paths["overlay"], drawn.overlay)
    atomic_write_bytes(paths["report"], drawn.report.encode())
    atomic_write_bytes(paths["graph"], (drawn.graph.to_json() + "\n").encode())
    return {what: str(path) for what, path in paths.items()}


def draw(seen: Seen, findings: Sequence[Finding]) -> Drawn | None:
    """What shows the findings of a pair; None where there is no graph to be drawn.

    The overlay has the regions and the places of findings alone, the report has the whole graph.
    """
    from distortion_graph.report.html.page import ReportPicture, report_page
    from distortion_graph.report.overlay import overlay
    from distortion_graph.report.sources import FoundPicture, file_of

    if seen.graph is None:
        return None
    pictures = [
        # The file's own bytes have other pixels where the picture was cut or scaled.
        file_of(shown) if shown is read else FoundPicture(shown, None, None)
        for shown, read in zip(seen.shown, seen.pair, strict=True)
    ]
    anchor, target = (
        ReportPicture.of(found, info)
        for found, info in zip(pictures, (seen.graph.anchor, seen.graph.target), strict=True)
    )
    ids = {finding.region for finding in findings}
    broken = tuple(region for region in seen.graph.regions if region.id in ids)
    framed = [box for finding in findings if finding.rule == "differs" for box in finding.boxes]
    drawn = overlay(
        seen.graph.model_copy(update={"regions": broken, "alone": ()}),
        seen.shown[0].rgb,
        seen.shown[1].rgb,
        framed=framed,
    )
    page = report_page(seen.graph, (anchor, target))
    return Drawn(encode_image("overlay.png", drawn), page, seen.graph)
