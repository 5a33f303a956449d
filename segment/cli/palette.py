"""``segment palette``: the main colours of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import groups, options
from segment.cli.progress import Display
from segment.errors import SegmentError
from segment.files import display_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Size of the picture of a palette, and the least width of a colour in it, in pixels.
WIDTH, HEIGHT, LEAST = 960, 160, 8


Bandwidth = Annotated[
    float | None,
    typer.Option(
        "--bandwidth",
        "-b",
        metavar="UNITS",
        show_default="5, 3 or 2: the first with 5 colours",
        help="Standard deviation of the kernel, in colour units: larger gives fewer colours.",
    ),
]
NColors = Annotated[
    int | None,
    typer.Option("--n-colors", "-n", metavar="N", show_default="all", help="Most colours to give."),
]
ColorSpace = Annotated[
    str,
    typer.Option(
        "--color-space",
        "-c",
        metavar="NAME",
        help="Where colours are compared: lab, luv or rgb.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT.png", help="Draw the palette there."),
]


def palette(
    context: typer.Context,
    images: options.Images,
    bandwidth: Bandwidth = None,
    n_colors: NColors = None,
    color_space: ColorSpace = "lab",
    output: Output = None,
    nodata: options.Nodata = None,
    mask: options.Mask = None,
    value_range: options.ValueRange = None,
    n_threads: options.NThreads = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Find the main colours of pictures, wherever they are in them.

    Prints one line a colour: its code, its share of the picture, red, green and blue.

    \b
    Examples:
      segment palette photo.jpg
      segment palette *.jpg --json
      segment palette photo.jpg --bandwidth 10 -o palette.png
    """
    from segment.files import refuse_existing

    if output is not None:
        if len(images) > 1:
            raise typer.BadParameter(
                f"-o {display_name(output)} is one picture, and {len(images)} are given; "
                "run them one by one",
                ctx=context,
            )
        refuse_existing(output, overwrite=overwrite)
    names = groups.spelled(context.command)
    display = Display(quiet=quiet)
    failed = False
    for image in images:
        try:
            with display.working(f"{display_name(image)}: reading"), display.compiling():
                colors, shares = _find(
                    image, display,
                    reading={"nodata": nodata, "mask": mask, "value_range": value_range},
                    bandwidth=bandwidth, n_colors=n_colors, color_space=color_space,
                    n_jobs=n_threads,
                )  # fmt: skip
        except SegmentError as error:
            text, name = groups.explain(error, names), display_name(image)
            display.error(text if name in text else f"{name}: {text}")
            failed = True
            continue
        if json:
            display.print(_as_json(image, colors, shares))
        elif not quiet:
            if len(images) > 1:
                display.print(f"{display_name(image)}:")
            display.print(_as_lines(colors, shares))
        if output is not None:
            from segment.images import write_image

            output.parent.mkdir(parents=True, exist_ok=True)
            write_image(output, draw(colors, shares), overwrite=overwrite)
    if failed:
        raise typer.Exit(1)


def _find(
    image: Path, display: Display, reading: dict[str, Any], **how: Any
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the colours of a picture file, and their shares."""
    from segment.drawing import to_rgb
    from segment.images import read_image
    from segment.palettes import palette as find

    picture = read_image(image, **reading)
    for note in picture.notes:
        display.note(f"{display_name(image)}: {note}")
    # What is seen: gray, 16-bit and palette pictures too have three colours of 8 bits here.
    display.stage(f"{display_name(image)}: clustering colours")
    shown = to_rgb(picture.pixels, picture.mask, value_range=picture.value_range)
    return find(shown, mask=picture.mask, **how)


def _as_json(image: Path, colors: NDArray[Any], shares: NDArray[np.float64]) -> str:
    from segment.exports import to_json

    facts = {
        "input": str(image),
        "colors": [code(color) for color in colors.tolist()],
        "shares": [round(share, 6) for share in shares.tolist()],
    }
    return to_json(facts, indent=None)


def _as_lines(colors: NDArray[Any], shares: NDArray[np.float64]) -> str:
    return "\n".join(
        f"{code(color)}  {share:6.1%}  {color[0]:3d} {color[1]:3d} {color[2]:3d}"
        for color, share in zip(colors.tolist(), shares, strict=True)
    )


def code(color: list[int]) -> str:
    """Return a colour as #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def draw(colors: NDArray[Any], shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a strip (160, 960, 3) with each colour as wide as its share."""
    import numpy as np

    least = min(LEAST, WIDTH // len(colors))
    widths = least + shares / shares.sum() * (WIDTH - least * len(colors))
    edges = np.rint(np.concatenate(([0.0], np.cumsum(widths)))).astype(int)
    strip = np.repeat(colors.astype(np.uint8), np.diff(edges), axis=0)
    return np.ascontiguousarray(np.broadcast_to(strip, (HEIGHT, *strip.shape)))
