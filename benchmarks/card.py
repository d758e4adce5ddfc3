"""Write the figures of the shipped model into its card and the README.

    python benchmarks/card.py runs/card

FOLDER has what `make card` measures, a file each: protocol.json and wild.json (`bench --json`, the
first one with --reference), and the JSON or printed text of the scripts. What stands between
the two marks of a page is replaced; a part that is not there is left out of the card, and told.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from distortion_graph.base.files import atomic_write_text
from distortion_graph.bench.figures import Figures
from distortion_graph.bench.resampling import HEADLINES
from distortion_graph.bench.results import BenchResult, RunResult, read_result
from distortion_graph.bench.tables import shown, shown_interval

ROOT = Path(__file__).parents[1]
CARD, README = ROOT / "src/distortion_graph/weights/MODEL_CARD.md", ROOT / "README.md"
FIRST, LAST = "<!-- figures: benchmarks/card.py -->", "<!-- end of figures -->"
LISTS = ("easy", "medium", "hard")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, with an empty line after it."""
    for cells in (heads, ["---"] * len(heads), *rows):
        yield "| " + " | ".join(cells) + " |"
    yield ""


def sides(*values: float | None) -> str:
    """`.912 / .640`."""
    return " / ".join(map(shown, values))


def share(cell: dict[str, Any] | None) -> str:
    """A share as the scripts on real pictures keep it."""
    if cell is None:
        return "–"
    interval = cell["interval"] and shown_interval(tuple(cell["interval"]))
    return " ".join(filter(None, (shown(cell["share"]), interval, f"({cell['regions']})")))


def runs(result: BenchResult, pairs: str) -> dict[str, RunResult]:
    """The runs over a list by what they are: model, told, majority, metric oracle."""
    listed = next(one for one in result.pairs if one.pairs == pairs)
    found = {run.name: run for run in listed.runs if run.kind == "baseline"}
    models = [run for run in listed.runs if run.kind == "model"]
    return found | dict(zip(("model", "told"), models, strict=False))


def headlines(figures: Figures, *, intervals: bool = False) -> list[str]:
    """Accuracy of distortion, severity and comparison, and SRCC."""
    cells = ((figures.value(n), figures.intervals.get(n) if intervals else None) for n in HEADLINES)
    return [f"{shown(value)} {shown_interval(span)}".strip() for value, span in cells]


def protocol(result: BenchResult) -> Iterator[str]:
    """The published protocol."""
    by_list = {name: runs(result, name) for name in LISTS}
    rows = []
    for name, found in by_list.items():
        figures = found["model"].figures
        rows.append([name, str(figures.pairs), *headlines(figures, intervals=True),
                     shown(figures.value("score.plcc"))])  # fmt: skip
        for baseline in ("majority", "metric oracle"):
            rows.append(
                [f"{name}, {baseline}", "", *headlines(found[baseline].figures)[:3], "", ""]
            )
    heads = ("pairs", "number", "distortion", "severity", "comparison", "score SRCC", "PLCC")
    yield from table(heads, rows)

    def row(name: str, of: Callable[[Figures], str], which: str = "model") -> list[str]:
        return [name, *(of(found[which].figures) for found in by_list.values())]

    def told(figures: Figures) -> str:
        return sides(*map(figures.value, HEADLINES[:2]))

    rows = [
        row("quadratic-weighted κ, severity / comparison",
            lambda f: sides(f.kappa["severity"], f.kappa["comparison"])),
        row("expected calibration error, distortion / severity / comparison",
            lambda f: sides(*f.calibration.values())),
        row("mean error of the score", lambda f: shown(f.score.averaged.mean_error)),
        row("answers exactly mirrored when the pair is swapped",
            lambda f: shown(f.swap_consistency)),
    ]  # fmt: skip
    if all("told" in found for found in by_list.values()):
        rows.append(row("given the original: distortion / severity", told, "told"))
    yield from table(("", *LISTS), rows)
    yield from pristine(result)
    f1 = by_list["hard"]["model"].figures.f1_by_label["distortion"]
    worst_first = sorted(f1.items(), key=lambda item: item[1])
    yield f"F1 by distortion on hard: {', '.join(f'{k} {shown(v, 2)}' for k, v in worst_first)}."
    yield ""


def pristine(result: BenchResult) -> Iterator[str]:
    """What is called clean of pictures that are."""
    for identity in result.identities.values():
        if (clean := identity.pristine) is not None:
            yield (
                f"Of regions that were never distorted {shown(clean.beside_itself)} are called "
                f"clean beside the clean picture itself, {shown(clean.beside_version)} beside a "
                "mixed version."
            )
            yield ""
            return


