"""Points become clusters: the same mean shift without the lattice of pixels."""
