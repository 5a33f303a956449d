"""Whole folders: plan, work in processes, a manifest that lets any run be resumed, a report."""

from __future__ import annotations

from segment.batching.api import batch
from segment.batching.options import BatchOptions
from segment.batching.report import Failure, Progress, Report

__all__ = ["BatchOptions", "Failure", "Progress", "Report", "batch"]
