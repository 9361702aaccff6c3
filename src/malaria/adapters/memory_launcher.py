"""A launcher that starts nothing, for tests: they say themselves when a run ends."""

import threading

from malaria.domain import Method
from malaria.errors import Busy


class MemoryLauncher:
    """Remembers what was launched. `end` plays the death of a run; `full` refuses new ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: dict[str, bool] = {}
        self.launched: list[tuple[str, int]] = []
        self.full = ""

    def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:  # noqa: ARG002
        with self._lock:
            handle = f"memory:{job_id}:{attempt}"
            if handle not in self._alive:
                if self.full:
                    raise Busy(self.full)
                self._alive[handle] = True
                self.launched.append((job_id, attempt))
            return handle

    def alive(self, handle: str) -> bool:
        return self._alive.get(handle, False)

    def stop(self, handle: str) -> None:
        self.end(handle)

    def log(self, job_id: str) -> str:
        return f"logs/{job_id}.log"

    def end(self, handle: str) -> None:
        with self._lock:
            if handle in self._alive:
                self._alive[handle] = False
