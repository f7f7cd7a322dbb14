"""Progress on stderr: a bar in a terminal, else a line an epoch."""

from __future__ import annotations

import sys
import time
from typing import Any, Self

from .history import OF_THE_RUN, Row

__all__ = ["Progress"]

QUIET = 1.0  # seconds between two lines, so that a thousand short epochs do not fill the screen


class Progress:
    """What is seen of a training. In a ``with`` block, which leaves the terminal as it was.

    Args:
        shown: whether anything is.
        total: how many steps there will be at most.
        done: how many there were before.
    """

    def __init__(self, shown: bool, total: int, done: int) -> None:
        terminal = shown and sys.stderr is not None and sys.stderr.isatty()
        self.bar: Any = _bar(total, done) if terminal else None
        self.lines = shown and sys.stderr is not None and self.bar is None
        self._printed = time.monotonic()
        self._pending = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()
        if self._pending:
            print(self._pending, file=sys.stderr)

    def step(self, J: float) -> None:
        """After each step, with its loss."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {J:.4f}", refresh=False)
            self.bar.update()

    def epoch(self, row: Row, log: str) -> None:
        """After each epoch; ``log`` is a line for stdout, or empty."""
        if log and self.bar is not None:
            self.bar.write(log, file=sys.stdout)
        elif log:
            print(log, flush=True)
        if self.bar is not None:
            held_out = f", validation_loss {row['validation_loss']:.4f}" if "validation_loss" in row else ""
            self.bar.set_description_str(f"epoch {row['epoch']}{held_out}", refresh=False)
        elif self.lines and not log:
            numbers = [f"{name} {value:.4g}" for name, value in row.items() if name not in OF_THE_RUN]
            self._pending = f"epoch {row['epoch']}: {', '.join(numbers)} ({row['seconds']:.1f} s)"
            if time.monotonic() - self._printed >= QUIET:
                print(self._pending, file=sys.stderr, flush=True)
                self._printed, self._pending = time.monotonic(), ""


def _bar(total: int, done: int) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=total, initial=done, unit="step", dynamic_ncols=True, file=sys.stderr)
