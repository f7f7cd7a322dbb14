"""Training: the loop that everybody writes, once, with what it takes to trust its result.

history = train.fit(net, loss, optimizer, (x, y), epochs=10, validation=(x_valid, y_valid))
"""

from __future__ import annotations

from .d2l import train_ch3
from .evaluation import evaluate, predict
from .fit import fit
from .history import History
from .live import LiveCurve
from .runs import Runs, cross_validate, restarts
from .trainer import LINE, Trainer

__all__ = [
    "LINE",
    "History",
    "LiveCurve",
    "Runs",
    "Trainer",
    "cross_validate",
    "evaluate",
    "fit",
    "predict",
    "restarts",
    "train_ch3",
]
