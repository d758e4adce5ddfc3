"""Average the weights of networks that began from one network.

    python benchmarks/mean_networks.py runs/mean chain=0.5 runs/whole=0.5

Each argument is the folder of a network, or of a run with its best network in it, and its weight;
the weights add up to 1. The settings, and the chain with its last link renamed, are those of the
last one: name the newest network last. A mean of networks far from each other is no network: use
those of one chain only, and measure the mean before it is shipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from distortion_graph.base.errors import DistortionGraphError, ModelError
from distortion_graph.training.chain import read_chain, weights_sha256, write_chain
from distortion_graph.training.checkpoint import load_network, network_folder, save_network


def parts_of(text: str) -> tuple[Path, float]:
    """A network's folder and its weight, of FOLDER=WEIGHT."""
    folder, _, weight = text.rpartition("=")
    try:
        share = float(weight)
    except ValueError:
        share = 0.0
    if not folder or not 0 < share < 1:
        raise argparse.ArgumentTypeError(
            f"expected FOLDER=WEIGHT with a weight between 0 and 1, got {text!r}"
        )
    return network_folder(Path(folder)), share


def mean_network(out: Path, parts: list[tuple[Path, float]]) -> None:
    """Write the mean of the networks, with the chain of the last one; raises ModelError."""
    networks = [load_network(folder) for folder, _ in parts]
    newest = networks[-1]
    for network, (folder, _) in zip(networks, parts, strict=True):
        if network.config != newest.config:
            raise ModelError(f"{folder}: not of one shape and vocabulary with {parts[-1][0]}")
    weights = [weight for _, weight in parts]
    states = [network.state_dict() for network in networks]
    mean = {
        name: _mean([state[name] for state in states], weights)
        if newest_value.is_floating_point()
        else newest_value
        for name, newest_value in states[-1].items()
    }
    save_network(out, newest, mean)
    *before, last = read_chain(parts[-1][0])
    named = {
        "name": f"{last.name}, weights averaged with those before",
        "sha256": weights_sha256(out),
        "best_score": None,
    }
    write_chain(out, [*before, last.model_copy(update=named)])


def _mean(values: list[Tensor], weights: list[float]) -> Tensor:
    summands = [value.double() * weight for value, weight in zip(values, weights, strict=True)]
    return torch.stack(summands).sum(0).to(values[-1].dtype)


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("out", type=Path, help="write the mean to this folder")
    parser.add_argument("parts", type=parts_of, nargs="+", metavar="FOLDER=WEIGHT")
    options = parser.parse_args()
    total = sum(weight for _, weight in options.parts)
    if abs(total - 1) > 1e-6:
        parser.error(f"the weights add up to {total:g}, expected 1")
    try:
        mean_network(options.out, options.parts)
    except DistortionGraphError as problem:
        parser.exit(2, f"mean_networks: error: {problem}\n")


if __name__ == "__main__":
    main()
