"""The explorer in Chromium: time of a recut, size of the page, time to the first picture.

    python -m tests.benchmarks.page PHOTO.jpg [--megapixels 0.15,2,12]

The photograph is scaled to each size. A recut is a new level by the slider, computed and drawn: the
median of 60 levels, in a window of 1920 x 1080, without a graphics processor. Frames are how far
apart the browser shows them while the slider is dragged, controls and all.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

import segment
from segment.page import write_page

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
RECUT = """(view) => {
  const times = [];
  app.renderer.mode = view;
  for (let k = 0; k < 60; k++) {
    const start = performance.now();
    app.model.setLevel(0.2 + 0.6 * ((k * 37) % 60) / 60, "drag");
    app.renderer.draw();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[30];
}"""
DRAG = """() => new Promise((resolve) => {
  const times = [];
  app.renderer.mode = "outlines";
  const step = (now) => {
    times.push(now);
    app.setLevel(0.2 + 0.6 * ((times.length * 37) % 60) / 60, "drag");
    if (times.length < 62) return requestAnimationFrame(step);
    const apart = times.slice(2).map((time, k) => time - times[k + 1]);
    resolve(apart.sort((a, b) => a - b)[30]);
  };
  requestAnimationFrame(step);
})"""
PAINTED = "performance.getEntriesByType('paint').at(-1)?.startTime"


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--megapixels", default="0.15,2,12")
    given = parser.parse_args()
    image = segment.read_image(given.photo).pixels
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for megapixels in map(float, given.megapixels.split(",")):
            factor = (megapixels * 1e6 / image[..., 0].size) ** 0.5
            scaled = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            tree = segment.hierarchy(scaled)
            path = Path(folder) / f"{megapixels}.html"
            start = time.process_time()
            write_page(tree, segment.Image(scaled, path=given.photo.name), path)
            seconds = time.process_time() - start
            jpeg = cv2.imencode(".jpg", scaled[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(path.as_uri())
            while not page.evaluate("Boolean(globalThis.app)"):
                page.wait_for_timeout(10)
            ready = page.evaluate("performance.now()")
            recut, flat = (page.evaluate(RECUT, view) for view in ("outlines", "flat"))
            print(
                f"{megapixels:g} MP, {tree.n_leaves:,} leaves: recut {recut:.1f} ms with "
                f"outlines, {flat:.1f} in flat colours, frames {page.evaluate(DRAG):.1f} ms apart, "
                f"first picture {page.evaluate(PAINTED):.0f} ms, ready {ready:.0f} ms, page "
                f"{path.stat().st_size / 1e6:.2f} MB = JPEG x "
                f"{path.stat().st_size / np.size(jpeg):.2f}, written in {seconds:.2f} s"
            )
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
