"""One picture from file to files: the stages it runs, and how often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segment
import segment.images
import segment.params
from segment import workflow
from segment.exports import KINDS
from segment.params import MeanShiftOptions, MeanShiftParams
from segment.regions import engines
from segment.regions.climbing import climb
from segment.regions.filtering import paint
from segment.regions.labelling import label
from segment.regions.segmenting import segmentation_of
from segment.workflow import Recipe, make

PICTURE = np.random.default_rng(0).integers(0, 90, (40, 50, 3), dtype=np.uint8)


@pytest.fixture
def climbs(monkeypatch: pytest.MonkeyPatch) -> list[MeanShiftParams]:
    """Receives the parameters of each climb."""
    seen: list[MeanShiftParams] = []
    for name, engine in engines.ENGINES.items():

        def counted(*args: Any, engine: engines.Engine = engine) -> engines.Modes:
            seen.append(args[1])
            return engine(*args)

        monkeypatch.setitem(engines.ENGINES, name, counted)
    return seen


def test_all_kinds_are_made_of_one_climb(climbs: list[MeanShiftParams], tmp_path: Path) -> None:
    source = segment.images.write_image(tmp_path / "in.png", PICTURE)
    recipe = Recipe(MeanShiftOptions(spatial_bandwidth="auto"), kinds=tuple(KINDS))
    product = make(source, tmp_path / "out", recipe, n_threads=1)
    assert set(product.outputs) == set(KINDS)
    assert len(climbs) == 1
    filtered = segment.read_image(product.outputs["filtered"]).pixels
    options = climbs[0].as_dict()
    assert options == product.segmentation.params.as_dict()
    del options["min_size"], options["connectivity"]
    np.testing.assert_array_equal(filtered, segment.mean_shift_filter(PICTURE, **options))


@pytest.mark.parametrize("engine", ["fast", "exact"])
def test_labelling_again_does_not_climb(climbs: list[MeanShiftParams], engine: str) -> None:
    options = MeanShiftOptions(spatial_bandwidth=4, range_bandwidth=20, engine=engine)
    climbed = climb(PICTURE, options)
    for min_size in (40, 2, None):
        found = segmentation_of(climbed, min_size=min_size)
        wanted = options.min_size if min_size is None else min_size
        assert found.params.min_size == wanted
        labels, modes = label(climbed, min_size=min_size, n_threads=1)
        np.testing.assert_array_equal(found.labels, labels)
        np.testing.assert_array_equal(found.modes, modes)
        assert np.bincount(labels.ravel())[1:].min() >= wanted
    paint(climbed)
    assert len(climbs) == 1
    with pytest.raises(segment.InputError, match="min_size"):
        label(climbed, min_size=-1)


def test_parameters_of_a_run_are_numbers() -> None:
    climbed = climb(PICTURE, MeanShiftOptions(spatial_bandwidth="auto", range_bandwidth="auto"))
    assert type(climbed.params) is MeanShiftParams
    assert type(climbed.params.spatial_bandwidth) is float
    assert type(climbed.params.range_bandwidth) is float
    with pytest.raises(segment.InputError, match="'auto'"):
        MeanShiftParams(spatial_bandwidth="auto")  # type: ignore[arg-type]


def test_every_engine_has_a_name() -> None:
    assert tuple(engines.ENGINES) == segment.params.ENGINES


def test_progress_goes_forward_alone_and_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    class Show(workflow.Unseen):
        def watch(self, done: int, total: int) -> None:
            seen.append((done, total))

    segment.write_image(tmp_path / "a.png", np.zeros((40, 50, 3), np.uint8))
    workflow.make(tmp_path / "a.png", tmp_path / "a", workflow.Recipe(), n_threads=1, show=Show())
    assert {total for _, total in seen} == {workflow.PARTS}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[0][0] == 0
    assert seen[-1][0] == workflow.PARTS
