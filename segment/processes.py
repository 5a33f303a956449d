"""Other processes of Python, which work for this one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO


def start_python(program: str, errors: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start a program with pipes to its standard input and from its standard output.

    Parameters
    ----------
    program : str
        Lines of Python. They find the same modules as this process, wherever those were found,
        whatever the current folder holds.
    errors : file or int
        Where its standard error goes, as `subprocess` takes it.

    Raises
    ------
    OSError
        If no more processes are allowed.
    """
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {program}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,  # a Ctrl-C in the terminal reaches only us
    )
