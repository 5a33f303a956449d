"""How decoders say that a picture is incomplete, or not there."""

from __future__ import annotations

from segment.images.picture import Image

# Exceptions whose text is about the file, and not about Python.
TELLING = (OSError, SyntaxError, ValueError, EOFError)


def words(error: Exception) -> str:
    """Return what to tell of a decoder's exception."""
    text = str(error)
    if not text or not isinstance(error, TELLING) or isinstance(error, UnicodeError):
        return "its structure is broken"
    return text


class NoSuchPage(Exception):
    """The file is sound but has fewer pages."""

    def __init__(self, page: int, n_pages: int) -> None:
        super().__init__(
            f"page {page} is not there: it has {n_pages}, counted from 0; choose another --page"
        )


class Damage(Exception):
    """The data are cut short or corrupt; carries what there is of the picture, if anything."""

    def __init__(self, reason: str, image: Image | None = None) -> None:
        super().__init__(reason)
        self.image = image
