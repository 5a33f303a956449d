"""The one decorator under every kernel: compiled once, cached on disk, free of the GIL.

Parallel work is done by threads that run these serial kernels over fixed chunks (see
`segment.threads`), so there is one build of each kernel and no Numba threading layer to configure.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core.caching import FunctionCache

from segment.errors import FileError
from segment.kernels.compiler import InnerCacheImpl, InnerCompiler, KernelCompiler
from segment.locks import locked

# To be given to a kernel by another one: with a literal 0 it would be compiled for that alone.
ZERO: Any = np.int64(0)

F = TypeVar("F", bound=Callable[..., Any])

# Reassociation lets LLVM vectorise sums; NaN and infinity keep their meaning, because padding and
# masked pixels are infinite.
REASSOCIATE = frozenset({"reassoc", "nsz", "contract"})

PATIENCE = 10.0  # seconds
INNER = "inner"


class SharedCache(FunctionCache):
    """Numba's cache on disk, to which one process at a time adds.

    Numba reads a kernel's index, adds to it and writes it again; what another process has added
    meanwhile would be lost, and its code overwritten by that of other types (numba#4807).
    """

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save what was compiled for a signature.

        Not where the lock is never free, or the disk is full: this process has the kernel anyway.
        """
        until = time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):
            self._impl.locator.ensure_cache_path()
            while time.monotonic() < until:
                try:
                    with locked(Path(self.cache_path), ".segment.lock"):
                        super().save_overload(sig, data)
                    return
                except FileError as error:
                    if error.errno is not None:  # no lock can be had here at all
                        return
                    time.sleep(0.01)

    def is_empty(self) -> bool:
        """Whether nothing that Python calls is kept for the source as it is now."""
        return all(key[-1] == INNER for key in self._cache_file._load_index())


class InnerCache(SharedCache):
    """The cache of what is compiled for other kernels to call."""

    _impl_class = InnerCacheImpl  # type: ignore[assignment]

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), INNER)


def kernel(
    *, fastmath: bool | frozenset[str] = False, inline: str = "never", bare: bool = False
) -> Callable[[F], F]:
    """Compile a module-level function with Numba in nopython mode, without the GIL.

    Parameters
    ----------
    fastmath : bool or frozenset of str
        LLVM fast-math flags; `REASSOCIATE` is the safe set for sums.
    inline : {"never", "always"}
        Numba IR inlining.
    bare : bool
        Leave out Numba's counting of references: the kernel compiles in two thirds of the time, and
        arrays in tuples cost nothing to take out. It may not make arrays nor return any; it gets
        room from its caller, and calls bare kernels only.

    Notes
    -----
    Where neither the installation nor a user cache folder can be written, Numba refuses to cache
    with a RuntimeError at import; the kernel then compiles in memory, once a process.
    """

    def decorate(function: F) -> F:
        options: dict[str, Any] = {
            "nogil": True,
            "error_model": "numpy",
            "fastmath": set(fastmath) if isinstance(fastmath, frozenset) else fastmath,
            "inline": inline,
            "no_cfunc_wrapper": True,  # for callbacks from C
            "_nrt": not bare,
            "pipeline_class": KernelCompiler,
        }
        compiled: Any = numba.njit(**options)(function)
        if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            with contextlib.suppress(RuntimeError):
                compiled._cache = SharedCache(function)
            _part_callers(compiled, function, options)
        return cast(F, compiled)

    return decorate


def _part_callers(compiled: Any, function: Callable[..., Any], options: dict[str, Any]) -> None:
    """Have a kernel compiled by itself for kernels that call it.

    What they call needs nothing to take objects of Python apart, and is optimized and made machine
    code as a part of each of them: a third of the time, and of the code that is kept.
    """

    @functools.cache
    def inner() -> Any:
        inner_options = {**options, "no_cpython_wrapper": True, "pipeline_class": InnerCompiler}
        made: Any = numba.njit(**inner_options)(function)
        with contextlib.suppress(RuntimeError):
            made._cache = InnerCache(function)
        return made

    compiled.get_call_template = lambda args, kws: inner().get_call_template(args, kws)
    compiled.get_overload = lambda signature: inner().get_overload(signature)
