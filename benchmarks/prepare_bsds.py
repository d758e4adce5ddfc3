"""The official BSDS500 archive as folders of pictures and label maps.

    python benchmarks/prepare_bsds.py BSR/BSDS500/data bsds500

Reads images/{train,val,test}/<id>.jpg and groundTruth/{train,val,test}/<id>.mat, one human
segmentation an annotator, and writes

    bsds500/{train,val,test}/images/<id>.jpg            copied as they are
    bsds500/{train,val,test}/regions/<id>_<k>.png       annotator k = 0, 1 …; pixel = region from 1

as `dataset build`, `train --labelled` and `make bench BSDS=bsds500` take them. Files that are there
are written again. BSDS500: Arbelaez, Maire, Fowlkes, Malik, "Contour Detection and Hierarchical
Image Segmentation", TPAMI 33(5), 2011; for research and education.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError, DistortionGraphError
from distortion_graph.base.files import atomic_write_bytes
from distortion_graph.pictures.images import load_picture

SPLITS = ("train", "val", "test")


def segmentations(path: Path) -> list[NDArray[np.uint16]]:
    """The (H, W) label maps of a ground-truth file, one an annotator; raises DatasetError.

    MATLAB keeps them as a 1×N cell `groundTruth` of 1×1 structs with the field `Segmentation`.
    """
    from scipy.io import loadmat

    if not path.is_file():
        raise DatasetError(f"{path}: no such file, expected the ground truth of this picture")
    try:
        cells = loadmat(path)["groundTruth"].ravel()
        maps = [np.asarray(cell["Segmentation"].item()) for cell in cells]
    except Exception as error:  # whatever a damaged file makes of the reader
        raise DatasetError(
            f"{path}: cannot be read as ground truth of BSDS500 ({type(error).__name__}: {error}), "
            "expected a cell `groundTruth` of structs with `Segmentation`"
        ) from error
    if not maps:
        raise DatasetError(f"{path}: has no segmentation, expected one an annotator")
    for found in maps:
        whole = found.ndim == 2 and found.dtype.kind in "ui"
        if not whole or found.size == 0 or found.min() < 0 or found.max() >= 2**16:
            raise DatasetError(
                f"{path}: Segmentation is {found.shape} of {found.dtype}, expected an (H, W) map "
                "of region numbers from 1"
            )
    return [found.astype(np.uint16) for found in maps]


def label_png(labels: NDArray[np.uint16]) -> bytes:
    """A label map as PNG, 8-bit where that holds its numbers, else 16-bit."""
    values = labels.astype(np.uint8) if labels.max() < 2**8 else labels
    done, data = cv2.imencode(".png", values)
    if not done:
        raise DatasetError(f"a label map of shape {labels.shape} cannot be written as PNG")
    return data.tobytes()


def prepare(data: Path, out: Path) -> Iterator[tuple[str, int, int]]:
    """Write every split that is there; gives its name, pictures and label maps."""
    found = [split for split in SPLITS if (data / "images" / split).is_dir()]
    if not found:
        raise DatasetError(
            f"{data}: no images/train, images/val or images/test there, expected the folder "
            "BSR/BSDS500/data of the archive"
        )
    for split in found:
        pictures = sorted((data / "images" / split).glob("*.jpg"))
        if not pictures:
            raise DatasetError(f"{data / 'images' / split}: no *.jpg there, expected the pictures")
        counts = [_prepare_one(picture, data, out / split) for picture in pictures]
        yield split, len(counts), sum(counts)


def _prepare_one(picture: Path, data: Path, out: Path) -> int:
    """Write one picture and its label maps; gives their number."""
    loaded = load_picture(picture)
    truth = data / "groundTruth" / out.name / f"{picture.stem}.mat"
    maps = segmentations(truth)
    for labels in maps:
        if labels.shape != loaded.size:
            raise DatasetError(
                f"{truth}: Segmentation is {labels.shape[1]}×{labels.shape[0]}, but {picture} is "
                f"{loaded.width}×{loaded.height} pixels"
            )
    for folder in ("images", "regions"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for k, labels in enumerate(maps):
        atomic_write_bytes(out / "regions" / f"{picture.stem}_{k}.png", label_png(labels))
    atomic_write_bytes(out / "images" / picture.name, picture.read_bytes())
    return len(maps)


def main() -> None:
    """Prepare an archive."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="BSR/BSDS500/data of the unpacked archive")
    parser.add_argument("out", type=Path, help="where the splits go; made if missing")
    arguments = parser.parse_args()
    for split, pictures, maps in prepare(arguments.data, arguments.out):
        print(f"{arguments.out / split}: {pictures} pictures, {maps} label maps")


if __name__ == "__main__":
    try:
        main()
    except DistortionGraphError as error:
        raise SystemExit(f"prepare_bsds: error: {error}") from error
