"""A step length that meets the strong Wolfe conditions, for :class:`~numnet.optim.LBFGS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from ..arrays import Array

__all__ = ["Point", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9  # c₁ and c₂
NARROW = 1e-9  # the largest change of a weight in a bracket that is not searched further


@dataclass(frozen=True)
class Point:
    """What is known at W + t p: J, its gradient δ and the slope ∂J/∂t = δ · p."""

    t: float
    J: float
    delta: Array
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, longest: float, most: int
) -> tuple[Point, int]:
    """A point along a line at which J has fallen enough and is flat enough, and how many were evaluated.

        J(t) ≤ J(0) + c₁ t J′(0)        |J′(t)| ≤ c₂ |J′(0)|

    First t grows until both hold or a bracket around such a point is found; then the bracket shrinks. Every new t is
    the minimum of the cubic through two points.

    Args:
        evaluate: the point at t.
        start: the point at 0, whose slope is below 0.
        t: what to try first.
        longest: the largest element of the direction.
        most: how often t may change.

    Returns:
        The point, or the lowest of the bracket where the search ended without one; the number of evaluations.

    Source: Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6, with the safeguards that
    ``torch.optim.LBFGS`` has.
    """

    def rises(point: Point) -> bool:
        allowed = start.J + DECREASE * point.t * start.slope
        return allowed < point.J

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    before, point, tried = start, evaluate(t), 0
    while tried < most:
        if rises(point) or (tried > 1 and point.J >= before.J):
            break
        if flat(point):
            return point, tried + 1
        if point.slope >= 0:
            break
        t = _cubic_minimum(before, point, point.t + 0.01 * (point.t - before.t), 10 * point.t)
        before, point, tried = point, evaluate(t), tried + 1
    bracket = [before if tried < most else start, point]

    stuck = False  # the last t was close to an end of the bracket
    low = _lower(bracket)
    while tried < most:
        left, right = sorted(point.t for point in bracket)
        if (right - left) * longest < NARROW:
            break
        t = _cubic_minimum(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            stuck = False
        elif stuck or not left < t < right:
            t = right - margin if right - t < t - left else left + margin
            stuck = False
        else:
            stuck = True
        point, tried = evaluate(t), tried + 1
        if rises(point) or point.J >= bracket[low].J:
            bracket[1 - low] = point
            low = _lower(bracket)
        elif flat(point):
            return point, tried + 1
        else:
            if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
                bracket[1 - low] = bracket[low]
            bracket[low] = point
    return bracket[low], tried + 1


def _lower(bracket: list[Point]) -> int:
    return 0 if bracket[0].J <= bracket[1].J else 1


def _cubic_minimum(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic that has J and the slope of two points is lowest, within bounds; their middle if nowhere."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    if a.t < b.t:
        mean = a.slope + b.slope - 3 * (a.J - b.J) / (a.t - b.t)
        square = mean * mean - a.slope * b.slope
        if square >= 0:
            root = sqrt(square)
            bottom = b.slope - a.slope + 2 * root
            if bottom:
                t = b.t - (b.t - a.t) * ((b.slope + root - mean) / bottom)
                return min(max(t, least), most)
    return (least + most) / 2
