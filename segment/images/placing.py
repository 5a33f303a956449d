"""Where a picture lies on a map: the coordinates that a GeoTIFF gives to its pixels."""

from __future__ import annotations

from segment.errors import ExtraError
from segment.images.picture import Image, Placement
from segment.notices import no_warnings


def placement(image: Image) -> Placement | None:
    """Return where an image lies on a map; None if its file does not say, or is not to be found.

    Raises
    ------
    ExtraError
        If the file says it, and rasterio, which understands it, is missing.
    """
    if image.place is not None:
        return image.place
    if image.geo_directory is None or image.path in {"", "-"}:
        return None
    try:
        import rasterio
    except ImportError as error:
        raise ExtraError("placing polygons on the map", "scene") from error
    errors = rasterio.errors
    try:
        name = f"GTIFF_DIR:{image.geo_directory}:{image.path}"
        with no_warnings(errors.NotGeoreferencedWarning), rasterio.open(name) as dataset:
            if dataset.crs is None or dataset.shape != image.shape:
                return None
            return Placement(dataset.crs.to_wkt(), tuple(dataset.transform)[:6])
    except (errors.RasterioIOError, errors.CRSError):
        return None
