"""The MeanShift estimator: against its naive twin, against scikit-learn, and its protocol."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from segment import InputError, MeanShift
from segment.points.basins import MERGE
from segment.points.clustering import NotFittedError
from tests.naive import points as naive

FOUR_BLOBS = Path(__file__).parents[2].parent / "shared" / "points" / "four_blobs.csv"


def blobs(n: int = 120, d: int = 2, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = np.zeros((3, d))
    centers[1, 0] = 5
    centers[2] = 4
    return rng.normal(0, 0.6, (n, d)) + centers[np.arange(n) % 3]


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = np.unique(np.stack((a, b)), axis=1)
    return pairs.shape[1] == len(np.unique(a)) == len(np.unique(b))


@pytest.mark.parametrize("kernel", ["flat", "epanechnikov", "gaussian"])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_fit_agrees_with_the_naive_twin(kernel: str, d: int) -> None:
    points = blobs(d=d)
    width = 1.2 if kernel != "gaussian" else 0.7
    found = MeanShift(width, kernel=kernel, tol=1e-4).fit(points)
    radius = MERGE[kernel] * width
    centers, labels, ends = naive.fit(points, kernel, width, radius, 1e-4, 300)
    assert same_partition(found.labels_, labels)
    np.testing.assert_allclose(found.modes_, ends, atol=2e-3)
    order = naive.nearest(centers, found.cluster_centers_)
    np.testing.assert_allclose(found.cluster_centers_[order], centers, atol=2e-3)


def test_the_four_blobs_have_their_four_modes() -> None:
    if not FOUR_BLOBS.exists():
        pytest.skip("shared data absent")
    points = np.loadtxt(FOUR_BLOBS, delimiter=",")
    found = MeanShift(0.5).fit(points)
    modes = np.array([(-0.949, -0.951), (-0.871, 0.946), (0.895, 0.930), (1.004, -0.931)])
    order = naive.nearest(modes, found.cluster_centers_)
    assert sorted(order) == [0, 1, 2, 3]
    np.testing.assert_allclose(found.cluster_centers_[order], modes, atol=0.002)
    assert len(found.cluster_centers_) == 4


def test_three_blobs_without_a_bandwidth() -> None:
    rng = np.random.default_rng(0)
    middles = np.array([(2, 2, 2), (7, 7, 7), (5, 13, 13)])
    points = rng.normal(0, 0.6, (150, 3)) + middles.repeat(50, axis=0)
    found = MeanShift().fit(points)
    assert same_partition(found.labels_, np.arange(3).repeat(50))
    order = naive.nearest(middles, found.cluster_centers_)
    np.testing.assert_allclose(found.cluster_centers_[order], middles, atol=0.4)


def sklearn_attractors(
    points: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scikit-learn's centres, its labels, and the centre each point climbs to."""
    from sklearn import cluster
    from sklearn.cluster._mean_shift import _mean_shift_single_seed
    from sklearn.neighbors import NearestNeighbors

    theirs = cluster.MeanShift(bandwidth=width).fit(points)
    neighbors = NearestNeighbors(radius=width).fit(points)
    ends = np.array([_mean_shift_single_seed(p, points, neighbors, 300)[0] for p in points])
    return theirs.cluster_centers_, theirs.labels_, naive.nearest(ends, theirs.cluster_centers_)


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6])
def test_the_flat_kernel_finds_scikit_learns_modes(d: int) -> None:
    """Random mixtures: the same centres, and the same labels where theirs are attractors."""
    agree = total = 0
    for seed in range(9 if d <= 2 else 8):
        rng = np.random.default_rng(100 * d + seed)
        k = int(rng.integers(2, 6))
        middles = rng.uniform(0, 10, (k, d))
        points = rng.normal(0, rng.uniform(0.4, 1.2), (40, d)) + middles[rng.integers(0, k, 40)]
        width = float(rng.uniform(1.2, 2.5)) * np.sqrt(d)
        centers, labels, attractors = sklearn_attractors(points, width)
        found = MeanShift(width, kernel="flat", tol=1e-3).fit(points)
        assert same_partition(found.labels_, attractors)
        order = naive.nearest(found.cluster_centers_, centers)
        used = np.unique(attractors)
        np.testing.assert_array_equal(np.sort(order), used)
        np.testing.assert_allclose(found.cluster_centers_, centers[order], atol=1e-9)
        theirs = labels == attractors
        assert same_partition(found.labels_[theirs], labels[theirs])
        agree, total = agree + int(theirs.sum()), total + len(points)
    assert agree > 0.9 * total


