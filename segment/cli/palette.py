"""``segment palette``: the main colours of a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import options
from segment.cli.progress import Display

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Size of the picture of a palette, and the least width of a colour in it, in pixels.
WIDTH, HEIGHT, LEAST = 960, 160, 8


def palette(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Image file.")],
    bandwidth: Annotated[
        float | None,
        typer.Option(
            "--bandwidth",
            "-b",
            metavar="UNITS",
            show_default="5, 3 or 2: the first with 5 colours",
            help="Standard deviation of the kernel, in colour units: larger gives fewer colours.",
        ),
    ] = None,
    n_colors: Annotated[
        int | None,
        typer.Option(
            "--n-colors", "-n", metavar="N", show_default="all", help="Most colours to give."
        ),
    ] = None,
    color_space: Annotated[
        str,
        typer.Option(
            "--color-space",
            "-c",
            metavar="NAME",
            help="Where colours are compared: lab, luv or rgb.",
        ),
    ] = "lab",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT.png", help="Draw the palette there."),
    ] = None,
    nodata: options.Nodata = None,
    mask: options.Mask = None,
    value_range: options.ValueRange = None,
    n_threads: options.NThreads = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Find the main colours of a picture, wherever they are in it.

    Prints one line a colour: its code, its share of the picture, red, green and blue.

    \b
    Examples:
      segment palette photo.jpg
      segment palette photo.jpg --bandwidth 10 -o palette.png
    """
    from segment.files import display_name, refuse_existing

    if output is not None:
        refuse_existing(output, overwrite=overwrite)
    display = Display(quiet=quiet)
    with display.working("reading"), display.compiling():
        from segment.drawing import to_rgb
        from segment.images import read_image
        from segment.palettes import palette as find

        picture = read_image(image, nodata=nodata, mask=mask, value_range=value_range)
        for note in picture.notes:
            display.note(f"{display_name(image)}: {note}")
        # What is seen: gray, 16-bit and palette pictures too have three colours of 8 bits here.
        display.stage("clustering colours")
        colors, shares = find(
            to_rgb(picture.pixels, picture.mask, value_range=picture.value_range),
            bandwidth=bandwidth,
            n_colors=n_colors,
            color_space=color_space,
            mask=picture.mask,
            n_jobs=n_threads,
        )
    if not quiet:
        for (red, green, blue), share in zip(colors.tolist(), shares, strict=True):
            print(f"#{red:02x}{green:02x}{blue:02x}  {share:6.1%}  {red:3d} {green:3d} {blue:3d}")
    if output is not None:
        from segment.images import write_image

        output.parent.mkdir(parents=True, exist_ok=True)
        write_image(output, draw(colors, shares), overwrite=overwrite)


def draw(colors: NDArray[Any], shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a strip (160, 960, 3) with each colour as wide as its share."""
    import numpy as np

    least = min(LEAST, WIDTH // len(colors))
    widths = least + shares / shares.sum() * (WIDTH - least * len(colors))
    edges = np.rint(np.concatenate(([0.0], np.cumsum(widths)))).astype(int)
    strip = np.repeat(colors.astype(np.uint8), np.diff(edges), axis=0)
    return np.ascontiguousarray(np.broadcast_to(strip, (HEIGHT, *strip.shape)))
