"""Size, vocabulary and switches of a `panda` network; saved beside its weights."""

from __future__ import annotations

from dataclasses import dataclass

from distortion_graph.base.errors import ModelError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary

_SIZES = ("width", "side_px", "patch_px", "pool", "blocks", "heads", "expansion")


@dataclass(frozen=True)
class PandaConfig:
    """The published sizes by default; label counts come from the vocabulary.

    `backbone` is what `model.backbones.load_backbone` takes. `width` and `patch_px` are the
    backbone's (`network.build` sees to it). `side_px` is the side to which both pictures are
    resized, `pool` the number of learned maps per side.

    Two switches lead back to the published behaviour:

    - `random_pool_order`: regions take pool entries in random order at every forward, in
      evaluation too. Off: in training only; in evaluation region r takes entry r, so that the
      same input gives the same answer.
    - `published_normalisation`: pixels are normalised on their scale of 0…255 with a mean and
      deviation meant for 0…1, which checkpoints of the published code need. Off: pixels are
      scaled to 0…1 first.

    Raises ModelError for a size below 1; `PandaNet` refuses those that do not fit each other.
    """

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    backbone: str = "facebook/dinov2-small"
    width: int = 384
    side_px: int = 224
    patch_px: int = 14
    pool: int = 115
    blocks: int = 4
    heads: int = 4
    expansion: int = 2
    random_pool_order: bool = False
    published_normalisation: bool = False

    def __post_init__(self) -> None:
        for name in _SIZES:
            if getattr(self, name) < 1:
                raise ModelError(f"panda: {name} is {getattr(self, name)}, expected at least 1")

    @property
    def grid(self) -> int:
        """Tokens along a side of the picture."""
        return self.side_px // self.patch_px
