"""The command line: ``numnet demo``, ``numnet config``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__, _config, demo
from .errors import NumnetError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, or 1 after an error that is printed."""
    parser = argparse.ArgumentParser(prog="numnet", description="Neural networks whose backward passes can be read.")
    parser.add_argument("--version", action="version", version=f"numnet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    digits = commands.add_parser("demo", help="learn handwritten digits and show the δ of every layer")
    digits.add_argument("--epochs", type=_positive, default=15, help="passes over the training digits (15)")
    digits.add_argument("--seed", type=int, default=0, help="of the initial weights and the order of batches (0)")
    digits.add_argument("--picture", type=Path, default=Path("deltas.png"), help="file to write (deltas.png)")
    commands.add_parser("config", help="versions, compiled kernels, threads")
    given = parser.parse_args(arguments)
    try:
        if given.command == "demo":
            demo.demo(epochs=given.epochs, seed=given.seed, picture=given.picture)
        else:
            _config.show_config()
    except NumnetError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value
