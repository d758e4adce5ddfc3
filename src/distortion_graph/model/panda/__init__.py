"""`panda`: the published architecture, as the baseline that anyone can reproduce.

    from distortion_graph.model import panda

    network = panda.build(panda.PandaConfig(backbone="facebook/dinov2-small"))
    output = network(*inputs)                        # inputs: panda.PandaInputs
    losses = panda.criterion(output, targets, inputs.valid)
    losses.total.backward()                          # reaches network.trainable_parameters()

    network = panda.load_panda(Path("panda"))        # from `distortion-graph import-checkpoint`
    predictions = panda.PandaPredictor(network).predict(anchor, target, masks)

*Panoptic Pairwise Distortion Graph*, ICLR 2026, arXiv 2604.11004.
"""

from distortion_graph.model.panda.checkpoint import load_panda, save_panda
from distortion_graph.model.panda.config import PandaConfig
from distortion_graph.model.panda.criterion import (
    IGNORED,
    PandaLossConfig,
    PandaLosses,
    PandaTargets,
    criterion,
)
from distortion_graph.model.panda.inputs import augment, fit_pair, prepare_pair
from distortion_graph.model.panda.network import PandaInputs, PandaNet, PandaOutput, build
from distortion_graph.model.panda.predict import HeadAnswers, PandaPredictor, to_predictions
from distortion_graph.model.panda.published import import_published, read_published

__all__ = [
    "IGNORED",
    "HeadAnswers",
    "PandaConfig",
    "PandaInputs",
    "PandaLossConfig",
    "PandaLosses",
    "PandaNet",
    "PandaOutput",
    "PandaPredictor",
    "PandaTargets",
    "augment",
    "build",
    "criterion",
    "fit_pair",
    "import_published",
    "load_panda",
    "prepare_pair",
    "read_published",
    "save_panda",
    "to_predictions",
]
