"""Points become clusters: the same mean shift without the grid of pixels."""
