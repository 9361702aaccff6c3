"""What the API costs beside the bare interpreter: `python -m malaria.tours.bench [URL]`.

Both run here, one after the other, over the same cells; what is printed is their ratio, since milliseconds
of one machine say little about another.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from malaria import predict, preprocess, shipped, synthetic, wiring
from malaria.errors import MalariaError
from malaria.settings import Settings
from malaria.tours import asking


@dataclass(frozen=True)
class Bare:
    """Seconds for each cell in one thread: `interpreter` alone, `whole` with decoding and resizing."""

    interpreter: float
    whole: float


@dataclass(frozen=True)
class Load:
    """What `clients` at once saw: answers per second, median and 95th percentile of seconds, failures."""

    clients: int
    rate: float
    median: float
    high: float
    failed: int


def bare(cells: Sequence[bytes], repeat: int) -> Bare:
    """Time the shipped model without a server, one interpreter in one thread."""
    info, folder = shipped.read_shipped(wiring.shipped_models(Settings()))
    model = predict.Model.load(folder / "model.tflite", info, interpreters=1)
    ready = [preprocess.pixels(data, info.input_size) for data in cells]
    alone = _each(lambda i: model.score(ready[i % len(ready)]), repeat)
    whole = _each(lambda i: model.score(preprocess.pixels(cells[i % len(cells)], info.input_size)), repeat)
    return Bare(alone, whole)


def _each(work: Callable[[int], object], repeat: int) -> float:
    for i in range(10):  # the first calls warm caches
        work(i)
    start = time.perf_counter()
    for i in range(repeat):
        work(i)
    return (time.perf_counter() - start) / repeat


def load(url: str, cells: Sequence[bytes], clients: int, requests: int) -> Load:
    """Send `requests` single predictions from `clients` threads, each with a connection of its own."""

    def ask(me: int) -> list[float | None]:
        with asking.client(url) as server:
            return [_timed(server, cells[(me + i) % len(cells)]) for i in range(requests // clients)]

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        taken = [one for many in pool.map(ask, range(clients)) for one in many]
    wall = time.perf_counter() - start
    good = sorted(t for t in taken if t is not None)
    if not good:
        raise httpx.TransportError(f"all {len(taken)} requests failed")
    high = good[min(len(good) - 1, int(0.95 * len(good)))]
    return Load(clients, len(good) / wall, statistics.median(good), high, len(taken) - len(good))


def _timed(server: httpx.Client, data: bytes) -> float | None:
    start = time.perf_counter()
    answer = server.post("/predict", files=asking.picture(data))
    return time.perf_counter() - start if answer.status_code == 200 else None


def main(argv: Sequence[str] | None = None) -> int:
    parser = asking.parser("Compare a running server with the bare interpreter; nothing is judged.")
    parser.add_argument("--requests", type=int, default=640, help="predictions for each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32], help="how many ask at once")
    args = parser.parse_args(argv)
    cells = [cell.png() for cell in synthetic.generate(32, seed=3)]
    try:
        alone = bare(cells, args.requests)
        print(f"bare interpreter           {1000 * alone.interpreter:6.2f} ms a cell, one thread")
        print(f"with decoding and resizing {1000 * alone.whole:6.2f} ms a cell, one thread")
        print("clients  answers/s  median ms  p95 ms  failed  time an answer : bare interpreter")
        for clients in args.clients:
            seen = load(args.url, cells, clients, max(args.requests, clients))
            print(
                f"{clients:7}  {seen.rate:9.1f}  {1000 * seen.median:9.1f}  {1000 * seen.high:6.1f}  "
                f"{seen.failed:6}  {1 / seen.rate / alone.interpreter:6.2f} : 1"
            )
    except httpx.TransportError as error:
        print(asking.unreachable(args.url, error), file=sys.stderr)
        return 1
    except MalariaError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
