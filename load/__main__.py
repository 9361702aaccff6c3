"""`make load`: a run without a screen, against a server that is started for it, or against --url.

What is not understood here goes to Locust: `python -m load --shape ramp -u 100 -t 120s`.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from load.course import Shape
from load.own_server import NotStarted, own_server

ROOT = Path(__file__).parents[1]
INTERRUPTED = 130
HTML, VERDICT = "report.html", "verdict.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: the run passed; 1: it did not; 2: there was nothing to ask; 130: it was interrupted."""
    parser = argparse.ArgumentParser(
        prog="load", description="Load on a server; further options are Locust's."
    )
    parser.add_argument("--url", help="of the server. Default: one is started, with an empty home of its own")
    parser.add_argument("--out", type=Path, default=Path("runs/load"), help="folder of the reports")
    args, others = parser.parse_known_args(argv)
    with Stop() as stop:
        try:
            with contextlib.nullcontext(args.url) if args.url else own_server() as url:
                code = run(url, args.out, others, stop)
        except NotStarted as error:
            print(error, file=sys.stderr)
            return 2
        except Interrupted:
            return INTERRUPTED
    if (args.out / VERDICT).exists():  # a run that found nobody to ask has none
        print(f"Reports: {args.out}/{HTML}, {args.out}/load_stats.csv, {args.out}/{VERDICT}")
    return INTERRUPTED if stop.asked else code


class Interrupted(Exception):
    """It was asked to stop before the run began."""


class Stop:
    """Passes Ctrl-C and SIGTERM on to the run: it reports what it saw, and the server ends after it."""

    def __init__(self) -> None:
        self.asked = False
        self.run: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stop":
        self._before = {
            number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: object) -> None:
        if self.run is None:
            raise Interrupted
        if self.asked:
            self.run.kill()
        else:
            self.run.send_signal(signal.SIGINT)
        self.asked = True


def run(url: str, out: Path, others: Sequence[str], stop: Stop) -> int:
    """Run Locust to its end; its exit code."""
    out.mkdir(parents=True, exist_ok=True)
    for name in (HTML, VERDICT):  # those of another run say nothing of this one
        (out / name).unlink(missing_ok=True)
    shape = os.environ.get("LOCUST_SHAPE", Shape.STEADY.value)
    command = [
        *(sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py")),
        *("--headless", "--only-summary", "--host", url, "--shape", shape),
        *("--csv", str(out / "load"), "--csv-full-history", "--html", str(out / HTML)),
        *("--verdict", str(out / VERDICT), *others),
    ]
    # A session of its own: what a terminal sends reaches it once, through here.
    stop.run = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    return stop.run.wait()


if __name__ == "__main__":
    sys.exit(main())
