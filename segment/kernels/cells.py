"""Mean shift from start cells with a shared memory of trajectories: the fast engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.kernels.jit import kernel
from segment.kernels.window import LANES, window_sums

MAX_CELLS = 16


@kernel()
def cluster_block(
    planes: Any,
    pad: int,
    top: int,
    left: int,
    bottom: int,
    right: int,
    limit2: Any,
    first_cell: int,
    cell_of: Any,
    tile_top: int,
    tile_left: int,
    leaders: Any,
    cells: Any,
) -> int:
    n_bands = planes.shape[0]
    n = 0
    for i in range(top, bottom):
        for j in range(left, right):
            if planes[0, i + pad, j + pad] == np.inf:
                cell_of[i - tile_top, j - tile_left] = -1
                continue
            best = -1
            nearest = np.float32(np.inf)
            for k in range(n):
                d2 = np.float32(0)
                for band in range(n_bands):
                    d = planes[band, i + pad, j + pad] - leaders[k, band]
                    d2 += d * d
                if d2 < nearest:
                    nearest = d2
                    best = k
            if best < 0 or (nearest >= limit2 and n < MAX_CELLS):
                best = n
                n += 1
                for band in range(n_bands):
                    leaders[best, band] = planes[band, i + pad, j + pad]
                    cells[first_cell + best, 3 + band] = 0
                cells[first_cell + best, 0] = 0
                cells[first_cell + best, 1] = 0
                cells[first_cell + best, 2] = 0
            cell = first_cell + best
            cell_of[i - tile_top, j - tile_left] = cell
            cells[cell, 0] += 1
            cells[cell, 1] += i - tile_top
            cells[cell, 2] += j - tile_left
            for band in range(n_bands):
                cells[cell, 3 + band] += planes[band, i + pad, j + pad] - leaders[best, band]
    for k in range(n):
        cell = first_cell + k
        scale = np.float32(1) / cells[cell, 0]
        cells[cell, 1] *= scale
        cells[cell, 2] *= scale
        for band in range(n_bands):
            cells[cell, 3 + band] = leaders[k, band] + cells[cell, 3 + band] * scale
    return first_cell + n


@kernel()
def shift_tile(
    kind: int,
    planes: Any,
    weights: Any,
    bands: Any,
    radius: Any,
    max_iter: int,
    tol2: Any,
    pad: int,
    block: int,
    split2: Any,
    per_s2: Any,
    per_r2: Any,
    join2: Any,
    claim2: Any,
    top: int,
    left: int,
    bottom: int,
    right: int,
    owner: Any,
    stats: Any,
) -> Any:
    n_bands = planes.shape[0]
    height, width = bottom - top, right - left
    block_rows, block_columns = (height + block - 1) // block, (width + block - 1) // block
    cell_of = np.empty((height, width), np.int32)
    cells = np.empty((height * width, 3 + n_bands), np.float32)
    first = np.empty(block_rows * block_columns + 1, np.int32)
    leaders = np.empty((MAX_CELLS, n_bands), np.float32)
    n = 0
    for bi in range(block_rows):
        for bj in range(block_columns):
            first[bi * block_columns + bj] = n
            i, j = top + bi * block, left + bj * block
            n = cluster_block(
                planes,
                pad,
                i,
                j,
                min(i + block, bottom),
                min(j + block, right),
                split2,
                n,
                cell_of,
                top,
                left,
                leaders,
                cells,
            )
    first[block_rows * block_columns] = n
    owned = np.full(n, -1, np.int32)
    link = np.empty(n, np.int32)
    roots = np.empty((n, 2 + n_bands), np.float32)
    center = np.empty(n_bands, np.float32)
    sums = np.empty((3 + n_bands, LANES), np.float32)
    n_roots = 0
    for cell in range(n):
        if owned[cell] >= 0:
            continue
        here = n_roots
        n_roots += 1
        link[here] = here
        owned[cell] = here
        row, column = int(cells[cell, 1] + np.float32(0.5)), int(cells[cell, 2] + np.float32(0.5))
        dy, dx = cells[cell, 1] - np.float32(row), cells[cell, 2] - np.float32(column)
        for band in range(n_bands):
            center[band] = cells[cell, 3 + band]
        stats[1] += 1
        for _ in range(max_iter):
            window_sums(
                kind,
                planes,
                weights,
                bands,
                radius,
                top + row + pad,
                left + column + pad,
                dy,
                dx,
                center,
                sums,
            )
            stats[0] += 1
            weight = sums[0, 0]
            if not weight > np.float32(0):
                break
            scale = np.float32(1) / weight
            sy = sums[1, 0] * scale
            sx = sums[2, 0] * scale
            dy += sy
            dx += sx
            moved = sy * sy + sx * sx
            for band in range(n_bands):
                d = sums[3 + band, 0] * scale
                center[band] += d
                moved += d * d
            if moved < tol2:
                break
            y, x = np.float32(row) + dy, np.float32(column) + dx
            bi, bj = (
                int(np.floor(y + np.float32(0.5))) // block,
                int(np.floor(x + np.float32(0.5))) // block,
            )
            if bi < 0 or bj < 0 or bi >= block_rows or bj >= block_columns:
                continue
            b = bi * block_columns + bj
            nearest = join2
            joined = -1
            for other in range(first[b], first[b + 1]):
                ey, ex = cells[other, 1] - y, cells[other, 2] - x
                d2 = np.float32(0)
                for band in range(n_bands):
                    d = cells[other, 3 + band] - center[band]
                    d2 += d * d
                d2 = d2 * per_r2 + (ey * ey + ex * ex) * per_s2
                if owned[other] < 0:
                    if d2 < claim2:
                        owned[other] = here
                elif d2 < nearest and owned[other] != here:
                    nearest = d2
                    joined = owned[other]
            if joined >= 0:
                link[here] = link[joined]
                stats[2] += 1
                break
        roots[here, 0] = np.float32(top + row) + dy
        roots[here, 1] = np.float32(left + column) + dx
        for band in range(n_bands):
            roots[here, 2 + band] = center[band]
    # Only trajectories that reached a mode of their own stay in the table.
    number = np.empty(n_roots, np.int32)
    kept = 0
    for k in range(n_roots):
        if link[k] == k:
            number[k] = kept
            roots[kept] = roots[k]
            kept += 1
    for k in range(n_roots):
        number[k] = number[link[k]]
    for i in range(height):
        for j in range(width):
            cell = cell_of[i, j]
            owner[top + i, left + j] = number[owned[cell]] if cell >= 0 else -1
    stats[3] += n
    return roots[:kept].copy()
