"""Numba kernels: contiguous arrays in, arrays out. No validation, no files, no policy."""
