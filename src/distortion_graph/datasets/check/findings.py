"""What a check finds, and all of it together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from distortion_graph.base.errors import DatasetError

Severity = Literal["fault", "warning"]

KINDS: Mapping[str, str] = {
    "unfinished": "an unfinished build",
    "description": "dataset.json and what is there",
    "missing-folder": "missing folders",
    "extra-folder": "folders that do not belong there",
    "missing-file": "missing files",
    "missing-entry": "pictures without labels in a version",
    "extra-file": "files that do not belong there",
    "picture": "pictures that cannot be read",
    "note": "pictures that are not taken as they are stored",
    "picture-size": "pictures of another size than the clean one",
    "checksum": "files of other bytes than recorded",
    "manifest": "the manifest and what is there",
    "stats": "labels that cannot be read",
    "label": "unknown labels",
    "contradiction": "labels that contradict each other",
    "also": "further distortions that do not fit",
    "judged": "what people judged",
    "type": "single-type pictures with another type",
    "score": "scores that are not in [0, 1]",
    "clean-score": "clean regions whose score is not 1",
    "mask": "masks that cannot be read",
    "mask-size": "masks of another size than their picture",
    "empty-mask": "masks without a pixel",
    "box": "boxes outside their picture",
    "box-mask": "boxes that are not their mask's",
    "relation": "relations that do not fit the regions",
    "regions-differ": "regions that differ between versions of a picture",
    "index": "entries of the lists of pairs",
    "duplicate": "the same picture in two splits",
    "near-duplicate": "pictures in two splits that look the same",
    "same-name": "one name in two splits",
    "balance": "labels that do not occur",
}
"""What can be found, in the order in which it is told, with a heading for each."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or (a warning) that is worth a look.

    `kind` is one of `KINDS`; `place` is a file or folder from the root, with "/", and what is in
    it; `text` says what was found and what was expected.
    """

    kind: str
    severity: Severity
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass
class FindingLog:
    """Findings in the making."""

    findings: list[Finding] = field(default_factory=list)

    def fault(self, kind: str, place: str, text: str) -> None:
        """Something is wrong."""
        self.findings.append(Finding(kind, "fault", place, text))

    def warn(self, kind: str, place: str, text: str) -> None:
        """Something is worth a look."""
        self.findings.append(Finding(kind, "warning", place, text))

    def refused(self, kind: str, place: str, error: DatasetError) -> None:
        """What a reader says of it, in a line that begins with the place."""
        self.fault(kind, place, str(error).removeprefix(f"{place}: "))


@dataclass(frozen=True)
class Balance:
    """How often labels occur: `regions` by distortion and severity over all versions of all
    pictures, `hard` by comparison over both orders of the two mixed versions."""

    regions: Mapping[str, Mapping[str, int]]
    hard: Mapping[str, int]


@dataclass(frozen=True)
class CheckReport:
    """All that was found, and how much was looked at.

    `pictures` are clean ones by split, `files` picture files with all versions. `quick` says that
    only their headers were read: damage behind them, checksums and copies were not looked for.
    """

    root: str
    quick: bool
    versions: tuple[str, ...]
    pictures: Mapping[str, int]
    files: int
    findings: tuple[Finding, ...]
    balance: Balance

    @property
    def faults(self) -> int:
        """Number of findings that are wrong; 0 for a whole data set."""
        return sum(f.severity == "fault" for f in self.findings)

    @property
    def warnings(self) -> int:
        """Number of findings that are worth a look."""
        return len(self.findings) - self.faults

    def groups(self, severity: Severity) -> Iterator[tuple[str, list[Finding]]]:
        """Kind and findings of that severity, in the order of `KINDS`."""
        for kind in KINDS:
            group = [f for f in self.findings if (f.kind, f.severity) == (kind, severity)]
            if group:
                yield kind, group

    def to_json(self) -> dict[str, Any]:
        """A value for `json.dumps`."""
        return {
            "root": self.root,
            "quick": self.quick,
            "versions": list(self.versions),
            "pictures": dict(self.pictures),
            "files": self.files,
            "faults": self.faults,
            "warnings": self.warnings,
            "findings": [
                {"kind": f.kind, "severity": f.severity, "place": f.place, "text": f.text}
                for f in self.findings
            ],
            "balance": {
                "regions": {k: dict(v) for k, v in self.balance.regions.items()},
                "hard": dict(self.balance.hard),
            },
        }
