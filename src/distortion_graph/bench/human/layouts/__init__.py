"""Sets of pictures with people's opinions, as their owners distribute them: a reader per layout.

Whoever adds a set writes a reader from its folder to a `Listing` and names it in `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from distortion_graph.bench.human.layouts.cid22 import read_cid22
from distortion_graph.bench.human.layouts.csiq import read_csiq
from distortion_graph.bench.human.layouts.csv_list import read_csv_list
from distortion_graph.bench.human.layouts.kadid10k import read_kadid10k
from distortion_graph.bench.human.layouts.konjnd import read_konjnd
from distortion_graph.bench.human.layouts.live import read_live
from distortion_graph.bench.human.layouts.pipal import read_pipal
from distortion_graph.bench.human.layouts.tid2013 import read_tid2013
from distortion_graph.bench.human.listing import Listing

LAYOUTS: Mapping[str, Callable[[Path], Listing]] = MappingProxyType(
    {
        "tid2013": read_tid2013,
        "kadid10k": read_kadid10k,
        "csiq": read_csiq,
        "live": read_live,
        "pipal": read_pipal,
        "cid22": read_cid22,
        "konjnd": read_konjnd,
    }
)
"""Every layout that says itself what its scores mean; `read_csv_list` reads anything else."""

__all__ = ["LAYOUTS", "read_csv_list"]
