"""What people are expected to think, beside a network: maps from its score to their opinion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import atomic_write_all
from distortion_graph.base.validation import validation_line
from distortion_graph.bench.human.fitting import OpinionFit, fit_opinions
from distortion_graph.bench.human.measuring import judge
from distortion_graph.bench.human.opinions import OpinionPair
from distortion_graph.predict.names import NETWORK_FILE
from distortion_graph.predict.opinion import OpinionMaps
from distortion_graph.predict.session import Model
from distortion_graph.training.chain import CHAIN_FILE
from distortion_graph.training.checkpoint import (
    CALIBRATION_FILE,
    OPINION_FILE,
    SETTINGS_FILE,
    WEIGHTS_FILE,
    load_network,
    network_folder,
)
from distortion_graph.training.export import export_onnx


def fit_network_opinions(
    place: Path,
    out: Path,
    pairs: Sequence[OpinionPair],
    told: Callable[[int, int], None] = lambda done, total: None,
) -> OpinionFit:
    """Fit maps to what the network in a folder says of pairs, and write both to another folder.

    The network is asked as it would be exported. `told` hears how many pairs of how many are done.
    Raises ModelError for a folder without a network of ours.
    """
    folder = network_folder(place)
    network = load_network(folder)
    with TemporaryDirectory() as exported:
        export_onnx(network, Path(exported), name=folder.name, version="0", card={})
        fit = fit_opinions(judge(Model.load(exported), pairs, told))
    kept = (NETWORK_FILE, WEIGHTS_FILE, SETTINGS_FILE, CHAIN_FILE, CALIBRATION_FILE)
    out.mkdir(parents=True, exist_ok=True)
    files = [(out / k, (folder / k).read_bytes()) for k in kept if (folder / k).is_file()]
    maps = fit.maps.model_dump_json(indent=1) + "\n"
    atomic_write_all([*files, (out / OPINION_FILE, maps.encode())])
    return fit


def read_network_opinions(folder: Path) -> OpinionMaps | None:
    """The maps beside a network; None where there are none. Raises ModelError."""
    path = folder / OPINION_FILE
    if not path.is_file():
        return None
    try:
        return OpinionMaps.model_validate_json(path.read_bytes())
    except ValidationError as problem:
        raise ModelError(validation_line(problem, str(path), OpinionMaps)) from problem
