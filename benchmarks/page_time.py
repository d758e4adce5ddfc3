"""How long the service's page takes from two dropped pictures to the report in a browser.

    python benchmarks/page_time.py                       # 1 MP, ten times, regions found
    python benchmarks/page_time.py --megapixels 4 --times 3 --regions grid

A server of its own is started, and the page opened in Chromium without a window. Each time the
example pair, scaled, is dropped and compared at once; the clock runs in the page, from the drop to
the moment at which the report and its pictures are there. Told are the wall time and the processor
time of the server with its workers; a busy machine makes the former longer, hardly the latter.
"""

from __future__ import annotations

import argparse
import base64
import io
import tempfile
from pathlib import Path

import numpy as np
import psutil
from letters import FLAGS, chromium
from PIL import Image
from playwright.sync_api import sync_playwright
from service_load import started

EXAMPLES = Path(__file__).parents[1] / "examples"
DROPPED = """async (files) => {
  const data = new DataTransfer();
  for (const [name, text] of files) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    data.items.add(new File([bytes], name, { type: "image/png" }));
  }
  const there = new Promise((resolve) => {
    new MutationObserver(([{ addedNodes: [frame] }]) => {
      frame?.addEventListener("load", () => resolve(performance.now()));
    }).observe(document.getElementById("frame"), { childList: true });
  });
  const begun = performance.now();
  document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: data }));
  document.getElementById("compare").click();
  return (await there - begun) / 1000;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=1)
    parser.add_argument("--regions", default="auto")
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    files = [[f"{side}.png", scaled(side, asked.megapixels)] for side in ("anchor", "target")]
    walls, processors = [], []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        process, url = started(Path(folder), [])
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            for _ in range(asked.times):
                tab = browser.new_page()
                tab.goto(f"{url}/#regions={asked.regions}")
                before = processor_s(process.pid)
                walls.append(tab.evaluate(DROPPED, files))
                processors.append(processor_s(process.pid) - before)
                tab.close()
        finally:
            browser.close()
            process.terminate()
            process.wait(120)
    for what, seconds in (("drop to report", walls), ("processor of the service", processors)):
        middle, least, most = np.median(seconds), min(seconds), max(seconds)
        print(f"{what}: median {middle:.2f} s, from {least:.2f} to {most:.2f} s")
    print(f"load of the machine: {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores")


def scaled(side: str, megapixels: float) -> str:
    """A picture of the example pair at a size, as a PNG in base64."""
    with Image.open(EXAMPLES / f"{side}.png") as picture:
        share = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
        size = round(picture.width * share), round(picture.height * share)
        file = io.BytesIO()
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def processor_s(pid: int) -> float:
    """Seconds of all cores that a process and its children have taken."""
    server = psutil.Process(pid)
    times = [one.cpu_times() for one in (server, *server.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


if __name__ == "__main__":
    main()
