"""Recurrent layers and cells."""

from __future__ import annotations

import numpy as np
from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.RNNCell: [
        Example(lambda: nn.RNNCell(2, 3), (numbers(4, 2), numbers(4, 3))),
        Example(lambda: nn.RNNCell(2, 3, bias=False, nonlinearity="relu"), (numbers(3, 2),)),
    ],
    nn.LSTMCell: [Example(lambda: nn.LSTMCell(2, 3), (numbers(4, 2),))],
    nn.GRUCell: [
        Example(lambda: nn.GRUCell(2, 3), (numbers(4, 2), numbers(4, 3))),
        Example(lambda: nn.GRUCell(3, 2, bias=False), (numbers(2, 3),)),
    ],
    nn.RNN: [
        Example(lambda: nn.RNN(2, 3), (numbers(4, 2, 2), numbers(1, 2, 3))),
        Example(lambda: nn.RNN(2, 2, 2, "relu", batch_first=True, bidirectional=True), (numbers(3, 2, 2),)),
    ],
    nn.LSTM: [
        Example(lambda: nn.LSTM(2, 2, batch_first=True), (numbers(3, 4, 2),)),
        Example(lambda: nn.LSTM(2, 3, 2, bidirectional=True, proj_size=2, dropout=0.4), (numbers(3, 2, 2),)),
    ],
    nn.GRU: [
        Example(lambda: nn.GRU(2, 2, batch_first=True, bias=False), (numbers(3, 2, 2), numbers(1, 3, 2))),
        Example(lambda: nn.GRU(2, 2, 2, dropout=0.4, bidirectional=True), (numbers(3, 2, 2), numbers(4, 2, 2))),
        Example(lambda: nn.GRU(1, 2), (numbers(3, 2, 1), numbers(1, 2, 2), np.array([3, 1]))),
    ],
}
