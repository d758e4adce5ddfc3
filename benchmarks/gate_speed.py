"""How long `distortion-graph check` takes for 100 small pairs, start and files included.

    python benchmarks/gate_speed.py [--regions grid:3x3]

The pairs are cuttings of 320×240 pixels of photographs that came with scikit-image, as PNG, and the
same as JPEG of quality 95, 80 and 30 in turn, so that a third of them breaks the policy and gets an
overlay and a report. Prints seconds by the clock, and those of all processors together, which say
more on a busy machine.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

PAIRS = 100
WIDTH, HEIGHT = 320, 240
QUALITIES = (95, 80, 30)
POLICY = """
compare: {{regions: '{regions}'}}
comparison: {{worst: slightly_worse, probability: 0.8}}
loss: {{region: 0.2, scene: 0.1}}
distortions: {{forbidden: [blur]}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--regions", default="grid:3x3")
    regions = parser.parse_args().regions
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_pairs(folder)
        (folder / "gate.yml").write_text(POLICY.format(regions=regions))
        command = [sys.executable, "-m", "distortion_graph", "check", "accepted", "now"]
        command += ["--match", "stem", "--policy", "gate.yml", "--out", "shown", "--junit", "j.xml"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = done.stdout.splitlines()[-1] if done.stdout else done.stderr
        print(f"{said}; exit code {done.returncode}")
        print(f"{seconds:.1f} s by the clock, {used.ru_utime + used.ru_stime:.1f} s of processors")


def make_pairs(folder: Path) -> None:
    """Write accepted/NNN.png and now/NNN.jpg."""
    photos = data.coffee(), data.chelsea(), data.rocket(), data.astronaut()
    rng = np.random.default_rng(0)
    for name in ("accepted", "now"):
        (folder / name).mkdir()
    for k in range(PAIRS):
        photo = photos[k % len(photos)]
        y = rng.integers(0, photo.shape[0] - HEIGHT)
        x = rng.integers(0, photo.shape[1] - WIDTH)
        cutting = Image.fromarray(photo[y : y + HEIGHT, x : x + WIDTH])
        cutting.save(folder / "accepted" / f"{k:03}.png")
        cutting.save(folder / "now" / f"{k:03}.jpg", quality=QUALITIES[k % len(QUALITIES)])


if __name__ == "__main__":
    main()
