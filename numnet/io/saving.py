"""save and load."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, DtypeError, NumnetError, describe
from ..nn.module import Module
from ..random import undisturbed
from .atomic import replacing
from .file import read, write
from .modules import STATE_DICT, differences, shortened
from .values import Decoder, Encoder

__all__ = ["load", "save"]


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write ``obj`` into one safetensors file, whatever the extension of ``path``.

        numnet.save(net.state_dict(), "net.safetensors")  # numbers by name
        numnet.save(net, "net.safetensors")  # the network as a whole
        numnet.save({"epoch": 3, "net": net, "optimizer": optimizer.state_dict()}, "checkpoint.safetensors")

    The file is written aside, read back, compared, and only then put in the place of an older one: at every moment
    ``path`` is the old file or the new one. What is an array is an array of the file, under the names that lead to it,
    joined by dots; the rest is JSON in the header. An array that is met twice is in the file once.

    Of a network, the file holds the class, the arguments of its constructor and the numbers. It is made anew from these
    at once, and refused if the result is not the same: for one that was changed by hand after it was made, save the
    state dict.

    Args:
        obj: arrays, Tensors, networks, random generators, numbers, strings, ``None``, and lists, tuples and dicts of
            these. Subclasses of dict, list and tuple become dict, list and tuple.
        path: the file; folders on the way are made.

    Raises:
        DtypeError: something that has no place in a file. DataError: a network that cannot be made anew from its
            arguments, or a disk that returned other numbers than it was given.
        MissingExtraError: without safetensors. OSError: the file cannot be written.
    """
    try:
        encoder = Encoder()
        structure = encoder.encode(obj)
        with replacing(path) as aside:
            write(aside, encoder.arrays, structure)
            arrays, again = read(aside)
            if encoder.networks:
                _expect_the_same(encoder, Decoder(arrays, encoder.classes), again)
    except NumnetError as error:
        error.where = f"save, {os.fspath(path)}" + (f", {error.where}" if error.where else "")
        raise


def load(path: str | os.PathLike[str], *, classes: Iterable[type[Module]] = ()) -> Any:
    """What :func:`save` wrote into ``path``, or the arrays by name of another safetensors file, such as PyTorch's.

        net.load_state_dict(numnet.load("net.safetensors"))
        net = numnet.load("net.safetensors", classes=[Net])

    No code of the file's is run. A network is made by its class, which has to be a public one of numnet's own or
    among ``classes``, with the arguments and numbers in the file; nothing is drawn from the default generator.

    Args:
        path: a safetensors file, whatever its extension.
        classes: the classes of your own that the file may make networks of, found by their names.

    Returns:
        What was saved: arrays in their dtype, Tensors, networks in the mode they were in. Arrays are new and may be
        written into.

    Raises:
        DataError: no such file, one of another format, cut short or altered; a class that is not known or cannot be
            made from these arguments. MissingExtraError: without safetensors.
    """
    try:
        handed = _by_name(classes)
        arrays, structure = read(Path(path))
        with undisturbed():
            return Decoder(arrays, handed).decode(structure)
    except NumnetError as error:
        error.where = f"load, {os.fspath(path)}"
        raise


def _by_name(classes: Iterable[type[Module]]) -> dict[str, type[Module]]:
    listed: Sequence[Any] = [classes] if isinstance(classes, type) else list(classes)
    for cls in listed:
        if not isinstance(cls, type) or not issubclass(cls, Module):
            raise DtypeError("classes of Modules, as in classes=[Net]", describe(cls), "the class, without parentheses")
    handed = {cls.__name__: cls for cls in listed}
    if len(handed) < len(set(listed)):
        names = ", ".join(f"{cls.__module__}.{cls.__qualname__}" for cls in listed)
        raise DataError("classes with names of their own", names, "hand over the one that the file means")
    return handed


def _expect_the_same(encoder: Encoder, decoder: Decoder, structure: Any) -> None:
    """The networks that come out of a file are those that went in."""
    expected = "a network that its class makes anew from the same arguments"
    with undisturbed():
        try:
            decoder.decode(structure)
        except DataError as error:
            raise DataError(expected, error.got, STATE_DICT) from error
    for network, again in zip(encoder.networks, decoder.networks, strict=True):
        if found := differences(network, again):
            got = f"{type(network).__name__}, changed since it was made: {shortened(found)}"
            raise DataError(expected, got, STATE_DICT)
