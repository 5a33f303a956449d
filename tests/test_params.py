"""Parameters: validated once, frozen, plain."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest

from segment.params import MeanShiftParams


def test_defaults_and_numpy_scalars_become_plain_numbers() -> None:
    params = MeanShiftParams(
        spatial_bandwidth=np.float32(8), range_bandwidth=Fraction(13, 2), min_size=np.int64(5)
    )
    assert params == MeanShiftParams(spatial_bandwidth=8.0, range_bandwidth=6.5, min_size=5)
    assert {type(params.spatial_bandwidth), type(params.range_bandwidth)} == {float}
    assert type(params.min_size) is int
    assert type(MeanShiftParams(spatial_bandwidth=8).spatial_bandwidth) is float


def test_as_dict_goes_through_json_and_back() -> None:
    params = MeanShiftParams(kernel="gaussian", color_space="lab", connectivity=2, tol=0.01)
    assert MeanShiftParams(**json.loads(json.dumps(params.as_dict()))) == params


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MeanShiftParams().min_size = 3  # type: ignore[misc]
