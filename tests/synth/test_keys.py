from __future__ import annotations

import subprocess
import sys

from distortion_graph.synth.keys import generator


def test_same_key_same_draws_in_another_process():
    code = (
        "from distortion_graph.synth.keys import generator as g; "
        "print(g(7, 'ü', 3).integers(10**9))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(out.stdout) == generator(7, "ü", 3).integers(10**9)


def test_every_part_of_the_key_counts():
    keys = [(0, "a", "blur", 1), (1, "a", "blur", 1), (0, "b", "blur", 1), (0, "a", "rain", 1)]
    keys += [(0, "a", "blur", 2), (0, "a", "blur", "1"), (0, "ablur", 1), (0, "a", "blur1")]  # type: ignore[list-item]
    draws = {int(generator(*key).integers(2**62)) for key in keys}
    assert len(draws) == len(keys)
