"""One JSON line a figure: medians of alternating runs, the ratio to the baseline, the spread."""

import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
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


@dataclass(frozen=True)
class Sample:
    """One run: the figure, and how long one piece of work took in the middle and at the slow end."""

    value: float
    p50_ms: float
    p99_ms: float


def rss_mb(pid: int) -> float:
    """Resident memory of a process and all it started, now."""
    total = 0.0
    for status in Path(f"/proc/{pid}").glob("task/*/children"):
        total += sum(rss_mb(int(child)) for child in status.read_text().split())
    words = Path(f"/proc/{pid}/status").read_text()
    return total + int(words.partition("VmRSS:")[2].split()[0]) / 1024


def compare(
    figure: Figure, work: Callable[[], Sample], baseline: Callable[[], float], *, runs: int, rss: Callable[[], float], warm: int = 1
) -> dict[str, Any]:
    """Alternate work and baseline, A B A B; repeat once where the baseline itself moved by more than a quarter; print the line.

    `rss` is asked for the memory of what was measured after the last run.
    """
    for _ in range(warm):
        baseline()
        work()
    for attempt in range(2):
        samples: list[Sample] = []
        theirs: list[float] = []
        for number in range(runs):
            theirs.append(baseline())
            samples.append(work())
            say(f"  {figure.name} {number + 1} of {runs}: {samples[-1].value:.4g} {figure.unit}, baseline {theirs[-1]:.4g}")
        steady = max(theirs) <= 1.25 * min(theirs)
        if steady or attempt:
            break
        say("  the baseline moved by more than a quarter; once more")
    ours = [sample.value for sample in samples]
    value, base = statistics.median(ours), statistics.median(theirs)
    line = {
        "name": figure.name,
        "value": round(value, 4),
        "unit": figure.unit,
        "baseline": figure.baseline,
        "baseline_value": round(base, 4),
        "ratio": round(value / base, 4),
        "p50_ms": round(statistics.median(sample.p50_ms for sample in samples), 3),
        "p99_ms": round(statistics.median(sample.p99_ms for sample in samples), 3),
        "rss_mb": round(rss(), 1),
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
    }
    print(json.dumps(line), flush=True)
    return line
