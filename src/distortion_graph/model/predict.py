"""Predictions straight from the torch network, for training and for checking the export."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from distortion_graph.features.cells import pad_picture
from distortion_graph.features.statistics import region_inputs
from distortion_graph.masks.masks import MaskArrays, Masks
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.predict.outputs import to_predictions
from distortion_graph.predict.predictions import Predictions


class TorchPredictor:
    """A network in evaluation mode, as something that predicts pairs."""

    def __init__(self, network: DistortionGraphNet) -> None:
        self.network = network.eval()

    def predict(
        self,
        anchor: NDArray[np.uint8],
        target: NDArray[np.uint8],
        masks: Masks | MaskArrays,
    ) -> Predictions:
        """Predict one pair: two (H, W, 3) uint8 pictures and R masks, (H, W) bool each."""
        images = np.stack([pad_picture(anchor), pad_picture(target)])
        weights, area, statistics = region_inputs(anchor, target, masks)
        is_scene = np.zeros(len(area), np.float32)
        is_scene[0] = 1
        device = next(self.network.parameters()).device
        tensors = [
            torch.from_numpy(x)[None].to(device)
            for x in (images, weights, *statistics, area, is_scene, np.ones(len(area), bool))
        ]
        with torch.inference_mode():
            output = self.network(*tensors)
        return to_predictions(*(x[0].float().cpu().numpy() for x in output))