def wild(result: BenchResult) -> Iterator[str]:
    """The recipe `wild`."""
    yield (
        "The same pictures by the recipe `wild` (`dataset build --recipe wild`), with looks, "
        "misalignment and up to three distortions in a region:"
    )
    yield ""
    rows = []
    for name in LISTS:
        figures = runs(result, name)["model"].figures
        found = figures.several
        several = (
            (found.mean_average_precision, found.exact_sets, found.both_named) if found else ()
        )
        rows.append([name, *headlines(figures), *map(shown, several)])
    heads = ("pairs", "distortion", "severity", "comparison", "score SRCC", "mAP of several",
             "exact sets", "both named, of two")  # fmt: skip
    yield from table(heads, rows)


def real(found: dict[str, Any]) -> Iterator[str]:
    """Real pictures."""
    yield (
        "Real pictures, *chosen on* (`benchmarks/real_pairs.py`, "
        "[definitions](../../../docs/benchmark.md#real-pictures)): shares of regions of the 3×3 "
        "grid, 95 % intervals over pictures, in parentheses the regions that were judged."
    )
    yield ""
    kinds = ("noise", "haze", "compression", "underexposed", "overexposed", "all exposures",
             "lens-blur", "motion-blur", "defocus-two-focuses", "all blur")  # fmt: skip
    columns: tuple[str, ...] = ("named", "reference clean", "reference better", "plainly wrong")
    yield from part(found.get("pairs"), "pairs", kinds, columns)
    columns = ("beside itself", "1 to 4 px off", "beside JPEG 75", "as JPEG 75")
    yield from part(found.get("pristine"), "clean pictures, called clean", None, columns)
    yield from part(found.get("unpaired"), "damaged pictures beside themselves", None, ("named",))
    columns = ("moderate", "severe")
    yield from part(found.get("damaged"), "damaged by us, beside themselves, named", None, columns)
    columns = ("steps that fall", "whole ladders that fall", "within 0.02 above 0.9")
    if ladders := found.get("ladders"):
        kept = {name: {k: v for k, v in row.items() if isinstance(v, dict)} for name, row in
                ladders.items()}  # fmt: skip
        yield from part(kept, "one distortion at rising strength", None, columns)
    if error := found.get("calibration error"):
        yield f"Calibration error of the distortion over these nodes: {shown(error['distortion'])}."
        yield ""


def part(
    rows: dict[str, dict[str, Any]] | None,
    title: str,
    wanted: Sequence[str] | None,
    columns: Sequence[str],
) -> Iterator[str]:
    """Rows of a part that was measured, those that are wanted or all."""
    if rows:
        names = [name for name in (wanted or rows) if name in rows]
        cells = ([name, *(share(rows[name].get(c)) for c in columns)] for name in names)
        yield from table((title, *columns), cells)


def opinion(found: dict[str, Any]) -> Iterator[str]:
    """What people think."""
    overall = found["overall"]
    yield (
        f"People's opinion, *chosen on* (`benchmarks/opinion.py`): agreement with the mean opinion "
        f"of {overall['pairs']} distorted pictures of {overall['contents']} contents; *mapped*: by "
        "maps to opinions that were fitted without the content they are asked about."
    )
    yield ""
    rows = (
        [name, f"{shown(row['srcc'])} {shown_interval(row['srcc_interval'])}", shown(row["plcc"]),
         shown(row["accuracy"])]
        for name, row in overall["agreement"].items()
    )  # fmt: skip
    yield from table(("", "SRCC", "PLCC", "the better of two"), rows)
    lower = shown(overall["reference_lower"])
    yield f"In {lower} of the pairs the reference scores lower than its distorted version."
    yield ""


def bound(found: dict[str, Any]) -> Iterator[str]:
    """The observer of severity."""
    whole = found["with clean"]
    yield (
        "An observer who holds the clean picture and is told the label (boosted trees, "
        f"`benchmarks/severity_bound.py`) reaches {shown(whole['accuracy'])} "
        f"{shown_interval(tuple(whole['interval']))} in severity on hard."
    )
    yield ""


def robustness(found: dict[str, float]) -> Iterator[str]:
    """Beyond the protocol."""
    yield (
        "Beyond the protocol (`benchmarks/robustness.py`; other origins: photographs of "
        "`benchmarks/free_pictures.py`, none trained on; unknown distortions: those of "
        "`benchmarks/unseen.py`):"
    )
    yield ""
    yield from table(("what", "figure"), ([name, shown(value)] for name, value in found.items()))


