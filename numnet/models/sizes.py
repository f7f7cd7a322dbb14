"""What every model refuses: sizes below 1."""

from __future__ import annotations

from ..errors import OptionError

__all__ = ["expect_sizes"]


def expect_sizes(width: float = 1.0, **sizes: int | None) -> None:
    """Refuse a width that is not a positive number, and sizes below 1; ``None`` is a size left out.

    Raises:
        OptionError: naming what is wrong.
    """
    if not 0 < width < float("inf"):
        raise OptionError("a positive width, the factor for the channels of every layer", f"width={width}", "width=1.0")
    for name, size in sizes.items():
        if size is not None and size < 1:
            cure = "len(vocab)" if name == "vocab_size" else "raise it"
            raise OptionError(f"{name} of at least 1", f"{name}={size}", cure)
