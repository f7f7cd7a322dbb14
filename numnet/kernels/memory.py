"""The memory that compiled kernels keep for their next results."""

from __future__ import annotations

from .. import _ext

__all__ = ["empty_cache"]


def empty_cache() -> None:
    """Give the memory that is kept for the next results back to the system.

    Compiled kernels keep what their large results (64 KiB and more) leave when they die, for the next ones: about as
    much as a training step needs at once. What has long been of no use goes back by itself, but only while kernels
    run. ``NUMNET_NO_CACHE=1`` keeps nothing. What you still hold is never touched.
    """
    if runtime := _ext.modules.get("runtime"):
        runtime.empty_cache()
