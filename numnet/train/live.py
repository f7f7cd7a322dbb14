"""The curves of a training that is still going on: in a file, a notebook, a window or a terminal."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import MissingExtraError, OptionError
from ..io import replacing
from .text_curve import text_curves

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["LiveCurve"]


class LiveCurve:
    """A callback that draws the history anew after every epoch, and never waits for anyone.

        train.fit(net, loss, optimizer, data, epochs=10, callbacks=[train.LiveCurve("curve.png")])

    With ``path`` a picture is written, again and again, whole at every moment. Without, the curves are shown below the
    cell in a notebook; in a window, where matplotlib can open one (closing it does not end the training); and as text
    on stderr everywhere else, for which nothing needs to be installed. In a terminal the text is drawn in place if
    nothing else is printed between (no other callbacks, no ``log``). Otherwise it is printed below what is there,
    whenever there are half as many epochs again, and after the last of ``epochs``.

    Args:
        path: the picture to write.
        text: text in any case, where a window could be opened too.

    Attributes:
        figure: of matplotlib's; ``None`` for text.

    Raises:
        MissingExtraError: matplotlib is not installed, for a file or in a notebook. OptionError: ``path`` and ``text``.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, text: bool = False) -> None:
        if path is not None and text:
            raise OptionError("path or text", "both", "two callbacks: LiveCurve(path), LiveCurve(text=True)")
        self._view: _View
        if text:
            self._view = _Text()
        elif path is not None:
            self._view = _File(path)
        elif _in_notebook():
            self._view = _Notebook()
        else:
            window = _window()
            self._view = _Text() if window is None else _Window(window)
        self.figure: Any = getattr(self._view, "figure", None)

    def __call__(self, trainer: Trainer) -> None:
        self._view.show(trainer)


class _View(Protocol):
    """Where the curves are seen."""

    def show(self, trainer: Trainer) -> None: ...


class _File:
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self.figure = _figure()

    def show(self, trainer: Trainer) -> None:
        trainer.history.draw(self.figure)
        with replacing(self.path) as aside:
            suffix = os.path.splitext(self.path)[1]  # noqa: PTH122 -- of a string or a path
            self.figure.savefig(aside, dpi=110, format=suffix.removeprefix(".") or "png")


class _Notebook:
    def __init__(self) -> None:
        self.figure = _figure()
        self._shown: Any = None  # what is updated

    def show(self, trainer: Trainer) -> None:
        trainer.history.draw(self.figure)
        if self._shown is None:
            self._shown = sys.modules["IPython.display"].display(self.figure, display_id=True)
        else:
            self._shown.update(self.figure)


class _Window:
    def __init__(self, figure: Any) -> None:
        self.figure = figure
        self._open = False
        figure.canvas.mpl_connect("close_event", self._closed)

    def _closed(self, event: Any) -> None:
        self.figure = None

    def show(self, trainer: Trainer) -> None:
        if self.figure is None:  # whoever closes the window has seen enough
            return
        trainer.history.draw(self.figure)
        if not self._open:
            self.figure.show()
            self._open = True
        canvas = self.figure.canvas
        canvas.draw_idle()
        canvas.flush_events()  # handles what has happened to the window, and returns; plt.pause would take the focus


class _Text:
    def __init__(self) -> None:
        self._lines = 0  # of the last drawing, above the cursor
        self._next = 2  # epochs, at which it is printed anew: a curve has two points
        self._latest = 0  # epoch

    def show(self, trainer: Trainer) -> None:
        screen, stream = shutil.get_terminal_size(), sys.stderr
        if stream is None:
            return
        if trainer.epoch <= self._latest:  # another training
            self._lines, self._next = 0, 2
        self._latest = trainer.epoch
        lines = text_curves(trainer.history, min(screen.columns, 80))
        back = ""
        if _is_alone(trainer) and stream.isatty() and len(lines) + 1 < screen.lines:
            back = f"\x1b[{self._lines}A\r\x1b[J" if self._lines else ""  # up, and empty from there
            self._lines = len(lines)
        elif trainer.epoch < self._next and trainer.epoch != trainer.epochs and not trainer.history.stopped:
            return
        self._next = max(trainer.epoch + 1, trainer.epoch * 3 // 2)
        with _without_bar():
            stream.write(back + "\n".join(lines) + "\n")
            stream.flush()


def _is_alone(trainer: Trainer) -> bool:
    """Whether nothing but the bar, which makes room, is printed between two drawings."""
    bar_or_nothing = not trainer.progress or "tqdm" in sys.modules
    return len(trainer.callbacks) == 1 and not trainer.log and bar_or_nothing


def _without_bar() -> Any:
    """A context in which the bar, if there is one, is off the screen."""
    tqdm = sys.modules.get("tqdm")
    return contextlib.nullcontext() if tqdm is None else tqdm.tqdm.external_write_mode(file=sys.stderr)


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "demos") from error
    return Figure(layout="constrained")


def _window() -> Any:
    """A figure with a window of its own; ``None`` where there can be none."""
    try:
        import matplotlib.pyplot as plt

        figure = plt.figure(layout="constrained")
    except ImportError:  # no matplotlib, or none of the kind of window that is asked for
        return None
    if figure.canvas.required_interactive_framework is None:
        plt.close(figure)
        return None
    return figure


def _in_notebook() -> bool:
    """Whether a notebook runs this: IPython is there, and has a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")  # the one mark that IPython gives
