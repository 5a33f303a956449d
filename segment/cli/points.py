"""``segment points``: cluster the rows of a table by mean shift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import options
from segment.cli.progress import Display
from segment.errors import ExtraError, InputError
from segment.params import whole_number

if TYPE_CHECKING:
    from segment.points.clustering import MeanShift
    from segment.points.tables import Table

# Most rows and columns of the table printed.
SHOWN = 20
SHOWN_FEATURES = 6
FEW = 50  # points, of which some may well stand alone

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="CSV, TSV, TXT or NPY file, one point a row; - reads standard input.",
    ),
]
Bandwidth = Annotated[
    str | None,
    typer.Option(
        "--bandwidth",
        "-b",
        metavar="UNITS,...",
        show_default="estimated",
        help="Radius of the kernel (Gaussian: standard deviation), or one for each column.",
    ),
]
Scale = Annotated[
    bool,
    typer.Option(
        "--scale", help="Measure each column, and the bandwidth, in its standard deviations."
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        "-c",
        metavar="NAME,...",
        show_default="all numbers",
        help="Columns to use: names from the header, numbers from 1, or ranges such as 2-4.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT.csv",
        help="Write the rows with their labels there, and the centres to OUT.centers.csv.",
    ),
]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw the clusters.")]
Surface = Annotated[
    Path | None,
    typer.Option(
        "--surface", metavar="OUT.png", help="Draw the density of two columns as a surface."
    ),
]
MinSize = Annotated[
    int,
    typer.Option(
        "--min-size",
        metavar="N",
        help="Points of smaller clusters are outliers, with the label -1.",
    ),
]
Demo = Annotated[
    bool,
    typer.Option("--demo", help="Cluster 300 made-up points; print where each ends, and draw."),
]


def points(
    file: File = None,
    bandwidth: Bandwidth = None,
    scale: Scale = False,
    kernel: options.Kernel = "gaussian",
    columns: Columns = None,
    min_size: MinSize = 1,
    output: Output = None,
    plot: Plot = None,
    surface: Surface = None,
    demo: Demo = False,
    n_threads: options.NThreads = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Cluster the rows of a table of numbers: each climbs the density to a mode.

    Prints one line a cluster: label, points, share, centre.

    \b
    Examples:
      segment points points.csv
      segment points points.csv --bandwidth 0.5 --plot clusters.png -o labelled.csv
      segment points measured.tsv --columns width,height --kernel flat
      segment points survey.csv --columns 2-4 --scale
      sort -u points.txt | segment points - -o labelled.csv
      segment points --demo
    """
    if demo == (file is not None):
        raise typer.BadParameter("give either FILE or --demo")
    if demo and plot is None and has_matplotlib():
        plot = Path("outputs/points-demo.png")
    _check_outputs(output, plot, surface, overwrite)
    display = Display(quiet=quiet)
    with display.working("clustering"), display.compiling():
        from segment.points.clustering import MeanShift

        table = _demo_table() if file is None else _read(file, columns)
        for note in table.notes:
            display.note(note)
        widths = _bandwidth(bandwidth, table.points.shape[1], default=0.5 if demo else None)
        if scale:
            widths = _scaled_bandwidth(table, widths, kernel)
        found = MeanShift(
            widths,
            kernel=kernel,
            min_cluster_size=whole_number("min_size", min_size, minimum=1),
            n_jobs=n_threads,
        ).fit(table.points)
    if demo and not quiet:
        _print_climbs(table, found)
    if not quiet:
        _print_clusters(table, found)
        alone = int((_counts(found) == 1).sum())
        if alone > 0 and len(found.labels_) > FEW:
            display.note(
                f"{alone:,} of the clusters are one point each; --min-size 2 takes them as outliers"
            )
    if demo and plot is None:
        display.note("for a picture of it: pip install 'segment[plot]'")
    if output is not None:
        _write(output, table, found, overwrite)
    if plot is not None:
        _draw(plot, table, found, overwrite)
    if surface is not None:
        _draw_surface(surface, table, found, overwrite)


def _check_outputs(
    output: Path | None, plot: Path | None, surface: Path | None, overwrite: bool
) -> None:
    """Refuse before any work what would be refused after it."""
    from segment.files import refuse_existing

    if (plot is not None or surface is not None) and not has_matplotlib():
        raise ExtraError("plotting", "plot")
    for path in (plot, surface):
        if path is not None and path.suffix.lower() != ".png":
            raise InputError(f"{path} is no .png file; plots are written as PNG")
    if output is not None and output.suffix.lower() not in (".csv", ".tsv"):
        raise InputError(f"{output} is no .csv or .tsv file; tables are written as CSV or TSV")
    centers = None if output is None else _centers_path(output)
    for path in (output, centers, plot, surface):
        if path is not None:
            refuse_existing(path, overwrite=overwrite)


def has_matplotlib() -> bool:
    """Return whether plots can be drawn."""
    import importlib.util

    return importlib.util.find_spec("matplotlib") is not None


def _read(file: Path, columns: str | None) -> Table:
    from segment.points.tables import read_table

    return read_table(file, columns or "")


