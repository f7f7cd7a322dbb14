"""What is done to parameters and gradients beside the formulas of layers, as ``torch.nn.utils``."""

from __future__ import annotations

from ..penalty import ElasticPenalty, L1Penalty, L2Penalty
from .clip import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm, max_norm_
from .reparametrize import Reparametrized, remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from .vector import parameters_to_vector, vector_to_parameters

__all__ = [
    "ElasticPenalty",
    "L1Penalty",
    "L2Penalty",
    "Reparametrized",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "max_norm_",
    "parameters_to_vector",
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]
