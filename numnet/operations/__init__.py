"""The formulas behind Tensor arithmetic: each a forward and a backward, as a layer has them, without parameters.

Here a and b are operands, x is the one input, y the output, δ = ∂J/∂y; all are arrays. Shapes follow NumPy's
broadcasting, whose way back is a sum. Integers may take part; only floating inputs have a gradient.
"""

from __future__ import annotations

from .arithmetic import Add, Divide, ElementwisePower, MatMul, Multiply, Negative, Subtract
from .elementwise import Abs, Cast, Clamp, Cos, Exp, Log, Power, Relu, Sigmoid, Sin, Sqrt, Tanh, ToDevice
from .heads import MergeHeads, SplitHeads
from .indexing import Assign, Concatenate, Index, Split, Where
from .operation import Axes, Operation, as_array, as_operand, expect_alike, normalised_axes
from .reduction import (
    CumulativeSum,
    Max,
    MaxAlong,
    Mean,
    Min,
    MinAlong,
    Norm,
    Product,
    StandardDeviation,
    Sum,
    TopK,
    Variance,
)
from .shape import Broadcast, Permute, Reshape

__all__ = [
    "Abs",
    "Add",
    "Assign",
    "Axes",
    "Broadcast",
    "Cast",
    "Clamp",
    "Concatenate",
    "Cos",
    "CumulativeSum",
    "Divide",
    "ElementwisePower",
    "Exp",
    "Index",
    "Log",
    "MatMul",
    "Max",
    "MaxAlong",
    "Mean",
    "MergeHeads",
    "Min",
    "MinAlong",
    "Multiply",
    "Negative",
    "Norm",
    "Operation",
    "Permute",
    "Power",
    "Product",
    "Relu",
    "Reshape",
    "Sigmoid",
    "Sin",
    "Split",
    "SplitHeads",
    "Sqrt",
    "StandardDeviation",
    "Subtract",
    "Sum",
    "Tanh",
    "ToDevice",
    "TopK",
    "Variance",
    "Where",
    "as_array",
    "as_operand",
    "expect_alike",
    "normalised_axes",
]
