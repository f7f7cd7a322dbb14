"""Recurrent networks: the formulas of one step, the loop over time, and the cells and layers made of the two."""

from __future__ import annotations

from .cell import GRUCell, LSTMCell, RNNCell
from .layers import GRU, LSTM, RNN
from .sequence import Recurrent

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell", "Recurrent"]
