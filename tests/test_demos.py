"""Every script in demos runs as its first lines say, and prints something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason='scikit-learn is not installed: pip install ".[demos]"')

DEMOS = sorted((Path(__file__).parents[1] / "demos").glob("*.py"))


def run(demo: Path, folder: Path) -> str:
    command = [sys.executable, "-P", str(demo)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"}
    ).stdout


def test_there_are_demos() -> None:
    assert DEMOS


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.stem)
def test_a_demo_runs(demo: Path, tmp_path: Path) -> None:
    assert run(demo, tmp_path).strip()


def test_three_ways_give_the_same_bits(tmp_path: Path) -> None:
    demo = next(demo for demo in DEMOS if demo.stem == "three_ways")
    assert run(demo, tmp_path).splitlines()[-1] == "the same bits in all 4 gradients: True; in ∂J/∂x: True"
