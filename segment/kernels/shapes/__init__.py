"""Kernels of outlines: tracing, rings, simplifying, smoothing, encoding."""
