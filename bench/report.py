"""One JSON line a figure: medians of alternating runs, the ratio to the baseline, the spread."""

import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figure:
    """`name` and `unit` of the work, `baseline` in words, floor and goal of the ratio (higher is better unless `lower`)."""

    name: str
    unit: str
    baseline: str
    floor: float
    goal: float
    lower: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def say(words: str) -> None:
    """Progress, beside the figures."""
    print(words, file=sys.stderr, flush=True)


def compare(
    figure: Figure, work: Callable[[], float], baseline: Callable[[], float], *, runs: int, warm: int = 1, **more: Any
) -> dict[str, Any]:
    """Alternate work and baseline, A B A B; repeat once where the baseline itself moved by more than a quarter; print the line."""
    for _ in range(warm):
        baseline()
        work()
    for attempt in range(2):
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(runs):
            theirs.append(baseline())
            ours.append(work())
            say(f"  {figure.name} {number + 1} of {runs}: {ours[-1]:.4g} {figure.unit}, baseline {theirs[-1]:.4g}")
        steady = max(theirs) <= 1.25 * min(theirs)
        if steady or attempt:
            break
        say("  the baseline moved by more than a quarter; once more")
    value, base = statistics.median(ours), statistics.median(theirs)
    line = {
        "name": figure.name,
        "value": round(value, 4),
        "unit": figure.unit,
        "baseline": figure.baseline,
        "baseline_value": round(base, 4),
        "ratio": round(value / base, 4),
        "floor": figure.floor,
        "goal": figure.goal,
        "better": "lower" if figure.lower else "higher",
        "value_min": round(min(ours), 4),
        "value_max": round(max(ours), 4),
        "baseline_min": round(min(theirs), 4),
        "baseline_max": round(max(theirs), 4),
        "steady": steady,
        "runs": runs,
        **figure.facts,
        **more,
    }
    print(json.dumps(line), flush=True)
    return line
