"""Cuts of a scene's hierarchy: the same in any windows, tiles and runs, and sensible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.measure import label
from skimage.metrics import adapted_rand_error

import segment
from segment.params import Cut, MeanShiftParams
from segment.scenes import Progress, cutting, describing, options
from segment.scenes.forecast import Density, forecast
from segment.scenes.looks import NEAR, look
from segment.scenes.options import SceneOptions
from segment.scenes.sources import Layout
from tests.scenes.conftest import BANDWIDTHS, read_raster, write_raster

LEAVES: dict[str, Any] = {"spatial_bandwidth": 3, "range_bandwidth": 4}


def cut(src: Any, dst: Path, **more: Any) -> NDArray[Any]:
    segment.scene(src, dst, overwrite=True, **{**LEAVES, **more})
    return read_raster(dst)


def nested(inner: NDArray[Any], outer: NDArray[Any]) -> bool:
    """Whether every region of one lies in a region of the other."""
    pairs = np.unique(np.stack([inner.ravel(), outer.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1]


@pytest.mark.parametrize("nodata", [None, 0])
@pytest.mark.parametrize("connectivity", [1, 2])
def test_windows_tiles_and_jobs_change_nothing(
    nodata: int | None,
    connectivity: int,
    tmp_path: Path,
    photograph: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = np.maximum(photograph, 1)
    if nodata is not None:  # parts that hang together at corners alone, and holes
        pixels[:70, :90] = pixels[70:, 90:] = 0
        pixels[100:104, 20:60] = 0
    src = write_raster(tmp_path / "src.tif", pixels, nodata=nodata)
    found = []
    for side, tile, jobs in ((1024, 2000, 1), (52, 1, 3), (97, 90, 2)):
        monkeypatch.setattr(options, "DESCRIBED", side)
        labels = [
            cut(src, tmp_path / "dst.tif", tile=tile, jobs=jobs, connectivity=connectivity, **at)
            for at in ({"level": 0.0}, {"level": 0.4}, {"n_regions": 5}, {"level": 1.0})
        ]
        found.append(labels)
    leaves, some, five, one = found[0]
    for others in found[1:]:
        np.testing.assert_array_equal(others, found[0])
    expected = segment.mean_shift(
        pixels, mask=(pixels > 0).all(2) if nodata == 0 else None,
        connectivity=connectivity, **LEAVES,
    )  # fmt: skip
    np.testing.assert_array_equal(leaves, expected.labels)
    assert nested(leaves, some)
    assert nested(leaves, five)
    assert leaves.max() > some.max() > 1
    assert five.max() == 5
    parts = label(leaves > 0, connectivity=connectivity, return_num=True)[1]
    assert one.max() == parts
    firsts = np.unique(some[some > 0], return_index=True)[1]
    assert (np.diff(firsts) > 0).all()  # raster order


def test_it_is_the_hierarchy_of_the_leaves(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """Filters differ at the sides and in their samples alone: so hardly do the cuts."""
    leaves = segment.mean_shift(photograph, **LEAVES)
    tree = leaves.hierarchy()
    for n in (100, 20, 6):
        found = cut(photograph, tmp_path / "dst.tif", n_regions=n)
        expected = tree.cut(n_regions=n).labels
        error, _, _ = adapted_rand_error(expected, found)
        assert found.max() == n
        grid = np.add.outer(np.arange(150) // 15, 1000 * (np.arange(190) // 15))
        assert error < 0.25
        assert error < 0.5 * adapted_rand_error(expected, grid)[0]
        assert error < 0.5 * adapted_rand_error(expected, np.ones_like(found))[0]


def test_a_level_means_the_same_on_a_part(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """A scene three times as large has about three times as many regions at any level."""
    large = np.concatenate([photograph, photograph[::-1], photograph])
    for level in (0.2, 0.35):
        one = cut(photograph, tmp_path / "dst.tif", level=level).max()
        three = cut(large, tmp_path / "dst.tif", level=level).max()
        assert 0.75 * 3 * one < three < 1.1 * 3 * one


@pytest.mark.parametrize("kind", ["moved", "floats", "bands", "scaled", "gray"])
def test_any_bands(kind: str, tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    """Units and offsets of bands change nothing: regions are those of the picture."""
    pixels = photograph[:100, :120]
    given: dict[str, Any] = {"color_space": "none", "range_bandwidth": 8.0}
    expected = cut(pixels, tmp_path / "dst.tif", level=0.45, **given)
    if kind == "moved":
        pixels = pixels + np.array([1000, 0, 10**6], np.float32)
    elif kind == "floats":
        pixels = pixels.astype(np.float32) / 4 + 1000
        given |= {"range_bandwidth": 2.0, "tol": 0.1 / 4}
    elif kind == "bands":
        given["range_bandwidth"] = (8.0, 16.0, 4.0)
        pixels = np.multiply(pixels, [1, 2, 0.5], dtype=np.float32)
    elif kind == "scaled":
        given = {"scale": True, "range_bandwidth": 5.0}
    else:
        pixels, given = pixels[..., :1], {"color_space": "luv"}
    found = cut(pixels, tmp_path / "dst.tif", level=0.45, **given)
    assert 1 < found.max() < 60
    if kind in ("moved", "floats", "bands"):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("gray", ["part", "all"])
def test_gray_that_is_saved_as_rgb(
    gray: str, tmp_path: Path, photograph: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part without colours, as large as many windows, is compared as the rest is."""
    pixels = photograph.copy()
    pixels[: 100 if gray == "part" else None] = pixels[: 100 if gray == "part" else None, :, :1]
    expected = cut(pixels, tmp_path / "dst.tif", n_regions=12)
    monkeypatch.setattr(options, "DESCRIBED", 40)
    np.testing.assert_array_equal(cut(pixels, tmp_path / "dst.tif", n_regions=12), expected)
    if gray == "all":
        alone = cut(pixels[..., :1], tmp_path / "dst.tif", n_regions=12)
        np.testing.assert_array_equal(alone, expected)


