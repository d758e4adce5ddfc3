"""How far a model's scores go with people's opinion of pictures, and what maps would make of them.

    python benchmarks/opinion.py FOLDER
    python benchmarks/opinion.py FOLDER --layout tid2013 --model runs/first/model --json found.json

FOLDER and `--layout` are those of `distortion-graph bench human`, which prints the same figures.
Here the model's score and HaarPSI stand once more (`mapped`) on the scale of opinions, by maps for
the labels that the model gives, each fitted without the content that it is asked about. HaarPSI's
row says what the labels alone are worth, were the score perfect.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from model_benchmark import measure_model

from distortion_graph.bench.human.fitting import left_out_opinions
from distortion_graph.bench.human.measuring import SCORE, judge
from distortion_graph.bench.human.opinions import LAYOUT_NAMES, read_opinions
from distortion_graph.bench.human.results import human_result, human_tables
from distortion_graph.bench.tables import markdown
from distortion_graph.predict.session import Model

MAPPED = (SCORE, "HaarPSI")


def measured(options: argparse.Namespace, model: Model) -> tuple[dict[str, Any], str]:
    """The figures as plain values and as Markdown, which is printed."""
    judged = judge(model, read_opinions(options.folder, options.layout))
    mapped = {f"{name}, mapped": left_out_opinions(judged, name) for name in MAPPED}
    judged = replace(judged, given={**judged.given, **mapped})
    result = human_result(judged, None, model.identity.info, of=options.folder.resolve().name)
    text = "\n".join(map(markdown, human_tables(result)))
    print(text)
    return result.model_dump(mode="json", exclude={"model"}), text


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="a set of pairs with opinions")
    parser.add_argument("--layout", choices=LAYOUT_NAMES, default="csv")
    measure_model(parser, measured)


if __name__ == "__main__":
    main()
