"""Whether the compiled convolutions may use Winograd's method."""

from __future__ import annotations

from .. import _ext
from ..errors import OptionError

__all__ = ["get_winograd", "set_winograd"]


def get_winograd() -> bool:
    """May compiled convolutions use Winograd's method? False where the kernels are not built."""
    runtime = _ext.modules.get("runtime")
    return bool(runtime.get_winograd()) if runtime else False


def set_winograd(allowed: bool) -> None:
    """Let compiled convolutions in float32 use Winograd's method where it is faster, or forbid it, for this process.

    It needs a quarter of the multiplications for a window of 3 × 3 that moves by 1, and a third for one of 5 × 5. Its
    rounding error is two to ten times that of plain sums, up to 4e-6 of the largest result (5e-6 in ∂J/∂W of windows of
    5 × 5); and a NaN or an infinity may spread from a pixel to all results of the tiles, 4 × 4 or 2 × 2, that see it.
    The default is to use it, or, with ``NUMNET_WINOGRAD=0``, not to.

    Raises:
        OptionError: neither True nor False.

    Source: Lavin and Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
    """
    if not isinstance(allowed, bool):
        raise OptionError("True or False", repr(allowed), "set_winograd(False)")
    if runtime := _ext.modules.get("runtime"):
        runtime.set_winograd(allowed)
