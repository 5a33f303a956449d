"""``segment bandwidth``: which bandwidths suit a picture, and why."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import typer

from segment.cli import groups, options
from segment.files import display_name
from segment.params import COLOR_SPACES, MAX_PIXELS, choice

BAR = 40  # characters of the longest bar
BINS = 12
BLOCKS = " ▏▎▍▌▋▊▉█"


def bandwidth(
    context: typer.Context,
    images: options.Images,
    color_space: options.ColorSpace = "luv",
    page: options.Page = 0,
    nodata: options.Nodata = None,
    mask: options.Mask = None,
    value_range: options.ValueRange = None,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    json: options.Json = False,
) -> None:
    """Print the bandwidths that -s auto and -r auto choose for pictures, and why.

    The bars show how much the colours of pixels differ that lie one spatial bandwidth apart: what
    is left of the mark, mean shift takes for one colour.

    \b
    Examples:
      segment bandwidth photo.jpg
      segment bandwidth *.jpg --json
    """
    from segment import exports
    from segment.cli.progress import Display
    from segment.images import read_image
    from segment.notices import listening
    from segment.regions.bandwidths import estimate
    from segment.regions.checks import check_image
    from segment.regions.features import feature_planes

    space = choice("color_space", color_space, COLOR_SPACES)
    for source in images:
        image = read_image(
            source,
            page=page,
            max_pixels=max_pixels,
            nodata=nodata,
            mask=mask,
            value_range=value_range,
        )
        display = Display(spell=partial(groups.explain, names=groups.spelled(context.command)))
        notes = [*image.notes]
        with listening(notes.append):
            pixels = check_image(image, color_space=space)
        for note in notes:
            display.note(f"{display_name(source)}: {note}")
        found = estimate(pixels, space)
        facts: dict[str, Any] = {
            "input": str(source),
            "spatial_bandwidth": found.spatial,
            "range_bandwidth": found.range,
            "color_space": space,
            "contrast": round(found.contrast, 3),
            "noise": round(found.noise, 3),
        }
        if json:
            print(exports.to_json(facts, indent=None))
            continue
        height, width = image.shape
        print(
            f"{display_name(source)}: --spatial-bandwidth {found.spatial:g} "
            f"--range-bandwidth {found.range:g}\n"
            f"  spatial {found.spatial:g} pixels: {width}x{height}\n"
            f"  range {found.range:g} {space}: contrast {found.contrast:.1f}, "
            f"noise {found.noise:.1f}"
        )
        differences = _differences(feature_planes(pixels, space), round(found.spatial))
        for line in _bars(differences, found.range):
            print(f"  {line}")


def _differences(planes: np.ndarray[Any, Any], step: int) -> np.ndarray[Any, Any]:
    """Distances of the features of pixels that lie `step` columns apart; masked ones left out."""
    step = min(step, planes.shape[2] - 1)
    left, right = planes[:, :, : planes.shape[2] - step], planes[:, :, step:]
    known = np.isfinite(left[0]) & np.isfinite(right[0])
    squares = (left[:, known] - right[:, known]).astype(np.float64) ** 2
    return np.asarray(np.sqrt(squares.sum(axis=0)))


def _bars(differences: np.ndarray[Any, Any], mark: float) -> list[str]:
    """A histogram in text, a mark below the bins that `mark` reaches."""
    if not differences.size:
        return []
    edges = np.arange(BINS + 1) * mark / (BINS // 3)
    edges[-1] = np.inf
    counts = np.histogram(differences, edges)[0]
    lines = []
    for k, count in enumerate(counts):
        upper = f"{edges[k + 1]:6.1f}" if k < BINS - 1 else "  more"
        eighths = round(8 * BAR * count / counts.max())
        bar = BLOCKS[-1] * (eighths // 8) + BLOCKS[eighths % 8].strip()
        lines.append(f"{edges[k]:6.1f} -{upper} {bar} {100 * count / counts.sum():.0f}%")
        if k + 1 == BINS // 3:
            lines.append(f"------ {mark:6.1f} " + "-" * 8 + " range bandwidth")
    return lines
