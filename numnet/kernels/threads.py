"""How many threads the compiled kernels may use."""

from __future__ import annotations

from .. import _ext
from ..errors import OptionError

__all__ = ["get_num_threads", "set_num_threads"]


def get_num_threads() -> int:
    """The number of threads that a compiled kernel may use; 1 where the kernels are not built."""
    runtime = _ext.modules.get("runtime")
    return runtime.get_num_threads() if runtime else 1


def set_num_threads(n: int) -> None:
    """Let compiled kernels use up to ``n`` threads, for large arrays. The results have the same bits for any number.

    The default is the number of this process's processors, or ``NUMNET_NUM_THREADS``, or ``OMP_NUM_THREADS``. NumPy's
    own threads (BLAS) are not touched; threadpoolctl sets those. Without compiled kernels or OpenMP, and in
    a forked child, where OpenMP would wait for threads that are no more, it stays 1.

    Raises:
        OptionError: no integer from 1 to 4096.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 4096:
        raise OptionError("a number of threads from 1 to 4096", repr(n), "set_num_threads(1)")
    if runtime := _ext.modules.get("runtime"):
        runtime.set_num_threads(n)