def test_a_stopped_run_goes_on(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StoppedError(Exception):
        pass

    def stop_at(stage: str, done: int) -> Callable[[Progress], None]:
        def watch(progress: Progress) -> None:
            if progress.stage == stage and progress.done >= done:
                raise StoppedError

        return watch

    monkeypatch.setattr(options, "DESCRIBED", 64)
    expected = cut(raster, tmp_path / "other.tif", level=0.4)
    done: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(cutting, name)

        def call(*arguments: Any) -> Any:
            done.append(name)
            return real(*arguments)

        return call

    for name in ("describe", "find_codebooks", "grow"):
        monkeypatch.setattr(cutting, name, counted(name))
    for stop in (stop_at("describing", 4), stop_at("growing", 0), stop_at("writing", 1)):
        with pytest.raises(StoppedError):
            cut(raster, tmp_path / "dst.tif", level=0.4, jobs=1, progress=stop)
    np.testing.assert_array_equal(cut(raster, tmp_path / "dst.tif", level=0.4), expected)
    assert sorted(set(done)) == ["describe", "find_codebooks", "grow"]
    assert done.count("find_codebooks") == done.count("grow") == 1
    assert 9 <= done.count("describe") <= 11  # nine windows; one or two were ahead
    done.clear()
    with pytest.raises(StoppedError):
        cut(raster, tmp_path / "dst.tif", level=0.4, progress=stop)
    cut(raster, tmp_path / "dst.tif", level=0.4, min_size=60)  # other leaves, the same tiles
    assert done.count("describe") == 18
    assert done.count("find_codebooks") == 1


def test_report_and_outputs(raster: Path, tmp_path: Path) -> None:
    table, shapes = tmp_path / "t.csv", tmp_path / "r.gpkg"
    report = segment.scene(raster, tmp_path / "dst.tif", n_regions=7, table=table, vector=shapes)
    assert (report.n_regions, report.params.spatial_bandwidth) == (7, 5.0)
    assert report.params.range_bandwidth == 4.0
    assert report.n_leaves > 100
    assert report.level is not None
    assert 0 < report.level < 1
    assert report.as_dict()["n_leaves"] == report.n_leaves
    assert len(table.read_text().splitlines()) == 8
    geopandas = pytest.importorskip("geopandas")
    found = geopandas.read_file(shapes).sort_values("label")
    areas = np.bincount(read_raster(tmp_path / "dst.tif").ravel())[1:]
    np.testing.assert_array_equal(found.area / 100, areas)
    again = segment.scene(raster, tmp_path / "dst.tif", level=report.level, overwrite=True)
    assert again.n_regions == 7
    most = segment.scene(raster, tmp_path / "dst.tif", n_regions=10**6, overwrite=True)
    assert most.n_regions == most.n_leaves == report.n_leaves
    assert f"n_regions=1000000 is not possible: there are {report.n_leaves:,} leaves" in most.notes
    plain = segment.scene(raster, tmp_path / "dst.tif", overwrite=True, **BANDWIDTHS)
    assert (plain.level, plain.n_leaves) == (None, plain.n_regions)


def test_nothing_and_one_pixel(tmp_path: Path) -> None:
    nothing = np.zeros((40, 40, 3), np.uint8)
    src = write_raster(tmp_path / "src.tif", nothing, nodata=0)
    assert segment.scene(src, tmp_path / "dst.tif", level=0.5).n_regions == 0
    assert cut(np.zeros((1, 1, 3), np.uint8), tmp_path / "dst.tif", n_regions=3).max() == 1
    line = np.arange(0, 200, dtype=np.uint8)[:, None, None] // 50 * np.uint8(60)
    found = cut(np.repeat(line, 3, axis=2), tmp_path / "dst.tif", n_regions=2, min_size=1)
    assert found.max() == 2


def test_refusals(raster: Path, tmp_path: Path) -> None:
    for given, words in (
        ({"level": 0.5, "n_regions": 4}, "give one of them"),
        ({"level": 1.5}, "level=1.5 is not in 0..1"),
        ({"n_regions": 0}, "n_regions=0 is too small"),
    ):
        with pytest.raises(segment.InputError, match=words):
            segment.scene(raster, tmp_path / "dst.tif", **given)  # type: ignore[arg-type]


def test_memory_for_the_tree_is_foreseen(tmp_path: Path) -> None:
    layout = Layout("src", 10_000, 10_000, ("r", "g", "b"), np.dtype(np.uint8), (512, 512))
    plain = SceneOptions(tmp_path / "dst.tif", memory="4GB", jobs=1)
    merged = replace(plain, level=0.5)
    dense = Density(0.08, 0.05)
    forecast(plain, layout, MeanShiftParams(), dense)
    with pytest.raises(segment.InputError, match="does not hold the graph"):
        forecast(merged, layout, MeanShiftParams(), dense)


def test_what_is_not_seen_counts_for_nothing() -> None:
    rng = np.random.default_rng(0)
    planes = rng.normal(50, 20, (2, 60, 70)).astype(np.float32)
    seen = np.zeros((60, 70), bool)
    seen[10:50, 20:60] = True
    hidden = planes.copy()
    hidden[:, ~seen] = 0
    found = look(hidden, seen, colored=True)
    alone = look(
        np.ascontiguousarray(planes[:, 10:50, 20:60]), np.ones((40, 40), bool), colored=True
    )
    inside = slice(10, 50), slice(20, 60)
    half = slice(5, 25), slice(10, 30)
    np.testing.assert_array_equal(found.colors[:, *inside], alone.colors)
    np.testing.assert_array_equal(found.joint[:, *half], alone.joint)
    np.testing.assert_array_equal(found.textures[:, *half], alone.textures)
    np.testing.assert_array_equal(found.slopes[11:49, 21:59], alone.slopes[1:-1, 1:-1])


def test_looks_depend_on_what_is_near() -> None:
    planes = np.random.default_rng(0).normal(50, 20, (3, 150, 160)).astype(np.float32)
    seen = np.ones(planes.shape[1:], bool)
    whole = look(planes, seen, colored=True)
    part = look(np.ascontiguousarray(planes[:, 16:138, 20:150]), seen[16:138, 20:150], colored=True)
    inside, own = np.s_[..., 48:106, 52:118], np.s_[..., NEAR:-NEAR, NEAR:-NEAR]
    half_inside, half_own = np.s_[..., 24:53, 26:59], np.s_[..., 16:-16, 16:-16]
    np.testing.assert_array_equal(whole.colors[inside], part.colors[own])
    np.testing.assert_array_equal(whole.slopes[inside], part.slopes[own])
    np.testing.assert_array_equal(whole.joint[half_inside], part.joint[half_own])
    np.testing.assert_array_equal(whole.textures[half_inside], part.textures[half_own])


def test_numbered() -> None:
    labels = np.array([[0, 7, 7], [3, 0, 9]], np.uint32)
    leaves, local = describing.numbered(labels)
    np.testing.assert_array_equal(leaves, [3, 7, 9])
    np.testing.assert_array_equal(local, [[0, 2, 2], [1, 0, 3]])
    leaves, local = describing.numbered(np.zeros((2, 2), np.uint32))
    assert not len(leaves)
    assert not local.any()


def test_a_cut_of_a_tree_of_parts() -> None:
    from segment.scenes.work import Regions

    parents = np.array([3, 3, -1, -1], np.int32)
    tree = cutting.Tree(parents, np.array([0, 0, 0, 0.3], np.float32))
    regions = Regions(np.array([5, 6, 7]), [np.array([1, 3, 0], np.uint32), np.array([2, 0])])
    found, level = cutting.cut_regions(regions, tree, Cut(n_regions=1))
    assert level == pytest.approx(0.3)
    np.testing.assert_array_equal(found.areas, [11, 7])
    np.testing.assert_array_equal(found.tables[0], [1, 2, 0])
    assert found.tables[0].dtype == np.uint32
    np.testing.assert_array_equal(found.tables[1], [1, 0])
