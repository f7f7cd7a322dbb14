"""Commands: what a user can say to the stepper, by word, by letter and by key."""

from __future__ import annotations

import difflib
from typing import NamedTuple

from ...errors import OptionError

__all__ = ["COMMANDS", "KEYS", "Command", "command_of"]


class Command(NamedTuple):
    """One command.

    Attributes:
        word: its name.
        letter: its short name, which is a key of its own on a terminal.
        takes: what may follow it; empty if nothing.
        needs: whether something has to follow.
        help: one line.
    """

    word: str
    letter: str
    takes: str
    needs: bool
    help: str


COMMANDS = {
    word: Command(word, letter, takes, needs, text)
    for word, letter, takes, needs, text in [
        ("next", "n", "", False, "the next step; so do the right arrow and an empty line at the start"),
        ("back", "b", "", False, "one step back; so does the left arrow"),
        ("jump", "j", "STEP", True, "to a step: 6, backward, fc1, backward fc1, or the step that made 2.weight.grad"),
        ("into", "i", "[CONTAINER]", False, "to the first step of the next container, such as encoder of encoder.fc1"),
        ("over", "o", "[CONTAINER]", False, "past the container that begins here, or that this step is in"),
        ("turn", "t", "", False, "to the same layer's other pass: forward, backward; so do the up and down arrows"),
        ("forward", "f", "", False, "to stage 1 of 4, the forward pass"),
        ("loss", "l", "", False, "to stage 2, the loss"),
        ("delta", "d", "", False, "to stage 3, the backward pass, where δ begins"),
        ("update", "u", "", False, "to stage 4, the update of the parameters"),
        ("print", "p", "NAME[INDEX]", True, "an array, a part of it (0.delta[0, 1:3]) or one number (0.delta 0 2)"),
        ("map", "m", "NAME[INDEX]", True, "a picture of it: · + # for more and more above 0, : - = below"),
        ("explain", "e", "NAME INDEX", True, "one number with the arithmetic that made it: e 0.delta 0 2"),
        ("walk", "w", "NAME INDEX", True, "from one number back to the loss, along the largest term each time"),
        ("search", "s", "TEXT", True, "the steps, layers and names with TEXT in them"),
        ("here", ".", "", False, "this step once more"),
        ("list", "L", "", False, "all steps, with a mark at this one"),
        ("names", "N", "[PART]", False, "the names of all arrays, or of those with PART in them"),
        ("source", "S", "", False, "the whole method, with > at the lines that ran"),
        ("budget", "B", "", False, "what each layer does to the size of δ, and why"),
        (
            "form",
            "F",
            "[column|row]",
            False,
            "samples as columns, as derivations have them, or as rows",
        ),
        ("help", "h", "[COMMAND]", False, "this list; ? too"),
        ("quit", "q", "", False, "leave"),
    ]
}

KEYS = {command.letter: command for command in COMMANDS.values()} | {"?": COMMANDS["help"]}


def command_of(word: str) -> Command:
    """The command called ``word``: its name, its letter, or the beginning of one name.

    Raises:
        OptionError: there is none, or there are several.
    """
    if word in KEYS:
        return KEYS[word]
    if word in COMMANDS:
        return COMMANDS[word]
    begun = [name for name in COMMANDS if name.startswith(word)]
    if len(begun) == 1:
        return COMMANDS[begun[0]]
    near = begun or difflib.get_close_matches(word, COMMANDS, n=3)
    cure = f"perhaps {', '.join(near)}" if near else "help lists them"
    raise OptionError("a command", repr(word), cure)
