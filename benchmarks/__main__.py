"""python -m benchmarks [PART …]: measure numnet beside PyTorch; without a part, everything.

Parts: models, layers, kernels, memory, import, loader, scaling. Where both sides compute something, losses, outputs and
gradients are compared before anything is timed, and a difference ends the run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rows import Row

TREE = Path(__file__).parents[1]
PAGE = TREE / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, or 1 if PyTorch is missing or disagrees."""
    try:
        from . import report
        from .machine import conditions
        from .models import DisagreementError
    except ModuleNotFoundError as error:
        print(f'{error}; the benchmarks need what the tests need: pip install ".[test]"', file=sys.stderr)
        return 1
    options = _parser(list(report.PARTS)).parse_args(arguments)
    if unknown := set(options.parts) - set(report.PARTS):
        _parser([]).error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(report.PARTS)}")
    if options.write and options.only:
        _parser([]).error("--write writes whole tables, --only measures some rows: one or the other")
    about = conditions(options.quick) | {"threads": ", ".join(map(str, options.threads))}
    print(report.conditions_text(about), end="\n\n")
    blocks = {"conditions": report.conditions_text(about)}
    rows: list[Row] = []
    for part in options.parts or report.PARTS:
        try:
            of_part = list(_progress(_rows(part, options)))
        except DisagreementError as error:
            print(f"not timed, for it is not the same that is computed: {error}", file=sys.stderr)
            return 1
        if of_part:
            rows += of_part
            blocks[part] = report.table(of_part)
            print(f"{part}\n\n{blocks[part]}\n", flush=True)
    if options.json:
        plain = {"conditions": about, "rows": [row.plain() for row in rows]}
        Path(options.json).write_text(json.dumps(plain, indent=1, ensure_ascii=False), encoding="utf-8")
    if options.write:
        report.write(PAGE, blocks)
        for picture in report.draw(rows, PAGE.parent / "images"):
            print(f"drew {picture.relative_to(TREE)}", file=sys.stderr)
    return 0


def _parser(parts: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"among {', '.join(parts)}; all of them if left out")
    add("--threads", nargs="+", type=int, default=[1, min(2, os.cpu_count() or 1)], help="default: 1 2")
    add("--quick", action="store_true", help="fewer and shorter passes: a look, not a measurement")
    add("--only", default="", metavar="TEXT", help="only rows whose name contains this")
    add("--compile", action="store_true", help="torch.compile too, which takes minutes to compile")
    add("--json", metavar="FILE", help="every row, with all its numbers")
    add("--write", action="store_true", help="put tables and pictures into docs/performance.md")
    return parser


def _rows(part: str, options: argparse.Namespace) -> Iterator[Row]:
    """The rows of a part, as they are measured. Each part is imported when it is its turn."""
    from . import timing

    quick, only = options.quick, options.only
    long = timing.QUICK if quick else timing.FULL
    short = long._replace(seconds=0.4 * long.seconds)
    for n in sorted(set(options.threads)) if part in ("models", "layers", "loader", "scaling") else [1]:
        if part == "models":
            from . import models

            for network in models.NETWORKS:
                if only in network.name:
                    yield from models.measure(network, n, long, options.compile)
            for network in models.NETWORKS:
                if only in network.name and network.name in models.FLOAT64:
                    yield from models.measure_float64(network, n, long)
        elif part == "layers":
            from . import layers

            for case in layers.LAYERS:
                if only in case.text:
                    yield from layers.measure(case, n, short)
        elif part == "kernels":
            from . import kernels

            yield from kernels.measure(short)
        elif part == "memory":
            from . import memory, models

            for number, network in enumerate(models.NETWORKS):
                if only in network.name:
                    yield from memory.measure(number, 1 if quick else 5)
        elif part == "import":
            from . import startup

            yield from startup.measure(3 if quick else 15)
        elif part == "loader":
            from . import loader

            yield from loader.measure(n, long)
        elif part == "scaling":
            from . import scaling

            yield from scaling.measure(n, long)


def _progress(rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        print(f"{row.name}, {row.work}, {row.threads} thr.: {row.ratio.median:.2f} {row.against}", file=sys.stderr)
        yield row


if __name__ == "__main__":
    sys.exit(main())
