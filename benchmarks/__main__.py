"""python -m benchmarks [PART …]: measure numnet beside PyTorch; without a part, everything.

Parts: models, avx2, layers, kernels, memory, import, loader, scaling. Where both sides compute something, losses,
outputs and gradients are compared before anything is timed, and a difference ends the run.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plan import Job
    from .rows import Row

TREE = Path(__file__).parents[1]
PAGE = TREE / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0, 1 if something is missing or PyTorch disagrees, 130 if it was interrupted."""
    try:
        from . import plan, plots, report
        from .machine import conditions
        from .models import OTHERS, DisagreementError
        from .rows import Row
    except ModuleNotFoundError as error:
        print(f'{error}; the benchmarks need what the tests need: pip install ".[test]"', file=sys.stderr)
        return 1
    parser = _parser(plan.PARTS, OTHERS)
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(plan.PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(plan.PARTS)}")
    if options.write and options.only:
        parser.error("--write writes whole tables, --only measures some rows: one or the other")
    page = TREE / (options.page or PAGE)
    if options.write and not page.is_file():
        parser.error(f"there is no {page} with marks for the tables; docs/performance-avx512.md shows how they look")
    if options.write and importlib.util.find_spec("matplotlib") is None:
        parser.error('--write draws: pip install ".[test]"')
    if options.others is None:
        options.others = [] if options.quick else [name for name in OTHERS if _installed(name)]
    if missing := [name for name in options.others if not _installed(name)]:
        parser.error(f"{' and '.join(NEEDED[name] for name in missing)} not found")
    if options.again:
        kept = json.loads(Path(options.again).read_text(encoding="utf-8"))
        about, rows = kept["conditions"], [Row.of(plain) for plain in kept["rows"]]
        parts = [part for part in plan.PARTS if part in (options.parts or {row.part for row in rows})]
        jobs: list[Job] = []
    else:
        about = conditions(options.quick) | {"threads": ", ".join(map(str, options.threads))}
        rows, parts = [], [part for part in plan.PARTS if part in (options.parts or plan.PARTS)]
        jobs = plan.jobs(parts, options.threads, options.quick, options.only, options.others)
    print(report.conditions_text(about), end="\n\n")
    failure = 0
    try:
        for row in _measured(jobs):
            rows.append(row)  # one by one: whatever ends the run, they are kept
    except KeyboardInterrupt:
        print("interrupted: this is what there is", file=sys.stderr)
        failure = 130
    except DisagreementError as error:
        print(f"not timed, for it is not the same that is computed: {error}", file=sys.stderr)
        failure = 1
    except Exception:
        traceback.print_exc()
        failure = 1
    blocks = {"conditions": report.conditions_text(about)}
    for part in parts:
        if of_part := [row for row in rows if row.part == part]:
            blocks[part] = report.table(of_part, about)
        elif part == "avx2" and not failure:
            blocks[part] = report.avx2_note(rows)
        if part in blocks:
            print(f"{part}\n\n{blocks[part]}\n", flush=True)
    if options.json:
        plain = {"conditions": about, "rows": [row.plain() for row in rows]}
        Path(options.json).write_text(json.dumps(plain, indent=1, ensure_ascii=False), encoding="utf-8")
    if options.write and not failure:
        for picture in plots.draw([row for row in rows if row.part in parts], page):
            print(f"drew {picture.relative_to(TREE)}", file=sys.stderr)
        report.write(page, blocks)
    return failure


def _parser(parts: Sequence[str], others: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"among {', '.join(parts)}; all of them if left out")
    add("--threads", nargs="+", type=int, default=[1, min(2, os.cpu_count() or 1)], help="default: 1 2")
    add("--quick", action="store_true", help="fewer and shorter passes: a look, not a measurement")
    add("--only", default="", metavar="TEXT", help="only rows whose name contains this")
    add(
        "--others",
        nargs="*",
        choices=others,
        help="default: those that are installed; with --quick none",
    )
    add("--json", metavar="FILE", help="every row, with all its numbers")
    add("--again", metavar="FILE", help="measure nothing: the tables of an earlier --json FILE")
    add("--write", action="store_true", help="put tables and pictures into the page")
    add("--page", metavar="FILE", help="which page; default: docs/performance.md")
    return parser


NEEDED = {"compile": "a C++ compiler for torch.compile", "jax": "JAX (pip install jax)"}


def _installed(other: str) -> bool:
    if other == "jax":
        return importlib.util.find_spec("jax") is not None
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")  # which PyTorch looks for
    return shutil.which(compiler) is not None


def _measured(jobs: Sequence[Job]) -> Iterator[Row]:
    """The rows of the jobs, and meanwhile how far it is."""
    from tqdm import tqdm

    with tqdm(total=len(jobs), unit="job", dynamic_ncols=True, disable=None, file=sys.stderr) as bar:
        for job in jobs:
            bar.set_description(f"{job.part}: {job.name}, {job.threads} thr.")
            for row in job.measure():
                yield row
                said = f"{row.name}, {row.work}, {row.threads} thr.: {row.ratio.median:.2f} {row.against}"
                tqdm.write(said, file=sys.stderr)
            bar.update()


if __name__ == "__main__":
    sys.exit(main())
