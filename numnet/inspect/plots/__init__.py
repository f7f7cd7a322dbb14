"""Pictures: functions that draw with matplotlib and return the figure; nothing is shown or written by them."""

from __future__ import annotations

from .boundary import plot_decision_boundary
from .deltas import plot_deltas, plot_trace
from .filters import plot_feature_maps, plot_filters
from .path import plot_path

__all__ = [
    "plot_decision_boundary",
    "plot_deltas",
    "plot_feature_maps",
    "plot_filters",
    "plot_path",
    "plot_trace",
]
