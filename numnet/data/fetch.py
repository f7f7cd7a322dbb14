"""Fetching one batch: the same code in the program itself and in a worker process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..random import drawing_from
from .collate import collate, default_collate
from .dataset import Dataset

__all__ = ["ORDER", "Fetch", "Task"]

ORDER = 0  # the stream that the order of an epoch is drawn from: 1, 3, 5, … are those of batches, 2, 4, 6, … of samples


class Task(NamedTuple):
    """One batch to fetch."""

    seed: int  # of the epoch
    number: int  # of the batch in the epoch
    position: int  # of its first sample in the epoch
    indices: Any  # the numbers of its samples in the data set; of the one sample, where there are no batches


class Fetch:
    """``fetch(task)`` loads the samples of a task and collates them.

    Whatever is drawn on the way comes from streams of the epoch's seed: one for each position of the epoch (and not
    for each number of a sample, since a sample drawn twice is to be augmented twice), one for each batch.
    """

    def __init__(self, dataset: Any, collate_fn: Callable[[Any], Any], batched: bool) -> None:
        self.dataset = dataset
        self.collate_fn = collate_fn
        self.batched = batched

    def __call__(self, task: Task) -> Any:
        loading: Any = task.indices  # what an error is about
        try:
            with drawing_from((task.seed, 2 * task.number + 1)):
                if self.batched and self.collate_fn is default_collate and isinstance(self.dataset, Dataset):
                    batch = self.dataset.gather(task.indices)
                    if batch is not NotImplemented:
                        return batch
                indices = task.indices if self.batched else [task.indices]
                samples = []
                for position, loading in enumerate(indices, task.position):
                    with drawing_from((task.seed, 2 * position + 2)):
                        samples.append(self.dataset[loading])
                loading = indices
                if self.collate_fn is default_collate:
                    return collate(samples, indices)
                return self.collate_fn(samples if self.batched else samples[0])
        except Exception as error:
            what = "samples" if loading is task.indices and self.batched else "sample"
            name = type(self.dataset).__name__
            which = str(loading) if len(str(loading)) <= 60 else f"{str(loading)[:57]}..."
            error.add_note(f"{what} {which} of {name}, for batch {task.number} of a DataLoader")
            raise
