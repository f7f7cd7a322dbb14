"""What there is to measure: the parts, and their jobs, each with the rows that it will give."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from . import avx2, kernels, layers, loader, memory, models, scaling, startup, timing
from .networks import NETWORKS
from .rows import Row

__all__ = ["PARTS", "Job", "jobs"]

PARTS = ("models", "avx2", "layers", "kernels", "memory", "import", "loader", "scaling")


@dataclass(frozen=True)
class Job:
    """A piece of a part that is measured at once. ``works`` is what its rows can say of ``work``."""

    part: str
    name: str
    works: tuple[str, ...]
    threads: int
    measure: Callable[[], Iterable[Row]]


def jobs(
    parts: Collection[str] = PARTS,
    threads: Sequence[int] = (1,),
    quick: bool = False,
    only: str = "",
    others: Collection[str] = (),
) -> list[Job]:
    """All that is asked for, in the order of the page; ``only`` those whose name contains this."""
    found = [job for part in PARTS if part in parts for job in _jobs(part, sorted(set(threads)), quick, others)]
    return [job for job in found if only in job.name]


def _jobs(part: str, threads: Sequence[int], quick: bool, others: Collection[str]) -> Iterator[Job]:
    long = timing.QUICK if quick else timing.FULL
    short = long._replace(seconds=0.4 * long.seconds, limit=0.4 * long.limit)
    if part == "kernels":
        for kernel in kernels.KERNELS:
            yield Job(part, kernel.name, (kernel.work,), 1, partial(kernels.measure, kernel, short))
    elif part == "memory":
        for number, network in enumerate(NETWORKS):
            yield Job(part, network.name, ("training",), 1, partial(memory.measure, number, 1 if quick else 3))
    elif part == "import":
        yield Job(part, "import numnet", ("after NumPy",), 1, partial(startup.measure, 3 if quick else 15))
    for n in threads:
        if part == "models":
            for network in NETWORKS:
                run = partial(models.measure, network, n, long, others)
                yield Job(part, network.name, models.works(network), n, run)
        elif part == "avx2" and avx2.has_more():
            for number, network in enumerate(NETWORKS):
                yield Job(part, network.name, models.works(network)[:1], n, partial(avx2.measure, number, n, quick))
        elif part == "layers":
            for case in layers.LAYERS:
                yield Job(part, case.text, (case.sizes,), n, partial(layers.measure, case, n, short))
        elif part == "loader":
            for network in loader.LOADED:
                run = partial(loader.measure, network, n, short)
                yield Job(part, network.name, ("loader", "optimiser"), n, run)
        elif part == "scaling":
            for growth in scaling.GROWTHS:
                large = n == threads[-1] and not quick
                sizes = tuple(str(growth.first * 2**k) for k in range(scaling.SIZES))
                yield Job(part, growth.name, sizes, n, partial(scaling.measure, growth, n, short, large))