def _demo_table() -> Table:
    """Return 300 points around (-1, -1), (-1, 1), (1, -1) and (1, 1), always the same."""
    import numpy as np

    from segment.points.tables import Table

    generator = np.random.default_rng(0)
    corners = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
    spots = corners.repeat(75, axis=0) + generator.normal(0, 0.4, (300, 2))
    return Table(generator.permutation(spots), ("x", "y"))


def _bandwidth(text: str | None, d: int, default: float | None) -> float | list[float] | None:
    if text is None:
        return default
    try:
        widths = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--bandwidth {text!r} is neither a number nor {d} numbers with commas between"
        ) from None
    return widths[0] if len(widths) == 1 else widths


def _scaled_bandwidth(table: Table, widths: float | list[float] | None, kernel: str) -> list[float]:
    """Return the bandwidth of each column, given in standard deviations, in its own units."""
    import numpy as np

    from segment.points.bandwidth import estimate_bandwidth
    from segment.points.checks import as_bandwidth

    points = table.points
    middle = points.mean(axis=0)
    largest = np.abs(points - middle).max(axis=0)
    spread = largest * np.std((points - middle) / np.where(largest > 0, largest, 1), axis=0)
    spread[~(spread > 0)] = 1.0
    if widths is None:
        standard = (points - middle) / spread
        widths = estimate_bandwidth(standard, kernel=kernel) if standard.any() else 1.0
    scaled: list[float] = (as_bandwidth(widths, points.shape[1]) * spread).tolist()
    return scaled


def _print_climbs(table: Table, found: MeanShift) -> None:
    print("point -> mode: cluster")
    for (x, y), (mx, my), label in zip(table.points, found.modes_, found.labels_, strict=True):
        print(f"({x:7.3f}, {y:7.3f}) -> ({mx:6.3f}, {my:6.3f}): {label}")
    print()


def _print_clusters(table: Table, found: MeanShift) -> None:
    import numpy as np

    from segment.points.checks import describe
    from segment.points.tables import rounded, shown

    n = len(found.labels_)
    counts = _counts(found)
    width = found.bandwidth_
    few = width if isinstance(width, float) else width[:SHOWN_FEATURES]
    some = " ..." if np.size(width) > SHOWN_FEATURES else ""
    print(
        f"{n} points, {len(counts)} cluster{'s' * (len(counts) != 1)}; "
        f"{found.kernel} kernel, bandwidth {describe(few)}{some}"
    )
    names = [shown(name) for name in table.names[:SHOWN_FEATURES]]
    widths = np.broadcast_to(width, len(table.names))
    columns = [[name if len(name) <= 16 else f"{name[:15]}…"] for name in names]
    for center in found.cluster_centers_[:SHOWN]:
        for cells, value, one in zip(columns, center, widths, strict=False):
            cells.append(rounded(value, one))
    sizes = [max(11, *map(len, cells)) for cells in columns]
    more = " ..." if len(table.names) > SHOWN_FEATURES else ""
    for row, texts in enumerate(zip(*columns, strict=True)):
        place = " ".join(f"{text:>{size}}" for text, size in zip(texts, sizes, strict=True))
        label = row - 1
        if row == 0:
            print(f"label    points   share  {place}{more}")
        else:
            print(f"{label:5d} {counts[label]:9d}  {counts[label] / n:5.1%}  {place}{more}")
    if len(counts) > SHOWN:
        print(f"... and {len(counts) - SHOWN} more (-o writes all)")
    if outliers := n - counts.sum():
        print(f"{-1:5d} {outliers:9d}  {outliers / n:5.1%}  in clusters too small")


def _counts(found: MeanShift) -> Any:
    import numpy as np

    inside = found.labels_[found.labels_ >= 0]
    return np.bincount(inside, minlength=len(found.cluster_centers_))


def _centers_path(output: Path) -> Path:
    return output.with_name(f"{output.stem}.centers{output.suffix}")


def _write(output: Path, table: Table, found: MeanShift, overwrite: bool) -> None:
    from segment.points.tables import write_centers, write_labelled

    output.parent.mkdir(parents=True, exist_ok=True)
    write_labelled(output, table, found.labels_, overwrite=overwrite)
    write_centers(
        _centers_path(output), table, found.cluster_centers_, _counts(found), overwrite=overwrite
    )


def _draw(plot: Path, table: Table, found: MeanShift, overwrite: bool) -> None:
    from segment.files import write_bytes
    from segment.points import plots
    from segment.points.densities import density

    surface = None
    if table.points.shape[1] <= 2:
        surface = density(table.points, found.bandwidth_, kernel=found.kernel, grid=120)
    figure = plots.clusters(
        table.points, found.labels_, found.cluster_centers_, density=surface, names=table.names
    )
    plot.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(plot, plots.to_png(figure), overwrite=overwrite)


def _draw_surface(path: Path, table: Table, found: MeanShift, overwrite: bool) -> None:
    from segment.files import write_bytes
    from segment.points import plots
    from segment.points.densities import density

    if table.points.shape[1] != 2:
        raise InputError(
            f"--surface draws 2 columns, not {table.points.shape[1]}; choose them with --columns"
        )
    values = density(table.points, found.bandwidth_, kernel=found.kernel, grid=120)
    figure = plots.surface(values, names=table.names)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, plots.to_png(figure), overwrite=overwrite)
