"""Connectionist temporal classification."""

from __future__ import annotations

from typing import Any

from ..ctc import CTCLoss
from ..reduction import Reduction
from .run import Input, run

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Input,
    targets: Input,
    input_lengths: Input,
    target_lengths: Input,
    blank: int = 0,
    reduction: Reduction = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Negative log-probability of sequences of labels, unaligned: :class:`~numnet.nn.CTCLoss`."""
    return run(CTCLoss(blank, reduction, zero_infinity), log_probs, targets, input_lengths, target_lengths)
