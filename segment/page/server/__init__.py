"""The explorer served from this machine to this machine: ``segment tune``."""

from __future__ import annotations