def large(found: dict[str, dict[str, float]]) -> Iterator[str]:
    """Large pictures."""
    rows = list(found.values())
    yield (
        f"Large pictures ({rows[0]['pictures']:.0f} photographs of other origin in 4×5 regions "
        "that are clean or have one of three distortions, `benchmarks/large_accuracy.py`), "
        "accuracy by true label:"
    )
    yield ""
    columns = [name for name in rows[0] if name != "pictures"]
    cells = ([name, *(shown(row[c]) for c in columns)] for name, row in found.items())
    yield from table(("", *columns), cells)


PARTS: dict[str, Callable[[Any], Iterator[str]]] = {
    "protocol": protocol,
    "bound": bound,
    "wild": wild,
    "real": real,
    "opinion": opinion,
    "robustness": robustness,
    "large": large,
}
TEXTS = {
    "panda_speed": "Cost of a pair on two cores (`benchmarks/panda_speed.py`):",
    "large_pictures": "Large pairs, with decoding and evidence (`benchmarks/large_pictures.py`):",
    "batch_throughput": "Many pairs (`benchmarks/batch_throughput.py`):",
}


def overview(result: BenchResult) -> Iterator[str]:
    """The figures of the README."""
    by_list = {name: runs(result, name) for name in LISTS}

    def row(name: str, found: dict[str, RunResult]) -> list[str]:
        most, oracle = (found[k].figures for k in ("majority", "metric oracle"))
        plain = (sides(*map(figures.value, HEADLINES[:3])) for figures in (most, oracle))
        return [name, *headlines(found["model"].figures), *plain]

    heads = ("pairs", "distortion", "severity", "comparison", "score",
             "always the commonest label", "from the true scores alone")  # fmt: skip
    yield from table(heads, (row(*item) for item in by_list.items()))
    if (told := by_list["hard"].get("told")) is not None:
        yield (
            "With the original at hand scores are measured ([docs/reference.md](docs/reference.md))"
            f": hard {sides(*map(told.figures.value, HEADLINES))}."
        )
    yield from pristine(result)


def on_real_pictures(found: dict[str, Any]) -> Iterator[str]:
    """Real pairs for the README."""
    kinds = {
        "haze": "haze",
        "compression": "codecs",
        "all exposures": "under- and overexposed",
        "all blur": "blur of lens, shake and focus",
        "noise": "sensor noise",
    }
    columns = ("named", "reference clean", "reference better")
    yield (
        "Real pictures beside a reference, few of each kind; they helped to choose the model (the "
        "model card has intervals):"
    )
    yield ""
    rows = ([kinds[k], *(shown((found["pairs"][k].get(c) or {}).get("share")) for c in columns)]
            for k in kinds if k in found["pairs"])  # fmt: skip
    yield from table(("regions of", *columns), rows)


def figures(folder: Path) -> Iterator[str]:
    """The lines between the marks."""
    for name, words in PARTS.items():
        path = folder / f"{name}.json"
        if not path.is_file():
            print(f"{path}: not there, left out of the card", file=sys.stderr)
        elif name in ("protocol", "wild"):
            yield from words(read_result(path))
        else:
            yield from words(json.loads(path.read_text("utf-8")))
    for name, title in TEXTS.items():
        path = folder / f"{name}.txt"
        if path.is_file():
            yield from (
                title,
                "",
                "```",
                *path.read_text("utf-8").strip("\n").split("\n"),
                "```",
                "",
            )
        else:
            print(f"{path}: not there, left out of the card", file=sys.stderr)


def put(page: Path, lines: Iterable[str]) -> None:
    """Write lines between the marks of a page."""
    before, found, rest = page.read_text("utf-8").partition(FIRST)
    _, ended, after = rest.partition(LAST)
    if not found or not ended:
        raise SystemExit(f"{page}: has no lines {FIRST} and {LAST}")
    text = "\n".join(lines).strip("\n")
    atomic_write_text(page, f"{before}{FIRST}\n\n{text}\n\n{LAST}{after}")


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--card", type=Path, default=CARD)
    parser.add_argument("--readme", type=Path, default=README)
    options = parser.parse_args()
    put(options.card, figures(options.folder))
    protocol, real_pictures = (options.folder / f"{name}.json" for name in ("protocol", "real"))
    lines: list[str] = []
    if protocol.is_file():
        lines += overview(read_result(protocol))
    if real_pictures.is_file():
        lines += on_real_pictures(json.loads(real_pictures.read_text("utf-8")))
    if lines:
        put(options.readme, lines)


if __name__ == "__main__":
    main()
