"""Why goals are missed, in words, for the notes below the tables; printed only where a goal is missed.

A reason holds for one row of one table, or for several: whatever is left out of it may be anything.
"""

from __future__ import annotations

from typing import NamedTuple

from .rows import Row

__all__ = ["REASONS", "Reason", "reason_of"]


class Reason(NamedTuple):
    """``work`` may end before a comma ("inference": of any batch), ``beside`` before a colon ("default")."""

    part: str
    name: str | None
    why: str
    work: str | None = None
    beside: str | None = None
    threads: int | None = None

    def fits(self, row: Row) -> bool:
        """Whether it speaks of this row."""
        return (
            self.part == row.part
            and self.name in (None, row.name)
            and self.work in (None, row.work, row.work.partition(",")[0])
            and self.beside in (None, row.against.partition(":")[0])
            and self.threads in (None, row.threads)
        )

    def narrowness(self) -> int:
        """How much it says of where it holds."""
        return sum(value is not None for value in (self.name, self.work, self.beside, self.threads))


_PRODUCTS = (
    "Nearly all of it is matrix products, which both sides make about as fast: at nine tenths of what the core can "
    "do in a quiet minute, at six where other work on the machine is felt."
)
_TWO_POOLS = (
    "Beside NumPy's BLAS, whose second thread seems to wait awake for its next product on the second of two "
    "processors, numnet's step takes twice as long on two threads as by itself."
)
_SMALL = (
    "Ten units a layer: the arithmetic takes a few µs, the rest is Python, of which what lies between the formulas is "
    "compiled; the formulas themselves, losses and optimiser are not."
)
_LSTM = (
    "Nine tenths are its compiled kernels: 1.9 GFLOP of products, near what a core can do, and sigmoid, tanh and their "
    "way back, a tenth of that. The rest is the loss, the clipping, and half a millisecond of Python."
)
_RNN = (
    "Other work on the machine: its products, near what a core can do by itself, feel it more than PyTorch's. On a "
    "quieter day the same kernels took 0.56."
)
_NIN = (
    "The windows of 11 × 11 and the layers of 1 × 1 are plain sums, near what the core can do on both sides; for one "
    "image Winograd's values of the other windows cost as much as its products."
)
_GPT = (
    "Three quarters of the time are products of linear layers, which both sides make about as fast; for one sequence "
    "nearly seventy layers and operations with 3 to 15 µs of Python each are besides a quarter of the time."
)
_ADAM = (
    "Adam reads and writes seven streams of 240 000 numbers, 6.7 MB, which no second-level cache holds: "
    "the time is that of memory."
)
_GATHERED = (
    "Most of it is copying 256 rows of 3 KiB, drawn at random from 12.8 MB, which no cache of ours holds; the rest is "
    "Python, which draws the numbers of the rows."
)
_BUSY = (
    "Other work on this machine, which PyTorch's kernels feel in the same turns. (On the machine with AVX2, timed call "
    "by call, the quickest tenth was above 0.75 in every row; those of the product of 1024 × 1024 and of ∂J/∂x with "
    "256 channels only just.)"
)
_TILE = (
    "The tile by itself, all it reads in the first-level cache, does what the core can. In a convolution it reads from "
    "the second level and writes beyond it, where other work on the machine is felt; PyTorch's kernels, whose channels "
    "lie in blocks of 16, feel it less from 128 channels on."
)
_DEEP = (
    "Not known for sure. Gigabytes in pages of 4 KiB, more than the processor's tables of addresses hold: a layer "
    "takes a third longer than where there are a few hundred."
)
_ASKED = (
    "Weights as they are packed and the sums of ∂J/∂W, tens of millions of numbers, are memory that malloc asks of the "
    "system at each step. Where it was told to keep it, 65,536 channels took 0.94 of the time."
)
_LENET = (
    "Half of it are windows of 5 × 5 with 1, 6 and 16 channels: too few for Winograd's method, and 6 fill no vector of "
    "16; pooling and sigmoid wait for memory."
)
_ONE = (
    "A third is reading every weight once, as fast as PyTorch reads them; the rest is mostly Python, which other work "
    "on the machine makes slower."
)
_READ = (
    "More than half of it is reading the 86 MB of weights of two linear layers once, which takes both sides as long as "
    "the memory does."
)
_LSTM_PEAK = (
    "0.67 GFLOP of products, which take 2.8 ms at the core's peak of 238 GFLOP/s. 0.8 of PyTorch's time is 3.1 ms, "
    "which leaves little for 1.4 million sigmoids and tanhs."
)
_LSTM_NAME = "LSTM language model, hidden 256, 35 steps"

REASONS: tuple[Reason, ...] = (
    Reason("models", "MLP 784-256-10", _PRODUCTS, work="training"),
    Reason("models", "MLP 784-256-10", _PRODUCTS, work="inference, batch 256"),
    Reason("models", "MLP 784-256-10", _TWO_POOLS, work="training in float64", beside="NumPy by hand", threads=2),
    Reason("models", "MLP 784-256-128-64-10", _PRODUCTS, work="inference, batch 64"),
    Reason("models", "phone prices 20-128-256-512-128-4", _ONE, work="inference, batch 1"),
    Reason("models", "MLP 784-256-10", _ONE, work="inference, batch 1"),
    Reason("models", "MLP 784-256-128-64-10", _ONE, work="inference, batch 1"),
    Reason("models", "LeNet", _LENET, work="training"),
    Reason("models", "x² 1-10-10-1", _SMALL),
    Reason("models", "logistic regression", _SMALL),
    Reason("models", _LSTM_NAME, _LSTM, work="training"),
    Reason("models", "RNN language model, hidden 256, 35 steps", _RNN, work="training"),
    Reason("models", _LSTM_NAME, _LSTM_PEAK, work="inference"),
    Reason("models", "NiN, 224 × 224", _NIN),
    Reason("models", "GPT, 4 layers, width 128, context 64", _GPT),
    Reason("models", "VGG-11, quarter width, 96 × 96", _READ, work="inference, batch 1"),
    Reason("kernels", None, _BUSY),
    Reason("kernels", None, _TILE, beside="peak (avx512)"),
    Reason("loader", "MLP 784-256-128-64-10", _ADAM, work="optimiser"),
    Reason("loader", "MLP 784-256-10", _GATHERED, work="loader"),
    Reason("scaling", "layers of an MLP of width 64, batch 1024", _DEEP),
    Reason("scaling", "channels into conv 3 × 3, 8 out", _ASKED),
)


def reason_of(row: Row, reasons: tuple[Reason, ...] = REASONS) -> str:
    """The narrowest of those that fit."""
    fitting = [reason for reason in reasons if reason.fits(row)]
    return max(fitting, key=Reason.narrowness).why if fitting else "not known yet"
