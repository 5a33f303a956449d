"""The one decorator under every kernel: compiled once, cached on disk, free of the GIL.

Parallel work is done by threads that run these serial kernels over fixed chunks (see
`segment.threads`), so there is one build of each kernel and no Numba threading layer to configure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

# To be given to a kernel by another one: with a literal 0 it would be compiled for that alone.
ZERO: Any = np.int64(0)

F = TypeVar("F", bound=Callable[..., Any])

# Reassociation lets LLVM vectorise sums; NaN and infinity keep their meaning, because padding and
# masked pixels are infinite.
REASSOCIATE = frozenset({"reassoc", "nsz", "contract"})


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
        }
        try:
            compiled: F = numba.njit(cache=True, **options)(function)
        except RuntimeError:
            compiled = numba.njit(**options)(function)
        return compiled

    return decorate
