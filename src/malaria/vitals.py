"""What this process takes of the machine."""

import threading

import psutil  # the one way to ask that is the same on Linux, macOS and Windows

from malaria.metric_names import CPU_TIME, MEMORY, Metric


class Vitals:
    """Memory and processor time of this process; for many threads. Time that was told is not told again."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._told = 0.0
        self._lock = threading.Lock()

    def take(self) -> dict[Metric, float]:
        """Megabytes, and the seconds of processor time since the last time this was asked."""
        times = self._process.cpu_times()
        with self._lock:
            new, self._told = times.user + times.system - self._told, times.user + times.system
        return {MEMORY: self._process.memory_info().rss / 1e6, CPU_TIME: max(new, 0.0)}