def estimator_checks() -> list[dict[str, object]]:
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        # It says that the class does not inherit from scikit-learn's.
        warnings.simplefilter("ignore")
        return list(check_estimator(MeanShift(), on_skip=None, on_fail=None))


def test_scikit_learn_accepts_the_estimator() -> None:
    results = estimator_checks()
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert failed == {}
    # Only what needs an array API set up in the environment may be left out.
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}
    assert len(results) > 40


@pytest.mark.parametrize("kernel", ["gaussian", "flat"])
def test_scikit_learns_checks_for_clusterers(kernel: str) -> None:
    """check_estimator leaves them out for classes that do not inherit from ClusterMixin."""
    from sklearn.utils import estimator_checks

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for check in estimator_checks._yield_clustering_checks(MeanShift(kernel=kernel)):
            check("MeanShift", MeanShift(kernel=kernel))


def test_pipelines_clones_and_pickles() -> None:
    from sklearn.base import clone, is_clusterer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    points = blobs()
    chain = make_pipeline(StandardScaler(), MeanShift(0.4)).fit(points)
    assert same_partition(chain.predict(points), np.arange(len(points)) % 3)
    found = MeanShift(0.7).fit(points)
    assert is_clusterer(found)
    assert clone(found).get_params() == found.get_params()
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict(points), found.labels_)
    assert len(pickle.dumps(found)) < 12 * points.nbytes


def test_it_runs_without_scikit_learn() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from segment import MeanShift\n"
        "print(MeanShift(2).fit([[0., 0], [1, 0], [9, 9]]).predict([[8, 8]]))\n"
        "try: MeanShift().predict([[1.]])\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[1]", "this MeanShift is not fitted yet; call fit first"]


@pytest.mark.parametrize("kernel", ["flat", "gaussian"])
def test_predict_climbs_and_gives_the_labels_of_fit(kernel: str) -> None:
    points = blobs(300)
    found = MeanShift(0.8, kernel=kernel).fit(points)
    np.testing.assert_array_equal(found.predict(points), found.labels_)
    nearest = found.predict(points, nearest_center=True)
    np.testing.assert_array_equal(nearest, naive.nearest(points, found.cluster_centers_))


def test_labels_follow_the_climb_not_the_nearest_centre() -> None:
    """A long ridge of points leads away from a centre that is nearer."""
    ridge = np.stack([np.linspace(0, 10, 200), np.zeros(200)], axis=1)
    heavy = np.tile([[10.5, 0.0]], (300, 1)) + np.linspace(0, 0.01, 300)[:, None]
    other = np.tile([[0.0, 2.5]], (50, 1)) + np.linspace(0, 0.01, 50)[:, None]
    points = np.concatenate((ridge, heavy, other))
    found = MeanShift(1.0, kernel="flat").fit(points)
    for i in range(0, len(points), 20):
        end, _, _ = naive.climb(points, np.ones(len(points)), "flat", 1.0, points[i], 1e-4, 300)
        label = naive.nearest(end[None], found.cluster_centers_)[0]
        assert found.labels_[i] == label


