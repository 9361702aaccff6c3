"""What one cell costs in one thread: `python -m malaria.tours.latency A.tflite [B.tflite ...]`.

Each file is run at its own input size, on the same noise, in turns with the others, so that whatever else the
machine does slows all of them alike. Of milliseconds only the ratio to the first file is worth keeping; with
`--out` a report of it is written.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from malaria import provenance, report
from malaria.digests import sha256
from malaria.errors import MalariaError, ModelUnusable
from malaria.predict import interpreter

WARM_UP = 5


@dataclass(frozen=True)
class Latency:
    """size: the side of the input in pixels. seconds: median of one cell in one thread. ratio: to that of the
    first file. spread: quartiles of the ratios of single turns."""

    path: Path
    file_bytes: int
    size: int
    seconds: float
    ratio: float
    spread: tuple[float, float] = (1.0, 1.0)


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
        Latency(path, path.stat().st_size, size, median, median / medians[0], _quartiles(times, taken[0]))
        for path, (_, size), median, times in zip(paths, ready, medians, taken, strict=True)
    ]


def _quartiles(times: Sequence[float], first: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(np.divide(times, first), (0.25, 0.75))
    return float(low), float(high)


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
    parser.add_argument("--out", type=Path, help="folder of report.json and report.md")
    args = parser.parse_args(argv)
    try:
        print("file                                      bytes  pixels  median ms   : first")
        found = latencies(args.files, args.runs)
        for seen in found:
            print(
                f"{_name(seen.path):36} {seen.file_bytes:10,}  {seen.size:6}  {1000 * seen.seconds:9.2f}  "
                f"{seen.ratio:6.2f}"
            )
        if args.out:
            _report(args.out, found, args.runs)
    except MalariaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _name(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _report(folder: Path, found: Sequence[Latency], runs: int) -> None:
    files = {_name(seen.path): sha256(seen.path) for seen in found}
    command = f"python -m malaria.tours.latency {' '.join(_name(seen.path) for seen in found)} --runs {runs}"
    now = datetime.now(UTC).replace(microsecond=0)
    rows = [
        (
            _name(seen.path),
            seen.file_bytes,
            seen.size,
            f"{seen.ratio:.2f}",
            "{:.2f} to {:.2f}".format(*seen.spread),
        )
        for seen in found
    ]
    columns = ("file", "bytes", "pixels", "time, to the first's", "quartiles of single turns")
    note = (
        "One cell in one thread, all files in turns; milliseconds say more of the machine than of the files."
    )
    table = report.Table("Time for a cell", columns, rows, note)
    told = [{"file": _name(seen.path), "ratio": seen.ratio, "spread": seen.spread} for seen in found]
    made = report.Made(command, files, 0, now, further={"machine": provenance.machine(), "runs": runs})
    report.write(folder, "Time for a cell", made, {"files": told}, [table], None)


if __name__ == "__main__":
    sys.exit(main())
