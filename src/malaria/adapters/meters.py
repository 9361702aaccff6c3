"""Who is told figures: CloudWatch through the log, a list for tests, or nobody.

CloudWatch's embedded metric format is one line of JSON in a log, which costs no call and cannot fail an
answer. Powertools' Metrics keeps what it is told in the process until it is flushed, so that requests that
are answered at the same time would share it; hence these few lines of the format itself.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from malaria.metric_names import DIMENSION, NAMESPACE, Metric
from malaria.ports import Clock

MOST = 100
"""Values of one metric that CloudWatch reads of one line."""


class NullMeter:
    """Tells nobody: for commands and trainings on a laptop, whose outcome says enough."""

    def tell(self, values: Mapping[Metric, float | Sequence[float]], **properties: str) -> None:
        finite(values, properties)


@dataclass
class MemoryMeter:
    """Keeps what it was told, for tests."""

    told: list[tuple[dict[Metric, list[float]], dict[str, str]]] = field(default_factory=list)

    def tell(self, values: Mapping[Metric, float | Sequence[float]], **properties: str) -> None:
        if told := finite(values, properties):
            self.told.append((told, properties))

    def of(self, metric: Metric) -> list[float]:
        """Every value of a metric, in the order in which they were told."""
        return [value for values, _ in self.told for value in values.get(metric, ())]


class EmfMeter:
    """Writes a line of the embedded metric format for each call, and more where there are many values.

    deployment: value of the one dimension. out: None for the standard output of the moment.
    """

    def __init__(self, deployment: str, clock: Clock, out: TextIO | None = None) -> None:
        self._deployment, self._clock, self._out = deployment, clock, out

    def tell(self, values: Mapping[Metric, float | Sequence[float]], **properties: str) -> None:
        known = finite(values, properties)
        longest = max(map(len, known.values()), default=0)
        out = self._out or sys.stdout
        for start in range(0, longest, MOST):
            part = {metric: told[start : start + MOST] for metric, told in known.items()}
            line = json.dumps(self._line({m: told for m, told in part.items() if told}, properties))
            out.write(f"{line}\n")  # at once, so that no other thread's line comes between
        out.flush()

    def _line(self, values: Mapping[Metric, list[float]], properties: Mapping[str, str]) -> dict[str, Any]:
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [[DIMENSION]],
            "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in values],
        }
        told = {"Timestamp": int(self._clock.now().timestamp() * 1000), "CloudWatchMetrics": [directive]}
        figures = {metric.name: one[0] if len(one) == 1 else one for metric, one in values.items()}
        return {"_aws": told, DIMENSION: self._deployment, **properties, **figures}


def finite(
    values: Mapping[Metric, float | Sequence[float]], properties: Mapping[str, str]
) -> dict[Metric, list[float]]:
    """The finite values; metrics without any are left out. Raises ValueError where a property has the name
    of a metric or of the dimension, of which one would hide the other."""
    taken = {DIMENSION, "_aws", *(metric.name for metric in values)} & properties.keys()
    if taken:
        raise ValueError(f"{', '.join(sorted(taken))} cannot name a property")
    listed = {metric: [told] if isinstance(told, int | float) else told for metric, told in values.items()}
    kept = {metric: [float(v) for v in told if math.isfinite(v)] for metric, told in listed.items()}
    return {metric: told for metric, told in kept.items() if told}
