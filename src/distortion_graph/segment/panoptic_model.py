"""Named regions by a panoptic network: any such checkpoint that `transformers` can load.

    from distortion_graph.segment.panoptic_model import PanopticSegmenter

    segmenter = PanopticSegmenter("checkpoints/mask2former")
    segments = segmenter.segment(rgb)   # regions "person", "person", "sky", …

Importing this module loads neither torch nor transformers (the segment extra); the first picture
does.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ModelError, RegionError
from distortion_graph.base.files import kind_of
from distortion_graph.masks.container import RegionSet
from distortion_graph.segment.checkpoint import (
    checkpoint_sha256,
    find_checkpoint,
    first_line,
    load_network,
    load_preparation,
    load_task,
    need_segment_extra,
    read_config,
)
from distortion_graph.segment.queries import Frame, class_scores, merge_queries
from distortion_graph.segment.segmenter import PANOPTIC_PREFIX, Segments
from distortion_graph.segment.stuff import stuff_among

_ALGORITHM = 1  # part of the version; raised when preparing or merging changes
_OPTIONS = {"threshold": float, "overlap": float, "min_pixels": int, "device": str}


@dataclass(frozen=True)
class _Loaded:
    network: Any
    preparation: Any
    task: Any
    takes: frozenset[str]  # names of the inputs that the network takes


class PanopticSegmenter:
    """Stuff and things with their names, found by a panoptic checkpoint.

    Pictures are prepared as the checkpoint's own configuration says, and the network's queries
    merged as `distortion_graph.segment.queries` says. Names are the checkpoint's labels; several
    regions may have the same name, ids tell them apart. On a CPU one picture always gives the
    same regions to the byte, as a fixed number of threads is used.

    Args:
        name_or_path: a checkpoint's folder, or its name on the Hugging Face hub (org/name or
            org/name@revision), which is taken from the local cache or downloaded into it.
        device: of torch: "cpu", "cuda", "cuda:1" …
        threshold: least probability of a query's class, 0 … 1.
        overlap: least share of its mask's pixels that a query must keep, 0 … 1.
        min_pixels: smaller segments are dropped.
        stuff: labels whose segments are joined into one; None takes those of COCO, ADE20K or
            Cityscapes if the checkpoint has their labels, else none.
        threads: of torch, on a CPU. Another number may move single pixels.

    Raises ModelError: the extra is not installed, the folder is no panoptic checkpoint, a name
    that is not found, options out of range. Weights are loaded with the first picture. Copies
    for other processes (pickles) carry the settings and load for themselves.
    """

    def __init__(
        self,
        name_or_path: str | Path,
        *,
        device: str = "cpu",
        threshold: float = 0.8,
        overlap: float = 0.8,
        min_pixels: int = 16,
        stuff: Collection[str] | None = None,
        threads: int = 1,
    ) -> None:
        for what, value in (("threshold", threshold), ("overlap", overlap)):
            if not 0 <= value <= 1:  # also refuses NaN
                raise ModelError(f"panoptic model: {what} is {value}, expected 0 … 1")
        for what, number in (("min_pixels", min_pixels), ("threads", threads)):
            if number < 1:
                raise ModelError(f"panoptic model: {what} is {number}, expected at least 1")
        need_segment_extra()
        text = str(name_or_path)
        self._folder = find_checkpoint(text)
        self._config = read_config(self._folder)
        self.labels = _labels(self._config, self._folder)
        """The name of each class index."""
        self.stuff = stuff_among(self.labels.values()) if stuff is None else frozenset(stuff)
        """Labels whose segments are joined."""
        unknown = sorted(self.stuff - set(self.labels.values()))
        if stuff is not None and unknown:
            raise ModelError(f"{self._folder}: no label {unknown[0]!r} among its labels")
        self._name = (
            Path(text).resolve().name if kind_of(Path(text)) == "folder" else text.partition("@")[0]
        )
        self.device, self.threshold, self.overlap = device, float(threshold), float(overlap)
        self.min_pixels, self.threads = min_pixels, threads

    @property
    def name(self) -> str:
        """ "panoptic:" and the checkpoint's name on the hub, or its folder's name."""
        return PANOPTIC_PREFIX + self._name

    @cached_property
    def version(self) -> str:
        """Hash of the checkpoint's files and of the settings, 16 hex digits."""
        settings = {
            "algorithm": _ALGORITHM,
            "checkpoint": checkpoint_sha256(self._folder),
            "threshold": self.threshold,
            "overlap": self.overlap,
            "min_pixels": self.min_pixels,
            "stuff": sorted(self.stuff),
            "computed": [self.device.partition(":")[0], self.threads],
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]

    def segment(self, rgb: NDArray[np.uint8]) -> Segments:
        """Named regions of an (H, W, 3) uint8 RGB picture, ids from 1 by place, and their scores.

        Pixels of no segment stay unlabelled. Raises RegionError where nothing is found, and
        where the network cannot take the picture (one pixel high and very long, say).
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
            raise RegionError(
                f"{self.name}: expected an (H, W, 3) uint8 RGB picture, got {rgb.shape} {rgb.dtype}"
            )
        classes, masks, frame = self._answer(rgb)
        stuff = {index for index, label in self.labels.items() if label in self.stuff}
        numbers, segments = merge_queries(
            classes, masks, frame, threshold=self.threshold, overlap=self.overlap,
            stuff=stuff, min_pixels=self.min_pixels,
        )  # fmt: skip
        if not segments:
            raise RegionError(f"{self.name}: no region found{self._nearest(classes)}")
        names = {k: self.labels[segment.label] for k, segment in enumerate(segments, start=1)}
        regions = RegionSet.from_label_map(numbers, names, source=self.name)
        return Segments(regions, tuple(round(segment.score, 6) for segment in segments))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_loaded"}

    @cached_property
    def _loaded(self) -> _Loaded:
        network = load_network(self._folder, self._config, self.device)
        takes = frozenset(inspect.signature(network.forward).parameters)
        preparation = load_preparation(self._folder, self._config)
        return _Loaded(network, preparation, load_task(self._folder, self._config), takes)

    def _answer(
        self, rgb: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], Frame]:
        """(Q, C + 1) class logits, (Q, h, w) mask logits and the way the picture took."""
        loaded = self._loaded
        import torch

        try:
            with torch.inference_mode(), _threads(self.threads):
                inputs, frame = _prepared(loaded, rgb)
                out = loaded.network(**{k: v.to(self.device) for k, v in inputs.items()})
        except (ValueError, RuntimeError, ZeroDivisionError) as e:
            h, w = rgb.shape[:2]
            raise RegionError(
                f"{self.name}: cannot take a picture of {w}×{h} pixels ({first_line(e)})"
            ) from e
        detr = "pred_masks" in out
        classes = out["logits" if detr else "class_queries_logits"][0].float().cpu().numpy()
        masks = out["pred_masks" if detr else "masks_queries_logits"][0].float().cpu().numpy()
        if classes.shape[1] != len(self.labels) + 1:
            raise ModelError(
                f"{self._folder}: the network has {classes.shape[1] - 1} classes, config.json "
                f"names {len(self.labels)}"
            )
        return classes, masks, frame

    def _nearest(self, class_logits: NDArray[np.float32]) -> str:
        """What came nearest to being found, for the error."""
        scores, labels = class_scores(class_logits)
        objects = labels != len(self.labels)
        if not objects.any():
            return ", nothing that it knows"
        best = int(np.argmax(np.where(objects, scores, -1.0)))
        surest = f"{self.labels[int(labels[best])]!r} with {scores[best]:.2f}"
        if scores[best] > self.threshold:
            return f" of {self.min_pixels} pixels and more (surest: {surest})"
        return f" above threshold={self.threshold:g} (surest: {surest})"


def panoptic_segmenter(text: str) -> PanopticSegmenter:
    """A segmenter by its spelling on the command line.

    NAME_OR_FOLDER[,threshold=0.8][,overlap=0.8][,min_pixels=16][,device=cpu]. Raises ModelError.
    """
    if kind_of(Path(text)) == "folder":
        return PanopticSegmenter(text)
    name, *parts = text.split(",")
    options: dict[str, Any] = {}
    for part in parts:
        key, _, value = part.partition("=")
        try:
            options[key] = _OPTIONS[key](value)
        except (KeyError, ValueError) as e:
            expected = ", ".join(f"{k}={v.__name__}" for k, v in _OPTIONS.items())
            raise ModelError(
                f"panoptic model {name!r}: option {part!r}, expected {expected}"
            ) from e
    return PanopticSegmenter(name, **options)


def _labels(config: dict[str, Any], folder: Path) -> dict[int, str]:
    given = config.get("id2label")
    try:
        if given is None:  # transformers' own default
            given = {k: f"LABEL_{k}" for k in range(int(config.get("num_labels", 2)))}
        labels = {int(index): str(label).strip() for index, label in given.items()}
    except (AttributeError, TypeError, ValueError) as e:
        raise ModelError(f"{folder}/config.json: id2label is no table of names") from e
    if sorted(labels) != list(range(len(labels))) or not labels:
        raise ModelError(f"{folder}/config.json: id2label must name the classes 0, 1, 2, …")
    return labels


def _prepared(loaded: _Loaded, rgb: NDArray[np.uint8]) -> tuple[dict[str, Any], Frame]:
    """The network's inputs for a picture, and the sizes on the way."""
    extra = {} if loaded.task is None else {"task_inputs": ["panoptic"]}
    made = loaded.preparation(
        images=[rgb], input_data_format="channels_last", return_tensors="pt", **extra
    )
    pixels = made["pixel_values"]
    if pixels.shape[0] != 1:
        raise ValueError("cut into pieces, as for semantic segmentation")
    padded = int(pixels.shape[2]), int(pixels.shape[3])
    inputs = {key: made[key] for key in ("pixel_values", "pixel_mask") if key in made}
    if loaded.task is not None:
        inputs["task_inputs"] = loaded.task
    inputs = {key: value for key, value in inputs.items() if key in loaded.takes}
    picture = rgb.shape[0], rgb.shape[1]
    content = _content(loaded.preparation, made, picture, padded)
    return inputs, Frame(picture, content, padded)


def _content(
    preparation: Any, made: Any, picture: tuple[int, int], padded: tuple[int, int]
) -> tuple[int, int]:
    """The part of the network's input that shows the picture; the rest is padding."""
    if "pixel_mask" in made:
        seen = made["pixel_mask"][0].bool()
        return int(seen.any(1).sum()), int(seen.any(0).sum())
    size = preparation.size
    if preparation.do_pad and preparation.do_resize and size["shortest_edge"]:  # EoMT
        from transformers.image_transforms import get_size_with_aspect_ratio

        h, w = get_size_with_aspect_ratio(picture, size["shortest_edge"], size["longest_edge"])
        return min(h, padded[0]), min(w, padded[1])
    return padded


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Torch with this many threads: sums, and so single pixels, may depend on it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