@pytest.mark.parametrize("kernel", ["flat", "epanechnikov", "gaussian"])
def test_labels_depend_neither_on_threads_nor_on_the_order(kernel: str) -> None:
    rng = np.random.default_rng(5)
    points = np.concatenate([rng.normal(c, 1, (2500, 2)) for c in (0, 4)])
    one = MeanShift(1.0, kernel=kernel, tol=1e-3, n_jobs=1).fit(points)
    two = MeanShift(1.0, kernel=kernel, tol=1e-3, n_jobs=2).fit(points)
    np.testing.assert_array_equal(one.labels_, two.labels_)
    np.testing.assert_array_equal(one.cluster_centers_, two.cluster_centers_)
    order = rng.permutation(len(points))
    shuffled = MeanShift(1.0, kernel=kernel, tol=1e-3).fit(points[order])
    np.testing.assert_array_equal(shuffled.labels_, one.labels_[order])


@pytest.mark.parametrize("kernel", ["flat", "gaussian"])
def test_weights_count_as_repeated_points(kernel: str) -> None:
    points = blobs(90)
    weights = np.random.default_rng(1).integers(0, 4, 90)
    weighted = MeanShift(1.0, kernel=kernel).fit(points, sample_weight=weights)
    repeated = MeanShift(1.0, kernel=kernel).fit(points.repeat(weights, axis=0))
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, atol=1e-4)
    np.testing.assert_array_equal(weighted.labels_.repeat(weights), repeated.labels_)


def test_each_feature_may_have_its_own_bandwidth() -> None:
    points = blobs()
    stretched = points * [1, 100]
    plain = MeanShift(0.7).fit(points)
    found = MeanShift([0.7, 70]).fit(stretched)
    np.testing.assert_array_equal(found.labels_, plain.labels_)
    np.testing.assert_allclose(found.cluster_centers_, plain.cluster_centers_ * [1, 100], rtol=1e-3)
    expected = plain.score_samples(points) - np.log(100)
    np.testing.assert_allclose(found.score_samples(stretched), expected, rtol=1e-6)


def test_seeds_and_bins() -> None:
    points = blobs()
    one = MeanShift(0.7, seeds=[points[0]]).fit(points)
    assert len(one.cluster_centers_) == 1
    assert (one.labels_ == 0).all()
    orphans = MeanShift(0.7, seeds=[points[0]], cluster_all=False).fit(points)
    every = MeanShift(0.7).fit(points)
    np.testing.assert_array_equal(orphans.labels_ >= 0, every.labels_ == every.labels_[0])
    binned = MeanShift(0.7, bin_seeding=True).fit(points)
    assert same_partition(binned.labels_, every.labels_)
    frequent = MeanShift(0.7, bin_seeding=True, min_bin_freq=5).fit(points)
    assert same_partition(frequent.labels_, every.labels_)


def test_orphans_are_farther_than_the_kernel_reaches() -> None:
    points = np.array([[0.0], [0.1], [0.2], [0.9], [1.8], [9.0]])
    found = MeanShift(1.0, kernel="flat", cluster_all=False).fit(points)
    centers = found.cluster_centers_[:, 0]
    for x, label, mode in zip(points[:, 0], found.labels_, found.modes_[:, 0], strict=True):
        away = abs(x - centers[np.argmin(abs(mode - centers))])
        assert (label == -1) == (away > 1.0)
    assert found.predict([[100.0]]) == [-1]


def test_score_samples_is_the_log_density() -> None:
    points = blobs()
    found = MeanShift(0.7).fit(points)
    expected = naive.density(points, "gaussian", 0.7, points + 0.2) / (2 * np.pi * 0.7**2)
    np.testing.assert_allclose(found.score_samples(points + 0.2), np.log(expected), atol=1e-3)
    flat = MeanShift(0.7, kernel="flat").fit(points)
    assert flat.score_samples([[1e3, 0]]) == [-np.inf]


@pytest.mark.parametrize("kernel", ["flat", "epanechnikov", "gaussian"])
def test_obvious_results(kernel: str) -> None:
    one = MeanShift(kernel=kernel).fit([[1.0, 2.0]])
    np.testing.assert_array_equal(one.cluster_centers_, [[1, 2]])
    assert one.labels_.tolist() == [0]
    equal = MeanShift(kernel=kernel).fit(np.full((30, 3), 7.0))
    np.testing.assert_allclose(equal.cluster_centers_, [[7, 7, 7]])
    assert not equal.labels_.any()
    apart = MeanShift(1.0, kernel=kernel).fit([[0.0], [1e6]])
    assert len(apart.cluster_centers_) == 2


