"""An image becomes regions: planes, modes, labels, the tree in which regions merge."""
