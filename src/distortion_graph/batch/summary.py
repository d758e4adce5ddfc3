"""What a batch comes to: a table per method, with intervals, and paired tests between methods.

A *method* is the value of the column `method` (or of another one); without it there is one. Means
are over pairs; intervals are of a bootstrap over pairs (Efron 1979), 95 %. Methods are compared on
the pairs that they share, by their anchors: the mean difference of the targets' scores, its
interval, and the p-value of Wilcoxon's signed-rank test (1945).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import BatchError
from distortion_graph.batch.pairs import METHOD, PairTask
from distortion_graph.batch.results import part_rows
from distortion_graph.batch.rows import DONE, PAIR_COLUMNS, further_columns

DRAWS = 1000
_EXACT_PAIRS = 20_000
"""Of more pairs the interval is the normal one: a bootstrap would say the same and take minutes."""
_ALL = "all"


@dataclass(frozen=True)
class Mean:
    """A mean over pairs, its 95 % interval (None of fewer than two) and how many there were."""

    value: float
    interval: tuple[float, float] | None
    pairs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean | None:
        """None of no values."""
        if not len(values):
            return None
        array = np.asarray(values, np.float64)
        return cls(float(array.mean()), _interval(array), len(array))

    def __str__(self) -> str:
        span = "" if self.interval is None else f" [{self.interval[0]:.3f}, {self.interval[1]:.3f}]"
        return f"{self.value:.3f}{span}"


@dataclass(frozen=True)
class MethodSummary:
    """Of a method: its pairs, those that failed, means by name, and the share of regions under
    each distortion of the target, with the mean score there.
    """

    method: str
    pairs: int
    failed: int
    means: Mapping[str, Mean]
    distortions: Mapping[str, tuple[float, float | None]]


@dataclass(frozen=True)
class MethodDifference:
    """Two methods on the pairs that they share: mean score of the first less the second's."""

    first: str
    second: str
    difference: Mean
    p: float | None


@dataclass(frozen=True)
class Summary:
    """Methods in the order of their names, and each two of them."""

    methods: tuple[MethodSummary, ...]
    differences: tuple[MethodDifference, ...]


MEANS: Mapping[str, str] = {
    "target_score": "score",
    "margin": "margin of the anchor",
    "haarpsi": "HaarPSI",
    "ssim": "SSIM",
    "psnr_db": "PSNR dB",
    "delta_e": "ΔE",
}
"""Columns of the pairs' table whose means are shown, and what they are called."""


def check_by(by: str, pairs: Sequence[PairTask]) -> None:
    """Raise BatchError, before anything is compared, for a column that the results cannot have."""
    own = further_columns(pairs)
    if by not in own and by not in PAIR_COLUMNS and by != METHOD:
        raise BatchError(
            f"--by {by}: no column of that name; the pairs have {', '.join(own) or 'none'} beside "
            "those of docs/batch.md"
        )


def summarise(out: Path, by: str = METHOD) -> Summary:
    """Read the tables of a batch; raises BatchError for a column `by` that there is not."""
    values: dict[str, dict[str, list[float]]] = {}
    counts: dict[str, list[int]] = {}
    scores: dict[str, dict[str, float]] = {}
    method_of: dict[str, str] = {}
    for row in part_rows(out, "pairs"):
        if by not in row and by != METHOD:
            raise BatchError(f"{out}: no column {by!r}, found {', '.join(row)}")
        method = str(row.get(by) if row.get(by) is not None else _ALL)
        count = counts.setdefault(method, [0, 0])
        count[0] += 1
        if row["status"] != DONE:
            count[1] += 1
            continue
        method_of[row["id"]] = method
        for name in MEANS:
            if row[name] is not None:
                values.setdefault(method, {}).setdefault(name, []).append(row[name])
        if row["target_score"] is not None:
            scores.setdefault(method, {})[row["anchor"]] = row["target_score"]
    shares = _distortions(out, method_of)
    methods = tuple(
        MethodSummary(
            method,
            counts[method][0],
            counts[method][1],
            {
                name: mean
                for name in MEANS
                if (mean := Mean.of(values.get(method, {}).get(name, []))) is not None
            },
            shares.get(method, {}),
        )
        for method in sorted(counts)
    )
    return Summary(methods, tuple(_differences(scores)))


