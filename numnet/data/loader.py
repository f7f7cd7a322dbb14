"""DataLoader: a data set in batches, in a new order every epoch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import DtypeError, OptionError, StateDictError, describe
from ..random import default_rng, drawing_from
from ..tensor import Tensor
from .collate import converted, default_collate, default_convert
from .fetch import ORDER, Fetch, Task
from .sampler import (
    BatchSampler,
    RandomSampler,
    Rng,
    SequentialSampler,
    expect_generator,
    expect_whole,
)
from .workers import Workers, context_of

__all__ = ["DataLoader"]

_END: Any = object()


class DataLoader:
    """A data set in batches: every ``for batch in loader`` is an epoch, with ``shuffle`` in an order of its own.

    An epoch draws one seed, and everything random in it comes from that seed: the order, and what transforms draw from
    :func:`numnet.random.default_rng`. So an epoch is the same, bit for bit, for any number of workers, and when it is
    broken off and resumed.

    Args:
        dataset: anything with ``dataset[i]`` and ``len(dataset)``: a :class:`Dataset`, a list.
        batch_size: how many samples make a batch. ``None``: samples come by themselves, not in batches.
        shuffle: a new random order every epoch.
        sampler: an iterable of sample numbers, in place of ``shuffle``.
        batch_sampler: an iterable of lists of sample numbers, in place of ``batch_size``, ``shuffle``, ``sampler`` and
            ``drop_last``.
        num_workers: how many processes load samples; 0 loads them here. Worth it where a sample takes long: images
            to decode, not arrays in memory.
        collate_fn: what makes a batch of a list of samples; ``None`` for :func:`default_collate`.
        pin_memory: put batches where a GPU reads them fastest, once CuPy is imported; without CuPy there is no
            such place, and it does nothing.
        drop_last: leave out a last batch that is smaller.
        timeout: how many seconds to wait for a batch of a worker; 0 for ever.
        worker_init_fn: called in every worker with its number 0 … num_workers - 1.
        rng: where seeds are drawn from; the default generator if ``None``.
        prefetch_factor: how many batches every worker has under way.
        persistent_workers: keep the workers for the next epoch. An epoch that is broken off ends them all the same.
        multiprocessing_context: how workers start, ``"fork"``, ``"spawn"`` or ``"forkserver"``. ``None`` is fork on
            Linux, which takes milliseconds, sends no data and knows classes of notebooks, and spawn elsewhere.

    Attributes:
        sampler, batch_sampler: what gives the numbers; made from ``shuffle`` and ``batch_size`` where not given.

    Raises:
        OptionError: options that exclude each other, or cannot be.
        DtypeError: ``dataset`` has no numbered samples.
        WorkerError: in an epoch, a worker that died, or took longer than ``timeout``.
        Exception: in an epoch, whatever loading a sample raised, here or in a worker, with notes that name the sample.

    Source: the interface is that of ``torch.utils.data.DataLoader``.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = False,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        *,
        rng: Rng = None,
        prefetch_factor: int = 2,
        persistent_workers: bool = False,
        multiprocessing_context: Any = None,
    ) -> None:
        if isinstance(dataset, type) or not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
            cure = "write a Dataset; or list(…), where everything fits into memory"
            if isinstance(dataset, type):
                cure = f"{dataset.__name__}(…), with parentheses, makes one"
            raise DtypeError("a data set: dataset[i] and len(dataset)", describe(dataset), cure)
        if sampler is not None and shuffle:
            got = f"shuffle=True and sampler={type(sampler).__name__}"
            raise OptionError("a sampler or shuffle: each is an order", got, "shuffle=False")
        if batch_sampler is not None:
            others = {
                "batch_size": batch_size != 1 and batch_size,
                "shuffle": shuffle,
                "sampler": sampler is not None and type(sampler).__name__,
                "drop_last": drop_last,
            }
            also = [f"{name}={value}" for name, value in others.items() if value]
            if also:
                cure = f"leave out {' and '.join(name for name, value in others.items() if value)}"
                raise OptionError("a batch_sampler alone, which makes the batches", f"also {', '.join(also)}", cure)
        elif batch_size is None and drop_last:
            raise OptionError("batches to drop the last of", "drop_last=True and batch_size=None", "drop_last=False")
        for name, given in (("sampler", sampler), ("batch_sampler", batch_sampler)):
            if isinstance(given, Iterator):
                raise OptionError(f"a {name} for many epochs", f"{describe(given)}, which one uses up", f"list({name})")
        if not timeout >= 0:
            raise OptionError("timeout of at least 0 seconds", f"timeout={timeout!r}")
        self.num_workers = expect_whole("num_workers", num_workers, 0)
        if persistent_workers and not num_workers:
            raise OptionError("workers to keep", "persistent_workers=True and num_workers=0", "num_workers=2")
        self.dataset = dataset
        self.sampler: Iterable[Any] = (
            sampler if sampler is not None else RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
        )
        self.batch_size = None if batch_sampler is not None else batch_size
        self.drop_last = drop_last
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler
        batched = batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.rng = expect_generator(rng)
        self.prefetch_factor = expect_whole("prefetch_factor", prefetch_factor)
        self.persistent_workers = persistent_workers
        self.multiprocessing_context = multiprocessing_context
        self._latest: _Epoch | None = None  # the epoch begun last, if it has not come to its end
        self._resumed: _Epoch | None = None  # the epoch that the next ``iter`` goes on with
        self._idle: Workers | None = None

    def __len__(self) -> int:
        """How many batches an epoch has; without batches, how many samples."""
        return len(self._order)  # type: ignore[arg-type]  # of an iterable without a length, Python says so

    def __iter__(self) -> Iterator[Any]:
        epoch, self._resumed = self._resumed, None
        if epoch is None:
            seed = int((self.rng or default_rng()).integers(2**53))  # a whole number in any reader of JSON
            epoch = _Epoch(seed, 0, self._state_of_order())
        self._latest = epoch
        return self._batches(epoch)

    @property
    def _order(self) -> Iterable[Any]:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _batches(self, epoch: _Epoch) -> Iterator[Any]:
        fetch = Fetch(self.dataset, self.collate_fn, self.batch_sampler is not None)
        tasks = self._tasks(epoch.seed, epoch.batch)
        workers = self._workers(fetch) if self.num_workers else None
        try:
            # no ``map``, which takes a StopIteration out of a data set for the end of the epoch
            here = (fetch(task) for task in tasks)
            for batch in workers.batches(tasks, self.prefetch_factor) if workers else here:
                epoch.batch += 1
                yield converted(batch, _pinned) if self.pin_memory else batch
            if self.persistent_workers:
                self._idle, workers = workers, self._idle
        finally:
            if workers:
                workers.close()
        if self._latest is epoch:
            self._latest = None

    def _tasks(self, seed: int, first: int) -> Iterator[Task]:
        """The tasks of an epoch from batch number ``first`` on."""
        rng = np.random.Generator(np.random.Philox(key=(seed, ORDER)))
        position = number = 0
        with drawing_from(rng):
            order = iter(self._order)
        while True:
            with drawing_from(rng):  # and not around the yield: what the loop draws is its own
                indices = next(order, _END)
            if indices is _END:
                return
            if self.batch_sampler is not None:
                if not isinstance(indices, Iterable):
                    got = f"{indices!r} as batch {number}"
                    raise DtypeError("lists of sample numbers from batch_sampler", got, "sampler= takes numbers")
                indices = list(indices)
            if number >= first:
                yield Task(seed, number, position, indices)
            number += 1
            position += len(indices) if self.batch_sampler is not None else 1

    def _workers(self, fetch: Fetch) -> Workers:
        workers, self._idle = self._idle, None
        context = context_of(self.multiprocessing_context)
        return workers or Workers(fetch, self.num_workers, self.worker_init_fn, context, self.timeout)

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """Where the epoch begun last stands, after the batch that was handed out last.

        Arrays, whole numbers, strings and ``None``: seed and batch of the epoch (batch 0 and no seed between epochs),
        the number of batches that an epoch has, and the states of ``rng`` and of the sampler's own, if they are given.
        The default generator is the program's, and not saved here.
        """
        epoch = self._latest
        return {
            "seed": epoch.seed if epoch else None,
            "batch": epoch.batch if epoch else 0,
            "batches": len(self),
            "rng": self.rng.bit_generator.state if self.rng else None,
            "sampler_rng": epoch.order if epoch else self._state_of_order(),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where another loader, over the same data, was: the next epoch consists of the batches that were left.

        Raises:
            StateDictError: a state of other data, or no state.
        """
        expected = {"seed", "batch", "batches", "rng", "sampler_rng"}
        if expected - set(state_dict):
            raise StateDictError(
                f"a loader's state: {', '.join(sorted(expected))}", f"{', '.join(map(str, state_dict))}"
            )
        if state_dict["batches"] != len(self):
            cure = "build the loader over the same data, with the same batch_size and drop_last"
            raise StateDictError(f"an epoch of {len(self)} batches", f"one of {state_dict['batches']}", cure)
        own = {"rng": self.rng, "sampler_rng": getattr(self._order, "rng", None)}
        for name, generator in own.items():
            if (generator is None) != (state_dict[name] is None):
                got = "none in this loader" if generator is None else "one in this loader"
                raise StateDictError(f"{'no' if state_dict[name] is None else 'a'} generator as {name}", got)
        for name, generator in own.items():
            if generator is not None:
                generator.bit_generator.state = state_dict[name]
        epoch = None
        if state_dict["seed"] is not None:
            epoch = _Epoch(int(state_dict["seed"]), int(state_dict["batch"]), state_dict["sampler_rng"])
        self._latest = self._resumed = epoch

    def _state_of_order(self) -> Any:
        rng: Rng = getattr(self._order, "rng", None)  # any iterable may be a sampler, with a generator or without
        return None if rng is None else rng.bit_generator.state


class _Epoch:
    """One epoch: its seed, how many batches were handed out, and the state of the sampler's own generator before it."""

    __slots__ = ("batch", "order", "seed")

    def __init__(self, seed: int, batch: int, order: Any) -> None:
        self.seed = seed
        self.batch = batch
        self.order = order


def _pinned(array: Array | Tensor) -> Any:
    """A copy in page-locked memory, if CuPy is there; else what it is."""
    cupy = sys.modules.get("cupy")
    if isinstance(array, Tensor):
        return Tensor(_pinned(array.array))
    if cupy is None or not isinstance(array, np.ndarray) or not array.size:
        return array
    memory = cupy.cuda.alloc_pinned_memory(array.nbytes)  # at least as large
    pinned = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
    pinned[...] = array
    return pinned
