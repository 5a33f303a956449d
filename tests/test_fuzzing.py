"""A few of the cases of `tests.fuzzing`, which runs any number of them."""

from __future__ import annotations

import pytest

from tests.fuzzing import KINDS, fuzz


@pytest.mark.parametrize(
    ("kind", "n"), [("arrays", 60), ("files", 150), ("shapes", 200), ("trees", 150)]
)
def test_nothing_hostile_gets_through(kind: str, n: int) -> None:
    outcomes = fuzz(kind, n)
    assert outcomes.total() == n
    assert len(outcomes) > 1, "all alike: the cases try nothing"
    assert set(KINDS) == {"arrays", "files", "shapes", "trees"}
