"""The one decorator under every kernel: compiled once, cached on disk, free of the GIL.

Parallel work is done by threads that run these serial kernels over fixed chunks (see
`segment.threads`), so there is one build of each kernel and no Numba threading layer to configure.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import typed_passes, untyped_passes
from numba.core.caching import FunctionCache
from numba.core.compiler import CompilerBase, Flags
from numba.core.compiler_machinery import PassManager

from segment.errors import FileError
from segment.locks import locked

# To be given to a kernel by another one: with a literal 0 it would be compiled for that alone.
ZERO: Any = np.int64(0)

F = TypeVar("F", bound=Callable[..., Any])

# Reassociation lets LLVM vectorise sums; NaN and infinity keep their meaning, because padding and
# masked pixels are infinite.
REASSOCIATE = frozenset({"reassoc", "nsz", "contract"})

PATIENCE = 10.0  # seconds


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
        """Whether nothing is kept for the source as it is now."""
        return not self._cache_file._load_index()


class QuickFlags(Flags):
    """Numba's flags of a compilation, which it compares some 80,000 times in a first run."""

    _sorted = hash(tuple(sorted(Flags.options)))

    def __hash__(self) -> int:
        return self._sorted

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Flags) and self._values == other._values:
            return True
        return bool(super().__eq__(other))


class KernelCompiler(CompilerBase):
    """Numba's compiler without what kernels do not use, each of which walks all of the code.

    That is closures and comprehensions, `with`, `literal_unroll`, expressions of whole arrays that
    become one loop, and NumPy functions that ask to be inlined.
    """

    def __init__(
        self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any,
        locals: Any,
    ) -> None:  # fmt: skip
        quick: Any = QuickFlags
        super().__init__(typingctx, targetctx, library, args, return_type, quick(flags), locals)

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes."""
        passes = PassManager("kernel")
        for step in (
            untyped_passes.TranslateByteCode,
            untyped_passes.FixupArgs,
            untyped_passes.IRProcessing,
            untyped_passes.RewriteSemanticConstants,
            untyped_passes.GenericRewrites,
            untyped_passes.InlineInlinables,
            untyped_passes.DeadBranchPrune,
            untyped_passes.ReconstructSSA,
            typed_passes.NopythonTypeInference,
            typed_passes.PreLowerStripPhis,
            typed_passes.IRLegalization,
            typed_passes.AnnotateTypes,
            typed_passes.NativeLowering,
            typed_passes.NoPythonBackend,
        ):
            passes.add_pass(step, step.__name__)
        passes.finalize()
        return [passes]


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
        return cast(F, compiled)

    return decorate
