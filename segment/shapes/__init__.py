"""Label maps as outlines: traced once into arcs, from which polygons, drawings and files are made.

Conventions, in every format unless it has its own:

- **Coordinates** are (x, y) = (column, row) of pixel corners: the upper left pixel covers 0..1 both
  ways, the picture 0..W, 0..H; y points downward. With a transform, map coordinates.
- **Rings** are closed, the first point is the last. Outer rings run counterclockwise in their own
  coordinates (positive shoelace sum; on a screen, where y points downward, clockwise), holes the
  other way. Each begins at its highest, then leftmost, point.
- **Regions** are made of 4-connected pixels; what touches at a corner only is two polygons of one
  MultiPolygon. Label 0 is no region. Regions come by rising label.
- **Neighbours** share every point of their common border.
- **Categories** are called ``region`` unless names are given.
"""

from segment.shapes.polygons import Polygon, Polygons, polygons
from segment.shapes.stream import Tracer, trace
from segment.shapes.writing import write_shapes

__all__ = ["Polygon", "Polygons", "Tracer", "polygons", "trace", "write_shapes"]
