"""The command line: ``numnet demo``, ``numnet step``, ``numnet tutorials``, ``numnet config``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__, _config, demo
from .errors import NumnetError
from .inspect.stepper.examples import trace_of
from .tutorials.command import tutorials

__all__ = ["main"]

_STEPPED = "mlp (if left out), lenet, rnn, residual, batchnorm, or file.py[:name] that makes a trace"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, or 1 after an error that is printed."""
    parser = argparse.ArgumentParser(prog="numnet", description="Neural networks whose backward passes can be read.")
    parser.add_argument("--version", action="version", version=f"numnet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    digits = commands.add_parser("demo", help="learn handwritten digits and show the δ of every layer")
    digits.add_argument("--epochs", type=_positive, default=15, help="passes over the training digits (15)")
    digits.add_argument("--seed", type=_seed, default=0, help="of the initial weights and the order of batches (0)")
    digits.add_argument("--picture", type=Path, default=Path("deltas.png"), help="file to write (deltas.png)")
    digits.add_argument("--page", type=Path, default=Path("deltas.html"), help="page to write (deltas.html)")
    stepped = commands.add_parser("step", help="a debugger for backpropagation: one step of training, number by number")
    stepped.add_argument("what", nargs="?", default="mlp", help=_STEPPED)
    stepped.add_argument("--seed", type=_seed, default=0, help="of an example's initial weights (0)")
    commands.add_parser("config", help="versions, compiled kernels, threads")
    listed = commands.add_parser("tutorials", help="what the five tutorials describe, and what proves that it works")
    listed.add_argument("ids", nargs="*", help="rows (C009, F3) or sections (A to O, faults); all if left out")
    listed.add_argument("--check", action="store_true", help="run the proofs, in a clone of the repository")
    listed.add_argument("--slow", action="store_true", help="run those too that take minutes")
    listed.add_argument("--tree", type=Path, help="the clone, if it is not here")
    given = parser.parse_args(arguments)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a ? where the terminal has no δ, or gives no text
    try:
        if given.command == "demo":
            demo.demo(epochs=given.epochs, seed=given.seed, picture=given.picture, page=given.page)
        elif given.command == "step":
            trace_of(given.what, given.seed).step()
        elif given.command == "tutorials":
            return tutorials(given.ids, given.check, given.slow, given.tree)
        else:
            _config.show_config()
    except NumnetError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # head or less have seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("at least 0")
    return value