def test_points_are_not_written_to_and_any_layout_gives_the_same() -> None:
    points = blobs()
    points.setflags(write=False)
    expected = MeanShift(0.7).fit(points).labels_
    for same in (np.asfortranarray(points), points.astype(">f8"), points.tolist()):
        np.testing.assert_array_equal(MeanShift(0.7).fit(same).labels_, expected)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1.0, 2.0, 3.0], "Reshape your data"),
        (np.zeros((0, 2)), "0 sample"),
        (np.zeros((3, 0)), "0 feature"),
        ([[1.0, np.nan]], "NaN in row 0, column 1"),
        ([[1.0], [np.inf]], "infinity"),
        ([["a", "b"]], "text"),
        ([[1.0, 2.0], [1.0]], "ragged"),
        ([[1 + 2j]], "Complex data not supported"),
        (np.zeros((2, 1001)), "1001 features"),
        ([[1e200, 0], [-1e200, 0]], "overflow"),
    ],
)
def test_bad_points_get_one_clear_line(X: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        MeanShift(1.0).fit(X)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bandwidth": 0}, "bandwidth=0 must be finite and above 0"),
        ({"bandwidth": -1.0}, "above 0"),
        ({"bandwidth": "wide"}, "bandwidth='wide'"),
        ({"bandwidth": [1, 2, 3]}, r"shape \(3,\) but the points have 2 features"),
        ({"bandwidth": [1, 0]}, "above 0"),
        ({"kernel": "round"}, "kernel='round' is unknown"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"tol": 0}, "tol=0"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"cluster_all": "yes"}, "neither True nor False"),
        ({"seeds": [[1e6, 1e6]], "kernel": "flat"}, "of any seed"),
        ({"seeds": [[1.0]]}, "1 features"),
        ({"bin_seeding": True, "min_bin_freq": 1000}, "min_bin_freq=1000"),
        ({"min_bin_freq": 0}, "min_bin_freq=0"),
    ],
)
def test_bad_parameters_get_one_clear_line(params: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        MeanShift(**{"bandwidth": 1.0, **params}).fit(blobs(30))
    assert "\n" not in str(caught.value)


def test_weights_are_checked() -> None:
    points = blobs(30)
    for weights, message in (
        (np.ones(3), "shape"),
        (-np.ones(30), "at least 0"),
        (np.zeros(30), "zero everywhere"),
        (["a"] * 30, "no number"),
    ):
        with pytest.raises(InputError, match=message):
            MeanShift(1.0).fit(points, sample_weight=weights)


def test_other_misuse() -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        MeanShift().predict([[1.0]])
    with pytest.raises(InputError, match="'width' is no parameter"):
        MeanShift().set_params(width=3)
    with pytest.raises(InputError, match="1 features, but MeanShift is expecting 2 features"):
        MeanShift(1.0).fit(blobs(30)).predict([[1.0]])
    assert repr(MeanShift(2, kernel="flat")) == "MeanShift(bandwidth=2, kernel='flat')"


def test_any_max_iter_and_any_offset_will_do() -> None:
    points = blobs(300)
    expected = MeanShift(0.8, kernel="flat").fit(points).labels_
    many = MeanShift(0.8, kernel="flat", max_iter=10**12).fit(points)
    np.testing.assert_array_equal(many.labels_, expected)
    far = MeanShift(0.8, kernel="flat").fit(points + 2.0**20)
    np.testing.assert_array_equal(far.labels_, expected)


@pytest.mark.parametrize("kernel", ["flat", "epanechnikov", "gaussian"])
@pytest.mark.parametrize("power", [-990, -500, 500, 990])
def test_any_scale_will_do(kernel: str, power: int) -> None:
    """Powers of two change no digit, so results are the same but for that factor."""
    points, factor = blobs(), 2.0**power
    plain = MeanShift(0.75, kernel=kernel).fit(points)
    found = MeanShift(0.75 * factor, kernel=kernel).fit(points * factor)
    np.testing.assert_array_equal(found.labels_, plain.labels_)
    np.testing.assert_array_equal(found.cluster_centers_, plain.cluster_centers_ * factor)
    expected = plain.score_samples(points) - 2 * power * np.log(2)
    np.testing.assert_allclose(found.score_samples(points * factor), expected, rtol=1e-12)
    with pytest.raises(InputError, match="beyond 1e-300 to 1e"):
        MeanShift(1e-305).fit(points)


def test_large_offsets_change_nothing() -> None:
    points = np.rint(blobs(300) * 1000)
    plain = MeanShift(800.0).fit(points)
    for offset in (1.7e12, -1e14):
        found = MeanShift(800.0).fit(points + offset)
        np.testing.assert_array_equal(found.labels_, plain.labels_)
        np.testing.assert_allclose(
            found.cluster_centers_ - offset, plain.cluster_centers_, atol=0.1
        )


def test_single_precision_in_and_out() -> None:
    points = blobs().astype(np.float32)
    found = MeanShift(0.7).fit(points)
    assert found.cluster_centers_.dtype == found.modes_.dtype == np.float32
    np.testing.assert_array_equal(found.predict(points), found.labels_)
    assert MeanShift(0.7).fit(points.tolist()).cluster_centers_.dtype == np.float64


def test_threads_are_counted_as_in_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    from segment.points import densities

    monkeypatch.setattr(densities, "resolve_n_threads", lambda _: 8)
    counts = {n: densities.threads_of(n) for n in (None, -1, -2, -8, -50, 1, 3, np.int64(2))}
    assert list(counts.values()) == [8, 8, 7, 1, 1, 1, 3, 2]
    for bad in (0, True, 1.5, "all"):
        with pytest.raises(InputError, match="n_jobs="):
            densities.threads_of(bad)


def test_columns_of_data_frames() -> None:
    import pandas as pd

    frame = pd.DataFrame(blobs(), columns=["x", "y"])
    found = MeanShift(0.7).fit(frame)
    assert found.feature_names_in_.tolist() == ["x", "y"]
    np.testing.assert_array_equal(found.predict(frame), found.labels_)
    for other, message in (
        (frame[["y", "x"]], "same order as they were in fit"),
        (frame.rename(columns={"y": "z"}), "unseen at fit time: z"),
        (frame[["x"]], "now missing: y"),
    ):
        for method in (found.predict, found.score_samples):
            with pytest.raises(InputError, match="feature names should match.*" + message):
                method(other)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        found.predict(frame.to_numpy())
    found.fit(frame.to_numpy())
    assert not hasattr(found, "feature_names_in_")
    with pytest.warns(UserWarning, match="fitted without feature names"):
        found.predict(frame)
    with pytest.raises(TypeError, match="string names"):
        found.fit(frame.rename(columns={"y": 1}))


def as_scikit_learn(**options: object) -> MeanShift:
    """Return the estimator with what scikit-learn's has fixed."""
    return MeanShift(**{"kernel": "flat", "tol": 1e-3, **options})


def their_mean_shift(X: np.ndarray, **options: object) -> tuple[np.ndarray, np.ndarray]:
    found = as_scikit_learn(**options).fit(X)
    return found.cluster_centers_, found.labels_


# What scikit-learn's own tests ask and this estimator does otherwise.
DIFFERENT = {
    "test_estimate_bandwidth_1sample": "no bandwidth of 0 is ever returned",
    "test_mean_shift_zero_bandwidth": "no bandwidth of 0 is ever returned",
    "test_meanshift_all_orphans": "the message has other words",
    "test_bin_seeds": "it tests get_bin_seeds, a function that only scikit-learn has",
}


def test_scikit_learns_own_tests_pass(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The functions of the installed test module, with its names replaced, on both precisions."""
    import inspect
    import itertools

    request.config.addinivalue_line("markers", "thread_unsafe: a mark of scikit-learn's")

    from sklearn.cluster.tests import test_mean_shift as theirs

    from segment import estimate_bandwidth

    monkeypatch.setattr(theirs, "MeanShift", as_scikit_learn)
    monkeypatch.setattr(theirs, "mean_shift", their_mean_shift)
    monkeypatch.setattr(theirs, "estimate_bandwidth", estimate_bandwidth)
    passed = set()
    for name, test in vars(theirs).items():
        if not name.startswith("test_") or name in DIFFERENT:
            continue
        choices = [{}]
        for mark in getattr(test, "pytestmark", []):
            if mark.name == "parametrize":
                names = [part.strip() for part in mark.args[0].split(",")]
                rows = [row if len(names) > 1 else (row,) for row in mark.args[1]]
                choices = [dict(zip(names, row, strict=True)) for row in rows]
        fixtures = {"global_dtype": (np.float32, np.float64), "global_random_seed": (0, 42)}
        wanted = {p: fixtures[p] for p in inspect.signature(test).parameters if p in fixtures}
        for choice, values in itertools.product(choices, itertools.product(*wanted.values())):
            test(**choice, **dict(zip(wanted, values, strict=True)))
        passed.add(name)
    assert len(passed) >= 8
    assert set(DIFFERENT) <= set(vars(theirs))


@pytest.mark.parametrize("bin_seeding", [False, True])
def test_few_values_many_times_are_a_cluster_each(bin_seeding: bool) -> None:
    points = np.array([[1.0], [1], [1], [2], [2], [2], [3], [3]])
    found = as_scikit_learn(bin_seeding=bin_seeding).fit(points)
    assert same_partition(found.labels_, points[:, 0])


@pytest.mark.parametrize("kernel", ["gaussian", "flat", "epanechnikov"])
def test_clusters_too_small_are_outliers(kernel: str) -> None:
    """A point far from all others is a cluster, unless clusters have a smallest size."""
    rng = np.random.default_rng(0)
    far = np.array([[40.0, 0], [0, 40], [40, 40], [40.2, 40]])
    points = np.concatenate([far, rng.normal(0, 0.5, (300, 2)), rng.normal(9, 0.5, (200, 2))])
    every = MeanShift(2, kernel=kernel).fit(points)
    assert np.bincount(every.labels_).tolist() == [300, 200, 2, 1, 1]
    for size, kept in ((2, 3), (3, 2), (250, 1), (1000, 0)):
        found = MeanShift(2, kernel=kernel, min_cluster_size=size).fit(points)
        expected = np.where(every.labels_ < kept, every.labels_, -1)
        np.testing.assert_array_equal(found.labels_, expected)
        np.testing.assert_array_equal(found.predict(points), expected)
        np.testing.assert_array_equal(found.cluster_centers_, every.cluster_centers_[:kept])
        assert found.predict([[41.0, 0]]).tolist() == [-1]
    weights = np.ones(len(points))
    weights[:1] = 3  # one point that stands for three
    found = MeanShift(2, kernel=kernel, min_cluster_size=3).fit(points, sample_weight=weights)
    assert found.labels_[0] == 2
    with pytest.raises(InputError, match="min_cluster_size=0 is too small"):
        MeanShift(2, min_cluster_size=0).fit(points)


def test_masked_weights_weigh_nothing() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (80, 2))
    weights = np.ma.masked_array(np.full(80, 7.0), mask=np.arange(80) % 3 == 0)
    found = MeanShift(0.7).fit(points, sample_weight=weights)
    plain = MeanShift(0.7).fit(points, sample_weight=weights.filled(0))
    np.testing.assert_array_equal(found.cluster_centers_, plain.cluster_centers_)
    with pytest.raises(InputError, match="zero everywhere"):
        MeanShift(0.7).fit(points, sample_weight=np.ma.masked_all(80))
