"""What one cell costs in one thread: `python -m malaria.tours.latency A.tflite [B.tflite ...]`.

Each file is run at its own input size, on the same noise, in turns with the others, so that whatever else the
machine does slows all of them alike. Of milliseconds only the ratio to the first file is worth keeping.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from malaria.errors import MalariaError, ModelUnusable
from malaria.predict import interpreter

WARM_UP = 5


@dataclass(frozen=True)
class Latency:
    """size: the side of the input in pixels. seconds: median of one cell in one thread. ratio: to that of the
    first file."""

    path: Path
    file_bytes: int
    size: int
    seconds: float
    ratio: float


def latencies(paths: Sequence[Path], runs: int) -> list[Latency]:
    """Time files side by side, `runs` times each. Raises ModelUnusable where one cannot be run."""
    ready = [_ready(path) for path in paths]
    taken: list[list[float]] = [[] for _ in ready]
    for i in range(WARM_UP + runs):
        for (run, _), times in zip(ready, taken, strict=True):
            start = time.perf_counter()
            run()
            if i >= WARM_UP:
                times.append(time.perf_counter() - start)
    medians = [statistics.median(times) for times in taken]
    return [
        Latency(path, path.stat().st_size, size, median, median / medians[0])
        for path, (_, size), median in zip(paths, ready, medians, strict=True)
    ]


def _ready(path: Path) -> tuple[Callable[[], None], int]:
    """What runs a file once on a picture of noise, and the side of that picture."""
    try:
        run = interpreter(path.read_bytes())
        run.allocate_tensors()
        (told,) = run.get_input_details()
        noise = np.random.default_rng(0).integers(0, 256, told["shape"]).astype(told["dtype"])
        run.set_tensor(told["index"], noise)
        run.invoke()
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelUnusable(f"{path} cannot be run: {error}") from error
    return run.invoke, int(told["shape"][1])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time .tflite files side by side, one cell, one thread.")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.tflite")
    parser.add_argument("--runs", type=int, default=200, help="of each file")
    args = parser.parse_args(argv)
    try:
        print("file                                      bytes  pixels  median ms   : first")
        for seen in latencies(args.files, args.runs):
            name, milliseconds = "/".join(seen.path.parts[-2:]), 1000 * seen.seconds
            print(f"{name:36} {seen.file_bytes:10,}  {seen.size:6}  {milliseconds:9.2f}  {seen.ratio:6.2f}")
    except MalariaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
