"""The curves of a training that is still going on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError
from ..io import replacing

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["LiveCurve"]


class LiveCurve:
    """A callback that draws the history anew after every epoch.

        train.fit(net, loss, optimizer, data, epochs=10, callbacks=[train.LiveCurve("curve.png")])

    Args:
        path: the picture to write, again and again, whole at every moment. Without one, the curves are shown: below
            the cell in a notebook, in a window elsewhere.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        try:
            import matplotlib.figure
        except ImportError as error:
            raise MissingExtraError("matplotlib", "demos") from error
        self.path = path
        self._shown: Any = None  # what a notebook updates
        if path is None and not _in_notebook():
            import matplotlib.pyplot as plt

            self.figure = plt.figure(layout="constrained")
        else:
            self.figure = matplotlib.figure.Figure(layout="constrained")

    def __call__(self, trainer: Trainer) -> None:
        trainer.history.draw(self.figure)
        if self.path is not None:
            with replacing(self.path) as aside:
                suffix = os.path.splitext(self.path)[1]  # noqa: PTH122 -- of a string or a path
                self.figure.savefig(aside, dpi=110, format=suffix.removeprefix(".") or "png")
        elif _in_notebook():
            if self._shown is None:
                self._shown = sys.modules["IPython.display"].display(self.figure, display_id=True)
            else:
                self._shown.update(self.figure)
        else:
            import matplotlib.pyplot as plt

            self.figure.show()
            plt.pause(0.001)


def _in_notebook() -> bool:
    """Whether a notebook runs this: IPython is there, and has a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")  # the one mark that IPython gives
