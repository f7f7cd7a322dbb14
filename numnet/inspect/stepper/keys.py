"""Keys: single key presses where there is a terminal that gives them, lines everywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .commands import KEYS
from .screen import Screen

__all__ = ["commands_typed", "has_keys", "single_keys"]

_ARROWS = {"C": "next", "D": "back", "A": "turn", "B": "turn"}
_END = "\x04"  # Ctrl-D


def has_keys() -> bool:
    """Whether keys can be read one by one: a terminal on both sides, and the means to switch it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        return False
    try:
        import termios  # noqa: F401
    except ImportError:  # Windows
        return False
    return True


def commands_typed(screen: Screen) -> Iterator[str]:
    """The commands as they are typed, until the input ends. Ctrl-C ends it too, or takes back half a command."""
    source = _by_key(screen) if has_keys() else _by_line(screen)
    try:
        yield from source
    except (EOFError, KeyboardInterrupt):
        screen.write("\n")


def _by_line(screen: Screen) -> Iterator[str]:
    """One command a line, after a prompt; of input that nobody typed, a copy of it."""
    typed = sys.stdin.isatty()
    while True:
        text = input("> ")
        if not typed:
            screen.write(f"{text}\n")
        yield text


def _by_key(screen: Screen) -> Iterator[str]:
    """One command a key; where it needs more than the key, the rest as a line. A colon begins a whole line."""
    while True:
        with single_keys():
            screen.write("> ")
            key = _key()
        if key == _END:
            raise EOFError
        if key in ("\r", "\n"):
            screen.write("\n")
            yield ""
        elif key == " ":
            screen.write("next\n")
            yield "next"
        elif key == ":":
            yield from _rest(screen, ":", "")
        elif key in KEYS and KEYS[key].needs:
            yield from _rest(screen, f"{KEYS[key].word} ", f"{key} ")
        elif key in KEYS:
            screen.write(f"{KEYS[key].word}\n")
            yield key
        elif key in _ARROWS.values():
            screen.write(f"{key}\n")
            yield key
        else:
            screen.write(f"{key if key.isprintable() else ''}\n")
            yield "help" if not key.isprintable() else key


def _rest(screen: Screen, prompt: str, begun: str) -> Iterator[str]:
    """The command that ``begun`` and a line are; none if Ctrl-C takes it back."""
    try:
        text = input(prompt)
    except KeyboardInterrupt:
        screen.write("\n")
    else:
        yield begun + text


@contextmanager
def single_keys() -> Iterator[None]:
    """The terminal gives every key at once and does not show it; afterwards it is as before, whatever happens."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSADRAIN)  # keeps what was typed ahead
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _key() -> str:
    """One key; an arrow as the command that it stands for, any other key of several characters as an escape."""
    first = _character()
    if first != "\x1b" or not _more():
        return first
    text = ""
    while _more():
        text += _character()
    return _ARROWS.get(text[-1:], "\x1b") if text[:1] in ("[", "O") and len(text) == 2 else "\x1b"


def _character() -> str:
    """One character of UTF-8, past the buffer of ``sys.stdin``, which would hide what is left from :func:`_more`."""
    terminal = sys.stdin.fileno()
    data = os.read(terminal, 1)
    if not data:
        raise EOFError
    rest = 0 if data[0] < 0x80 else 1 if data[0] < 0xE0 else 2 if data[0] < 0xF0 else 3
    return (data + b"".join(os.read(terminal, 1) for _ in range(rest))).decode(errors="replace")


def _more() -> bool:
    """Whether more characters of the same key wait."""
    import select

    return bool(select.select([sys.stdin.fileno()], [], [], 0.05)[0])
