"""Which rules go with which layer or operation."""

from __future__ import annotations

from ... import nn
from ... import operations as ops
from ...nn.functional.padding import _ConstantPadding
from .activation import (
    AlongAxisRules,
    ElementwiseRules,
    GLURules,
    LeakyRules,
    LogSoftmaxRules,
    PReLURules,
    ReLURules,
    RReLURules,
    SigmoidRules,
    TanhRules,
)
from .attention import AttentionRules
from .conv import ConvRules, ConvTransposeRules
from .linear import EmbeddingRules, LinearRules
from .loss import BCERules, BCEWithLogitsRules, CrossEntropyRules, DifferenceRules, MSERules, NLLRules
from .moves import (
    ConcatenateRules,
    DropoutRules,
    MergeHeadsRules,
    MoveRules,
    PermuteRules,
    ReshapeRules,
    SplitHeadsRules,
    SplitRules,
)
from .normalization import ChannelNormRules, RowNormRules
from .operations import (
    AbsRules,
    AddRules,
    DivideRules,
    ExpRules,
    LogRules,
    MatMulRules,
    MeanRules,
    MultiplyRules,
    NegativeRules,
    PowerRules,
    SqrtRules,
    SubtractRules,
    SumRules,
    WhereRules,
)
from .page import Rules
from .pooling import AdaptiveAvgPoolRules, AdaptiveMaxPoolRules, AvgPoolRules, MaxPoolRules
from .recurrent import RecurrentRules

__all__ = ["RULES", "rules_of"]

_BY_RULES: list[tuple[Rules, tuple[type, ...]]] = [
    (LinearRules(), (nn.Linear,)),
    (EmbeddingRules(), (nn.Embedding,)),
    (AttentionRules(), (nn.ScaledDotProductAttention,)),
    (ReLURules(), (nn.ReLU, ops.Relu)),
    (SigmoidRules(), (nn.Sigmoid, ops.Sigmoid)),
    (TanhRules(), (nn.Tanh, ops.Tanh)),
    (LeakyRules(), (nn.LeakyReLU,)),
    (PReLURules(), (nn.PReLU,)),
    (RReLURules(), (nn.RReLU,)),
    (AlongAxisRules(), (nn.Softmax, nn.Softmax2d)),
    (AlongAxisRules(-1), (nn.Softmin,)),
    (LogSoftmaxRules(), (nn.LogSoftmax,)),
    (GLURules(), (nn.GLU,)),
    (
        ElementwiseRules(),
        (
            *(nn.CELU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.LogSigmoid, nn.Hardswish),
            *(nn.Hardsigmoid, nn.Hardtanh, nn.ReLU6, nn.Softsign, nn.Hardshrink, nn.Softshrink, nn.Tanhshrink),
            nn.Threshold,
        ),
    ),
    (MSERules(), (nn.MSELoss,)),
    (DifferenceRules(), (nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)),
    (BCERules(), (nn.BCELoss,)),
    (BCEWithLogitsRules(), (nn.BCEWithLogitsLoss,)),
    (CrossEntropyRules(), (nn.CrossEntropyLoss,)),
    (NLLRules(), (nn.NLLLoss,)),
    (ConvRules(), (nn.Conv1d, nn.Conv2d, nn.Conv3d)),
    (ConvTransposeRules(), (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)),
    (MaxPoolRules(), (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)),
    (AvgPoolRules(), (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)),
    (AdaptiveAvgPoolRules(), (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)),
    (AdaptiveMaxPoolRules(), (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)),
    (ChannelNormRules(), (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)),
    (ChannelNormRules(), (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)),
    (RowNormRules(), (nn.LayerNorm, nn.GroupNorm)),
    (DropoutRules(), (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)),
    (RecurrentRules(), (nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell)),
    (ReshapeRules(), (nn.Flatten, nn.Unflatten, nn.Identity, ops.Reshape)),
    (MoveRules(), (nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle)),
    (MoveRules(), (nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d, nn.ReplicationPad1d)),
    (MoveRules(), (nn.ReplicationPad2d, nn.ReplicationPad3d, nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d)),
    (MoveRules(), (nn.CircularPad1d, nn.CircularPad2d, nn.CircularPad3d, _ConstantPadding)),
    (MoveRules(), (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)),
    (PermuteRules(), (ops.Permute,)),
    (MoveRules(), (ops.Broadcast, ops.Index)),
    (ConcatenateRules(), (ops.Concatenate,)),
    (SplitRules(), (ops.Split,)),
    (SplitHeadsRules(), (ops.SplitHeads,)),
    (MergeHeadsRules(), (ops.MergeHeads,)),
    (AddRules(), (ops.Add,)),
    (SubtractRules(), (ops.Subtract,)),
    (MultiplyRules(), (ops.Multiply,)),
    (DivideRules(), (ops.Divide,)),
    (WhereRules(), (ops.Where,)),
    (MatMulRules(), (ops.MatMul,)),
    (SumRules(), (ops.Sum,)),
    (MeanRules(), (ops.Mean,)),
    (NegativeRules(), (ops.Negative,)),
    (ExpRules(), (ops.Exp,)),
    (LogRules(), (ops.Log,)),
    (SqrtRules(), (ops.Sqrt,)),
    (AbsRules(), (ops.Abs,)),
    (PowerRules(), (ops.Power,)),
]

RULES: dict[type, Rules] = {cls: rules for rules, classes in _BY_RULES for cls in classes}
"""The rules by class. A class that is not here is explained by its formula and its operands, without arithmetic."""


def rules_of(layer: object) -> Rules | None:
    """The rules for this layer or operation; ``None`` if its arithmetic is not known here."""
    return RULES.get(type(layer))
