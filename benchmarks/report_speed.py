"""How long a report takes to write, and how fast its page answers in a browser.

    python benchmarks/report_speed.py [--repeats N]

Writing: a pair of 1 MP with 20 regions, from the graph to the page's text; files as JPEG (in the
page byte for byte) and as TIFF (encoded again). The browser (Chromium, headless, by Playwright)
opens pages of 20, 100 and 500 regions; a time is from a pointer or filter event until the next
frame is drawn.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from letters import FLAGS, found_chromium
from numpy.typing import NDArray
from PIL import Image
from skimage import data as pictures

from distortion_graph.graph import DistortionGraph
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.report.html.embedding import embed
from distortion_graph.report.html.page import ReportPicture, report_page
from distortion_graph.synth.pairs import make_pair

SIZE = (1200, 840)
GRIDS = {20: (4, 5), 100: (10, 10), 500: (20, 25)}

# Milliseconds from the event to the second of two animation frames: by then it is on the screen.
ANSWER = """(act) => new Promise((done) => {
  const start = performance.now();
  eval(act);
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""
ACTS = {
    "hover": """document.querySelector('.marks g[data-region="{k}"]')
      .dispatchEvent(new PointerEvent('pointerenter'))""",
    "filter": """const filter = document.querySelector('#filter-severity');
      filter.value = '{n}';
      filter.dispatchEvent(new Event('change'))""",
    "zoom": """document.querySelector('[aria-label="Zoom {way}"]').click()""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    clean = np.asarray(cv2.resize(pictures.coffee(), SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)
    for kind in ("JPEG", "TIFF"):
        graph, files = pair(clean, 20, kind)
        seconds = [timed(graph, files) for _ in range(repeats)]
        print(
            f"1-MP pair as {kind}, 20 regions: page in {1000 * statistics.median(seconds):.0f} ms"
        )
    browse(clean, repeats)


def pair(clean: NDArray[np.uint8], count: int, kind: str) -> tuple[DistortionGraph, list[bytes]]:
    regions = RegionSet.grid(clean.shape[:2], *GRIDS[count])
    made = make_pair(clean, regions, tag="report", seed=0)
    return made.graph, [coded(made.anchor.image, kind), coded(made.target.image, kind)]


def coded(rgb: NDArray[np.uint8], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, kind)
    return buffer.getvalue()


def timed(graph: DistortionGraph, files: list[bytes]) -> float:
    """Seconds to the page, from pictures that are read already, as in `compare`."""
    read = [load_picture(data) for data in files]
    start = time.perf_counter()
    page(graph, read, files)
    return time.perf_counter() - start


def page(graph: DistortionGraph, read: list[Picture], files: list[bytes]) -> str:
    anchor, target = (
        ReportPicture(embed(p, data), None) for p, data in zip(read, files, strict=True)
    )
    return report_page(graph, (anchor, target))


def browse(clean: NDArray[np.uint8], repeats: int) -> None:
    from playwright.sync_api import sync_playwright

    program = found_chromium()
    if program is None:
        print("no chromium here: the page was not opened")
        return
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        empty = browser.new_page()
        idle = measured(empty, "0", repeats)
        print(f"browser: two frames of an empty page take {idle:.0f} ms; answers beyond that:")
        for count in GRIDS:
            graph, files = pair(clean, count, "JPEG")
            path = Path(folder) / f"{count}.html"
            path.write_text(page(graph, [load_picture(data) for data in files], files), "utf-8")
            tab = browser.new_page(viewport={"width": 1400, "height": 900})
            tab.goto(path.as_uri())
            found = {name: measured(tab, act, repeats) - idle for name, act in ACTS.items()}
            figures = ", ".join(f"{name} {max(0.0, ms):.0f} ms" for name, ms in found.items())
            print(f"  {count:3d} regions: {figures}")
        browser.close()


def measured(tab: Any, act: str, repeats: int) -> float:
    """Median milliseconds of an act on changing regions, levels and directions."""
    times = []
    for k in range(repeats):
        way = "in" if k % 2 else "out"
        done = act.replace("{k}", str(k)).replace("{n}", str(k % 3)).replace("{way}", way)
        times.append(float(tab.evaluate(ANSWER, done)))
    return statistics.median(times)


if __name__ == "__main__":
    main()
