"""Kernels of point sets."""
