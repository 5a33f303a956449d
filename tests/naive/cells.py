"""The fast engine, slow and obvious: plain loops over pixels, cells and trajectories."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def window_sums16(
    planes: Any, radius: float, limit: float, doubled: bool, row: int, column: int, y: float,
    x: float, center: Any,
) -> list[float]:  # fmt: skip
    """Weight, rows, columns and bands of the flat window, in exact integers but for the rows.

    The window is about the nearest sixteenth of a pixel, the sums are relative to the centre.
    """
    n_bands, height, width = planes.shape
    sums = [0.0] * (3 + n_bands)
    middle_y, middle_x = row + round(y * 16) / 16, column + round(x * 16) / 16
    for i in range(height):
        for j in range(width):
            d = [clip16(int(planes[k, i, j]) - int(center[k])) for k in range(n_bands)]
            squares = sum(clip16((1 + doubled) * value) ** 2 >> 16 for value in d)
            if (i - middle_y) ** 2 + (j - middle_x) ** 2 < radius**2 and squares < limit:
                for k, value in enumerate([1, i - row - y, j - column - x, *d]):
                    sums[k] += value
    return sums


def clip16(value: int) -> int:
    return max(-(2**15), min(2**15 - 1, value))


def cluster(features: Any, block: int, radius: float, most: int) -> tuple[Any, list[Any]]:
    """Return the cell of each pixel (-1 where infinite) and the cells: size, row, column, means."""
    _, height, width = features.shape
    cell_of = np.full((height, width), -1)
    cells: list[list[tuple[int, int]]] = []
    for top in range(0, height, block):
        for left in range(0, width, block):
            leaders: list[tuple[int, Any]] = []
            for i in range(top, min(top + block, height)):
                for j in range(left, min(left + block, width)):
                    color = features[:, i, j]
                    if math.isinf(color[0]):
                        continue
                    far = [float(((color - leader) ** 2).sum()) for _, leader in leaders]
                    if not far or (min(far) >= radius**2 and len(leaders) < most):
                        leaders.append((len(cells), color))
                        cells.append([])
                        chosen = len(leaders) - 1
                    else:
                        chosen = far.index(min(far))
                    cell = leaders[chosen][0]
                    cells[cell].append((i, j))
                    cell_of[i, j] = cell
    table = []
    for members in cells:
        colors = np.mean([features[:, i, j] for i, j in members], axis=0)
        position = np.mean(members, axis=0)
        table.append([len(members), *position, *colors])
    return cell_of, table


def shift_tile(
    features: Any, hs: float, hr: float, *, block: int, cell_radius: float, join: float,
    claim: float, smooth: float, space_share: float, most: int, max_iter: int, tol: float,
    max_travel: float,
) -> tuple[Any, Any]:  # fmt: skip
    """Modes of one tile that is the whole image, flat kernel: owner (H, W) and table (n, 2 + C)."""
    _, height, width = features.shape
    cell_of, cells = cluster(features, block, cell_radius * hr, most)
    rows, columns = np.mgrid[:height, :width]
    owned: dict[int, int] = {}
    roots: list[Any] = []
    link: list[int] = []
    per_row = -(-width // block)
    block_of = {}
    for i in range(height):
        for j in range(width):
            if cell_of[i, j] >= 0:
                block_of[int(cell_of[i, j])] = (i // block) * per_row + j // block
    for cell in sorted(range(len(cells)), key=lambda c: (-cells[c][0], c)):
        if cell in owned:
            continue
        here = len(roots)
        owned[cell] = here
        link.append(here)
        point = np.array(cells[cell][1:], float)
        start = point.copy()
        for _ in range(max_iter):
            with np.errstate(invalid="ignore"):
                colors = ((features - point[2:, None, None]) ** 2).sum(axis=0)
            inside = (rows - point[0]) ** 2 + (columns - point[1]) ** 2 < hs**2
            inside &= colors < hr**2
            if not inside.any():
                break
            mean = np.array(
                [rows[inside].mean(), columns[inside].mean(), *features[:, inside].mean(axis=1)]
            )
            moved = float(((mean - point) ** 2).sum())
            point = mean
            if moved < tol**2 or abs(point[:2] - start[:2]).max() >= max_travel:
                break
            at = (math.floor((point[0] + 0.5) / block)) * per_row + math.floor(
                (point[1] + 0.5) / block
            )
            met = []
            for other in (c for c in range(len(cells)) if block_of[c] == at):
                away = np.array(cells[other][1:]) - point
                distance2 = (away[2:] ** 2).sum() / hr**2
                distance2 += (away[:2] ** 2).sum() * (space_share / hs) ** 2
                if other not in owned:
                    if distance2 < claim**2:
                        owned[other] = here
                        cells[other][1:] = point
                elif owned[other] != here and distance2 < join**2:
                    met.append((distance2, other))
            if met:
                link[here] = link[owned[min(met)[1]]]
                break
        roots.append(point)
    kept = [k for k in range(len(roots)) if link[k] == k]
    number = {k: kept.index(link[k]) for k in range(len(roots))}
    owner = np.array([[-1 if c < 0 else number[owned[int(c)]] for c in row] for row in cell_of])
    table = np.array([roots[k] for k in kept])
    return smooth_borders(owner, table, features, hs, hr, block, smooth, space_share), table


def smooth_borders(
    owner: Any, table: Any, features: Any, hs: float, hr: float, block: int, smooth: float,
    space_share: float,
) -> Any:  # fmt: skip
    """Give pixels on slopes the nearest of the modes beyond the sides of their block."""
    height, width = owner.shape
    out = owner.copy()
    for i in range(height):
        for j in range(width):
            own = owner[i, j]
            if own < 0:
                continue
            top, left = i // block * block, j // block * block
            candidates = [own]
            for y, x in [(top - 1, j), (top + block, j), (i, left - 1), (i, left + block)]:
                if not (0 <= y < height and 0 <= x < width) or owner[y, x] < 0:
                    continue
                apart = np.linalg.norm(table[own, 2:] - table[owner[y, x], 2:])
                steep = np.linalg.norm(features[:, i, j] - features[:, y, x])
                if apart <= hr and steep <= smooth * hr:
                    candidates.append(owner[y, x])
            point = np.array([i, j, *features[:, i, j]])
            scale = np.array([space_share / hs] * 2 + [1 / hr] * len(features))
            away = [np.linalg.norm((table[c] - point) * scale) for c in candidates]
            out[i, j] = candidates[int(np.argmin(away))]
    return out
