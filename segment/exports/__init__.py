"""What is saved of one segmentation: which files, under which names, with what in them."""

from __future__ import annotations

from segment.exports.kinds import KINDS, Kind, check_options, every_kind, parse_kinds
from segment.exports.names import STDOUT, fitting, output_path, output_paths, output_stem, page_stem
from segment.exports.product import Product
from segment.exports.saving import save
from segment.exports.writers import rows, summary, to_json
from segment.params import DEFAULT_KINDS

__all__ = [
    "DEFAULT_KINDS",
    "KINDS",
    "STDOUT",
    "Kind",
    "Product",
    "check_options",
    "every_kind",
    "fitting",
    "output_path",
    "output_paths",
    "output_stem",
    "page_stem",
    "parse_kinds",
    "rows",
    "save",
    "summary",
    "to_json",
]