def markdown(summary: Summary) -> str:
    """The tables as Markdown."""
    return "\n\n".join(_markdown_table(*table) for table in plain_tables(summary)) + "\n"


def latex(summary: Summary) -> str:
    """The tables as LaTeX, with booktabs."""
    return "\n\n".join(_latex_table(*table) for table in plain_tables(summary)) + "\n"


def _distortions(
    out: Path, method_of: Mapping[str, str]
) -> dict[str, dict[str, tuple[float, float | None]]]:
    found: dict[str, dict[str, list[float | None]]] = {}
    columns = ["pair", "target_distortion", "target_score"]
    for row in part_rows(out, "regions", columns):
        label = row["target_distortion"]
        if label is not None:
            by_label = found.setdefault(method_of[row["pair"]], {})
            by_label.setdefault(label, []).append(row["target_score"])
    shares: dict[str, dict[str, tuple[float, float | None]]] = {}
    for method, labels in found.items():
        total = sum(map(len, labels.values()))
        most_first = sorted(labels.items(), key=lambda item: -len(item[1]))
        shares[method] = {label: (len(all_) / total, _mean(all_)) for label, all_ in most_first}
    return shares


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _differences(scores: Mapping[str, Mapping[str, float]]) -> Iterable[MethodDifference]:
    for first, second in itertools.combinations(sorted(scores), 2):
        shared = sorted(scores[first].keys() & scores[second].keys())
        apart = np.array([scores[first][a] - scores[second][a] for a in shared], np.float64)
        difference = Mean.of(apart.tolist())
        if difference is not None:
            yield MethodDifference(first, second, difference, _wilcoxon(apart))


def _wilcoxon(apart: NDArray[np.float64]) -> float | None:
    """The two-sided p-value; None where no pair differs."""
    from scipy.stats import wilcoxon

    if not np.any(apart):
        return None
    return float(wilcoxon(apart).pvalue)


def _interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    count = len(values)
    if count < 2:
        return None
    if count > _EXACT_PAIRS:
        half = 1.959964 * float(values.std(ddof=1)) / count**0.5
        return float(values.mean()) - half, float(values.mean()) + half
    rng = np.random.default_rng(0)
    # A few draws at a time, so that memory does not grow with the pairs.
    means = [values[rng.integers(count, size=count)].mean() for _ in range(DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


Table: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A title, the names of columns, and rows of texts."""


def plain_tables(summary: Summary) -> Iterator[Table]:
    """The tables of a summary: methods, distortions, and methods compared."""
    shown = [n for n in MEANS if any(n in m.means for m in summary.methods)]
    yield (
        "Methods",
        ["method", "pairs", "failed", *(MEANS[name] for name in shown)],
        [
            [
                m.method,
                str(m.pairs),
                str(m.failed),
                *(str(m.means[n]) if n in m.means else "–" for n in shown),
            ]
            for m in summary.methods
        ],
    )
    labels = list(dict.fromkeys(label for m in summary.methods for label in m.distortions))
    if labels:
        yield (
            "Share of regions and mean score by distortion of the target",
            ["distortion", *(m.method for m in summary.methods)],
            [
                [label, *(_share(m.distortions.get(label)) for m in summary.methods)]
                for label in labels
            ],
        )
    if summary.differences:
        yield (
            "Methods compared on the pairs that they share",
            ["first", "second", "pairs", "difference of scores", "p"],
            [
                [
                    d.first,
                    d.second,
                    str(d.difference.pairs),
                    str(d.difference),
                    "–" if d.p is None else f"{d.p:.2g}",
                ]
                for d in summary.differences
            ],
        )


def _share(found: tuple[float, float | None] | None) -> str:
    if found is None:
        return "–"
    share, score = found
    return f"{100 * share:.1f} %" + ("" if score is None else f" ({score:.2f})")


def _markdown_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"**{title}**", "", _line(head), "|---" * len(head) + "|", *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _latex_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = "\n".join(" & ".join(map(_latex, row)) + r" \\" for row in rows)
    return (
        f"% {_latex(title)}\n"
        f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}\n\\toprule\n"
        f"{' & '.join(map(_latex, head))} \\\\\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}"
    )


_ESCAPES = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "Δ": r"$\Delta$",
    "\n": " ",
}


def _latex(text: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in text)
