"""Mean-shift clustering of points: scikit-learn's estimator protocol, without scikit-learn."""

from __future__ import annotations

import inspect
import sys
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError, SegmentError
from segment.params import KERNELS, choice, positive_number, whole_number
from segment.points.bandwidth import estimate_bandwidth
from segment.points.basins import MERGE, Basins, Ends, Rules, merge_ends, nearest
from segment.points.checks import (
    Frame,
    Names,
    as_bandwidth,
    as_points,
    as_weights,
    check_feature_names,
    describe,
    feature_names,
)
from segment.points.densities import log_density_at, threads_of

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

# How far from its centre a point is still within the kernel, in bandwidths.
WITHIN = {"flat": 1.0, "epanechnikov": 1.0, "gaussian": 3.0}


def _float_type(X: ArrayLike) -> type[np.floating[Any]]:
    """Return the type of results over `X`: single precision for single, double for all else."""
    return np.float32 if np.asarray(X).dtype == np.float32 else np.float64


class NotFittedError(SegmentError, ValueError, AttributeError):
    """The estimator was asked for labels before `fit`."""


class MeanShift:
    """Mean-shift clustering: each point climbs the density to a mode, and modes are clusters.

    Parameters
    ----------
    bandwidth : float or array-like of shape (n_features,), optional
        Radius of the kernel (the standard deviation of the Gaussian), in units of the features; an
        array gives each feature its own. None estimates it as
        ``estimate_bandwidth(X, kernel=kernel)``, by the number of clusters that lives longest.
    kernel : {"gaussian", "flat", "epanechnikov"}, default="gaussian"
        Weights of the mean. With "flat", ``tol=1e-3`` and the same bandwidth, the modes are
        scikit-learn's.
    seeds : array-like of shape (n_seeds, n_features), optional
        Where to look for modes; by default from every point.
    bin_seeding : bool, default=False
        Look for modes only from the bins, one bandwidth wide, that hold at least `min_bin_freq`
        points. Kept for scikit-learn's sake: it can lose modes, and is hardly faster here.
    min_bin_freq : int, default=1
        See `bin_seeding`.
    cluster_all : bool, default=True
        If false, orphans get the label -1: points that climb to no known mode, and points farther
        from their cluster's centre than the kernel reaches (1 bandwidth, 3 for the Gaussian).
    min_cluster_size : int, default=1
        Clusters that weigh less, in points, are none: their points are orphans, -1. A point far
        from all others is a mode of its own, and so a cluster, as in scikit-learn; with 2 or more
        it is an outlier, as in `sklearn.cluster.HDBSCAN`.
    max_iter : int, default=300
        Most steps of one trajectory.
    tol : float, default=1e-4
        A trajectory ends when its step is at most so many bandwidths long.
    n_jobs : int, optional
        Threads; None and -1 mean every core, -2 all but one, and so on. The result is the same on
        any number.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Modes, by falling kernel sum; float32 where the points are, else float64.
    labels_ : ndarray of shape (n_samples,), int64
        Cluster of each point: the attractor it climbed to. Orphans are -1.
    modes_ : ndarray of shape (n_samples, n_features)
        Where each point ended.
    n_iter_ : int
        Steps of the longest trajectory.
    bandwidth_ : float or ndarray of shape (n_features,)
        Bandwidth used.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,), object
        Names of the columns, if the points came as a DataFrame whose names are all text.

    Notes
    -----
    *Modes.* Ends within a fraction of the bandwidth of a stronger end are that mode: 1 for "flat"
    (as in scikit-learn), 0.5 for "epanechnikov", 0.2 for "gaussian". Labels follow the climb;
    scikit-learn's go to the nearest centre, which may be in another basin.

    *Accuracy.* Flat sums are exact, for the closed ball; so are Epanechnikov sums in up to 3
    dimensions, but for rounding. Otherwise sums are gathered, and the Gaussian's truncated, so that
    each mean is within 6e-4 bandwidths of the exact one, by bounds at each node of a k-d tree. From
    500 points in up to 3 dimensions Gaussian steps follow a spline through the logarithm of the
    density, on a lattice where points lie close together. Means are within 6e-4 bandwidths then
    too, except that where one heavy place hands over to another they may be off by 5e-3: borders
    between clusters move by so much, modes do not.

    *Sharing.* Flat trajectories that reach the same place share the rest of the way. From 5,000
    points in up to 3 dimensions, trajectories that enter a cell (a quarter or half of a bandwidth
    wide) deep inside a basin end there; deep means that all cells around it climb to the same
    place, from windows whose sum is at least 200 points (flat), 100 (epanechnikov) or 50
    (gaussian). Neither depends on the order of the points.

    *Cost.* Memory is linear in the number of points: some 200 bytes each in 2 dimensions, in 3 from
    200 to 1,000, and more where a ball of one bandwidth holds less than some ten points. Up to 3
    dimensions time is close to linear too: a million points in the plane take one or two seconds,
    and 200,000 in space from one second (bandwidth half the spread of a cluster, Gaussian) to ten
    (a quarter). Beyond 3 dimensions a step costs about the number of points in the window: some
    10,000 points are fine, 100,000 take minutes to hours. Above about 20 dimensions distances are
    so alike that a window holds one point or nearly all: reduce the dimensions first.

    References
    ----------
    .. [1] D. Comaniciu and P. Meer, "Mean shift: a robust approach toward feature space analysis",
       IEEE PAMI 24(5), 2002.
    .. [2] M. A. Carreira-Perpinan, "Acceleration strategies for Gaussian mean-shift image
       segmentation", CVPR 2006.

    Examples
    --------
    >>> from segment import MeanShift
    >>> found = MeanShift(bandwidth=2).fit([[1, 1], [2, 1], [1, 0], [14, 17], [13, 15], [13, 16]])
    >>> found.labels_
    array([0, 0, 0, 1, 1, 1])
    """

    def __init__(
        self,
        bandwidth: float | ArrayLike | None = None,
        *,
        kernel: str = "gaussian",
        seeds: ArrayLike | None = None,
        bin_seeding: bool = False,
        min_bin_freq: int = 1,
        cluster_all: bool = True,
        min_cluster_size: int = 1,
        max_iter: int = 300,
        tol: float = 1e-4,
        n_jobs: int | None = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.kernel = kernel
        self.seeds = seeds
        self.bin_seeding = bin_seeding
        self.min_bin_freq = min_bin_freq
        self.cluster_all = cluster_all
        self.min_cluster_size = min_cluster_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_jobs = n_jobs

    # Clustering.

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the modes, and the mode of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.
        y : ignored
            Present for scikit-learn's pipelines.
        sample_weight : array-like of shape (n_samples,), optional
            Weights: a point of weight 2 counts as two, one of weight 0, or masked, only gets a
            label.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If the points or a parameter cannot be used, or no point lies near any seed.
        """
        del y
        names = feature_names(X)
        points = as_points(X)
        weights = as_weights(sample_weight, len(points))
        rules = self._rules()
        bandwidth = self._choose_bandwidth(points, weights)
        frame = Frame.over(points, bandwidth)
        moved = frame.into(points)
        seeds = self._seeds(points[weights > 0], bandwidth)

        self.n_features_in_ = points.shape[1]
        self._name_features(names)
        self.bandwidth_, self._frame = bandwidth, frame
        self._points, self._weights = points, weights
        basins = self._make_basins(rules)
        self._basins: Basins | None = basins
        ends = basins.climb(moved)
        if seeds is None:
            sources = ends.of(weights > 0)
        else:
            sources = basins.climb(frame.into(seeds))
        centers = merge_ends(sources, MERGE[self.kernel] * frame.radius)
        if not len(centers):
            raise InputError(
                f"no point lies within the bandwidth ({describe(bandwidth)}) of any seed; give "
                "seeds among the points, or a larger bandwidth"
            )
        self._centers = centers
        number = self._modes_of(moved, ends)
        self._label = self._large_enough(number, weights)
        self.cluster_centers_ = frame.back(centers[self._label >= 0]).astype(_float_type(X))
        self.labels_ = self._labelled(number)
        self.modes_ = frame.back(ends.places[ends.row]).astype(_float_type(X))
        self.n_iter_ = max(ends.most_steps, sources.most_steps)
        return self

    def predict(self, X: ArrayLike, *, nearest_center: bool = False) -> Labels:
        """Return the cluster of new points: they climb the density of the fitted ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.
        nearest_center : bool, default=False
            Take the nearest centre instead, as scikit-learn does: faster, but a point may then get
            another label than it had in `fit`.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int64
            Index into `cluster_centers_`. A point that climbs to no known mode gets the centre
            nearest to where it ended, or -1 if `cluster_all` is false; -1 also if what it climbs to
            is smaller than `min_cluster_size`.
        """
        self._check_fitted()
        check_feature_names(getattr(self, "feature_names_in_", None), X, "MeanShift")
        moved = self._frame.into(as_points(X, self.n_features_in_))
        if nearest_center:
            return self._labelled(self._modes_of(moved, None))
        if self._basins is None:
            self._basins = self._make_basins(self._rules())
        return self._labelled(self._modes_of(moved, self._basins.climb(moved)))

    def fit_predict(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Labels:
        """Fit, and return `labels_`."""
        return self.fit(X, y, sample_weight=sample_weight).labels_

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return the logarithm of the density at points, under the kernel; -inf where it is 0."""
        self._check_fitted()
        check_feature_names(getattr(self, "feature_names_in_", None), X, "MeanShift")
        at = as_points(X, self.n_features_in_)
        return log_density_at(
            self._points, self._weights, self.bandwidth_, self.kernel, at, threads_of(self.n_jobs)
        )

    # What fit is made of.

    def _rules(self) -> Rules:
        """Check the parameters that do not depend on the points."""
        choice("kernel", self.kernel, KERNELS)
        whole_number("min_bin_freq", self.min_bin_freq, minimum=1)
        whole_number("min_cluster_size", self.min_cluster_size, minimum=1)
        for name in ("bin_seeding", "cluster_all"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise InputError(f"{name}={getattr(self, name)!r} is neither True nor False")
        return Rules(
            kernel=self.kernel,
            radius=0.0,
            tol=positive_number("tol", self.tol),
            max_iter=whole_number("max_iter", self.max_iter, minimum=1),
            n_threads=threads_of(self.n_jobs),
        )

    def _choose_bandwidth(self, points: Floats, weights: Floats) -> float | Floats:
        if self.bandwidth is not None:
            return as_bandwidth(self.bandwidth, points.shape[1])
        held = points[weights > 0]
        if not np.ptp(held, axis=0).any():
            return 1.0  # equal points are one cluster at any bandwidth
        return estimate_bandwidth(points, kernel=self.kernel, sample_weight=weights)

    def _seeds(self, points: Floats, bandwidth: float | Floats) -> Floats | None:
        if self.seeds is not None:
            return as_points(self.seeds, points.shape[1], owner="MeanShift (its seeds)")
        if not self.bin_seeding:
            return None
        bins, count = np.unique(np.round(points / bandwidth), axis=0, return_counts=True)
        bins = bins[count >= self.min_bin_freq]
        if not len(bins):
            raise InputError(
                f"no bin holds min_bin_freq={self.min_bin_freq} points; lower it, or give a larger "
                "bandwidth"
            )
        return bins * bandwidth

    def _make_basins(self, rules: Rules) -> Basins:
        radius = self._frame.radius
        rules = Rules(rules.kernel, radius, rules.tol, rules.max_iter, rules.n_threads)
        return Basins(self._frame.into(self._points), self._weights, rules)

    def _name_features(self, names: Names | None) -> None:
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _large_enough(self, number: Labels, weights: Floats) -> Labels:
        """Return the label of each mode: -1 where fewer than enough points climbed to it."""
        mass = np.bincount(number[number >= 0], weights[number >= 0], len(self._centers))
        large = mass >= (self.min_cluster_size if self.min_cluster_size > 1 else 0)
        return np.where(large, np.cumsum(large) - 1, -1)

    def _labelled(self, number: Labels) -> Labels:
        """Return the labels of points that climbed to these modes."""
        labels: Labels = np.where(number < 0, -1, self._label[number])
        return labels

    def _modes_of(self, starts: Floats, ends: Ends | None) -> Labels:
        """Return the mode at the end of each start, -1 of orphans; nearest if `ends` is None."""
        radius = self._frame.radius
        if ends is None:
            number, _ = nearest(starts, self._centers)
        else:
            number, distance = nearest(ends.places, self._centers)
            if not self.cluster_all:
                number[distance > MERGE[self.kernel] * radius * (1 + 1e-9)] = -1
            number = number[ends.row]
        if not self.cluster_all:
            away = np.linalg.norm(starts - self._centers[number], axis=1)
            number[away > WITHIN[self.kernel] * radius] = -1
        return number

    # The estimator protocol.

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        del deep  # no parameter is an estimator
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; they are checked in `fit`."""
        known = self._names()
        for name, value in params.items():
            if name not in known:
                raise InputError(f"{name!r} is no parameter; choose among {', '.join(known)}")
            setattr(self, name, value)
        return self

    @classmethod
    def _names(cls) -> list[str]:
        return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def _check_fitted(self) -> None:
        if hasattr(self, "labels_"):
            return
        message = "this MeanShift is not fitted yet; call fit first"
        theirs = sys.modules.get("sklearn.exceptions")
        if theirs is not None:  # whoever has loaded scikit-learn expects its error
            both = type("NotFittedError", (NotFittedError, theirs.NotFittedError), {})
            raise both(message)
        raise NotFittedError(message)

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        shown = []
        for name, parameter in defaults.items():
            if name == "self":
                continue
            value = getattr(self, name, parameter.default)
            if value is not parameter.default and repr(value) != repr(parameter.default):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __getstate__(self) -> dict[str, Any]:
        # What is built over the points is built again when needed: it is larger than they are.
        return {**self.__dict__, "_basins": None} if hasattr(self, "labels_") else self.__dict__

    def __sklearn_tags__(self) -> Any:
        """Describe the estimator to scikit-learn, which alone calls this."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="clusterer",
            target_tags=TargetTags(required=False),
            input_tags=InputTags(),
        )
