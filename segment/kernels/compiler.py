"""Numba's compiler without what kernels do not use.

Before a first picture a hundred kernels are compiled; this takes a third less time than Numba's
own compiler does, for the same code. All of it relies on Numba's inside, and is used by
`segment.kernels.jit` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import binding
from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import ir, typed_passes, types, untyped_passes
from numba.core.caching import CompileResultCacheImpl
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, CompileResult, Flags
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.inline_closurecall import InlineWorker


class QuickFlags(Flags):
    """Numba's flags of a compilation, which it compares some 80,000 times in a first run."""

    _sorted = hash(tuple(sorted(Flags.options)))

    def __hash__(self) -> int:
        return self._sorted

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Flags) and self._values == other._values:
            return True
        return bool(super().__eq__(other))


# The function is kept, too, for its identity to stay its own.
_ANSWERS: dict[tuple[Any, ...], tuple[Any, Any]] = {}


class RememberingContext:
    """Numba's typing context, which remembers what operators and NumPy functions return.

    Numba finds it out anew wherever one is called, several thousand times for some 800 answers.
    """

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, args: Any, kws: Any) -> Any:
        """Return the signature of a call."""
        if kws or type(function) is not types.Function:  # another kernel, say
            return self._context.resolve_function_type(function, args, kws)
        key = (id(function), *args)
        if key not in _ANSWERS:
            answer = self._context.resolve_function_type(function, args, kws)
            if answer is None:
                return None
            _ANSWERS[key] = function, answer
        return _ANSWERS[key][1]


class _OwnBlock(ir.Block):
    """A block of code that nobody else has, so that whoever wants a copy may take it."""

    def __deepcopy__(self, memo: Any) -> _OwnBlock:
        return self


class _Inliner(InlineWorker):
    """Numba's inliner, which does not copy code twice nor run passes of no use to it."""

    def __init__(self, state: Any) -> None:
        given = (state.typingctx, state.targetctx, state.locals, state.pipeline, state.flags)
        super().__init__(*given, validator=None)
        self._compiler_pipeline = _inlined_passes  # type: ignore[assignment]

    def run_untyped_passes(self, func: Callable[..., Any], enable_ssa: bool = False) -> Any:
        """Return the code of a function."""
        found = super().run_untyped_passes(func, enable_ssa)
        for block in found.blocks.values():
            block.__class__ = _OwnBlock
        return found


@register_pass(mutates_CFG=True, analysis_only=False)
class InlineKernels(untyped_passes.InlineInlinables):
    """Inline kernels that ask for it."""

    _name = "inline_kernels"

    def _do_work(self, state: Any, *others: Any) -> bool:
        *where, _ = others  # the last is Numba's inliner
        return bool(super()._do_work(state, *where, _Inliner(state)))  # type: ignore[call-arg]


class InnerLibrary(JITCodeLibrary):
    """Code of a kernel that kernels call: it becomes part of theirs, and machine code there."""

    @classmethod
    def of(cls, context: Any, name: str) -> InnerLibrary:
        """Return an empty library, which may be kept in the cache."""
        library = cls(context.codegen(), name)
        library.enable_object_caching()
        return library

    @classmethod
    def restored(cls, context: Any, kept: tuple[str, str, bytes]) -> InnerLibrary:
        """Return a library from the cache."""
        name, _, bitcode = kept
        library = cls.of(context, name)
        library._final_module = binding.parse_bitcode(bitcode)
        library._finalize_final_module()
        return library

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def _optimize_final_module(self) -> None:
        pass

    def serialize_using_object_code(self) -> Any:
        """Return what is kept in the cache."""
        return self.serialize_using_bitcode()


def _known_by(library: InnerLibrary, description: Any, environment: Any) -> Any:
    """Return what Numba knows code by: an object that Python could call, were there an address."""
    module, name = description.lookup_module(), description.qualname
    return _dynfunc.make_function(module, name, name, 0, environment, (library,))


@register_pass(mutates_CFG=True, analysis_only=False)
class InnerLowering(typed_passes.NativeLowering):
    """Make code that kernels can call."""

    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        """Make it."""
        library = InnerLibrary.of(state.targetctx, state.func_id.func_qualname)
        state.update(library=library)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        known_by = _known_by(library, lowered.fndesc, lowered.env)
        state.targetctx.insert_user_function(known_by, lowered.fndesc, [library])
        state["cr"] = lowered._replace(cfunc=known_by)
        return True


class _Restoring:
    """Numba's target context, which takes code of inner kernels from the cache as `InnerLibrary`.

    Numba itself would make machine code of it, not optimized, and callers that are compiled later
    would run that in place of their own.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self.typing_context = context.typing_context

    def codegen(self) -> _Restoring:
        """Return what `unserialize_library` is asked of."""
        return self

    def unserialize_library(self, kept: Any) -> InnerLibrary:
        """Return a library from the cache."""
        return InnerLibrary.restored(self._context, kept)

    def get_executable(self, library: InnerLibrary, description: Any, environment: Any) -> Any:
        """Return what Numba knows the code by."""
        return _known_by(library, description, environment)


class InnerCacheImpl(CompileResultCacheImpl):
    """How what is compiled for other kernels to call is taken from the cache."""

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        """Return the compiled kernel."""
        environments = payload[-1]  # these have their place in machine code
        kept = (*payload[:-1], ())
        restored = CompileResult._rebuild(_Restoring(target_context), *kept)
        return restored._replace(target_context=target_context, referenced_envs=environments)


# Not among these: closures and comprehensions, `with`, `literal_unroll`, expressions of whole
# arrays that become one loop, and NumPy functions that ask to be inlined.
_FRONT = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.RewriteSemanticConstants,
    untyped_passes.GenericRewrites,
)
_MIDDLE = (
    InlineKernels,
    untyped_passes.DeadBranchPrune,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.IRLegalization,
    typed_passes.AnnotateTypes,
)


def _passes(name: str, *steps: Any) -> PassManager:
    """Return passes, each of which walks all of the code."""
    passes = PassManager(name)
    for step in steps:
        passes.add_pass(step, step.__name__)
    passes.finalize()
    return passes


def _inlined_passes(_: Any) -> PassManager:
    return _passes("inlined", *_FRONT)


class KernelCompiler(CompilerBase):
    """The compiler of a kernel that Python calls."""

    _lowering: Any = typed_passes.NativeLowering

    def __init__(
        self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any,
        locals: Any,
    ) -> None:  # fmt: skip
        quick: Any = QuickFlags
        super().__init__(typingctx, targetctx, library, args, return_type, quick(flags), locals)
        self.state.typingctx = RememberingContext(typingctx)

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes."""
        back = (self._lowering, typed_passes.NoPythonBackend)
        return [_passes("kernel", *_FRONT, *_MIDDLE, *back)]


class InnerCompiler(KernelCompiler):
    """The compiler of a kernel that kernels call."""

    _lowering = InnerLowering
