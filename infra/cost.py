"""`make cost`: what a deployment costs in a month, and a million predictions, from a stated load.

An estimate from the prices in prices.toml: free tiers are left out, so a small laboratory pays less.
"""

import argparse
import dataclasses
import math
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.context import given, of_file
from infra.settings import BadSettings, Settings, read
from malaria import metric_names

PRICES = Path(__file__).parent / "prices.toml"
HOURS = 730
SECONDS = 3600
ZONES, ENDPOINTS = 2, 3
IMAGES_GB = {"api": 0.25, "adapt": 0.35, "full": 0.9}
ALARMS = 16
LOG_KB_REQUEST = 1.5
"""What a request writes into the logs of function and API."""
FUNCTION_GB = 1
"""Memory of the functions beside the API's."""

LEAST = {"per_request": 1}
"""Of what a load tells, the least that there can be, where that is not 0."""

Prices = Mapping[str, Any]


@dataclass(frozen=True)
class Load:
    """What a month brings."""

    predictions: int = 100_000
    per_request: int = 1
    milliseconds: float = 60
    """Of the function, for one request."""
    uploads: int = 8
    upload_mb: int = 20
    adapt_minutes: float = 4
    full_trainings: int = 0
    full_minutes: float = 180
    stored_gb: float = 5

    @property
    def requests(self) -> float:
        return self.predictions / self.per_request

    @property
    def answered_gb(self) -> float:
        """An answer has about 2 KB for each picture."""
        return self.predictions * 2e-6


def prices(path: Path = PRICES) -> Prices:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def estimate(settings: Settings, load: Load, price: Prices) -> dict[str, float]:
    """US dollars a month, for each thing that costs."""
    return {
        "functions": _functions(settings, load, price["lambda"]),
        "API": load.requests / 1e6 * price["api"]["million_requests"],
        "trainings": _trainings(settings, load, price),
        "network": _network(settings, price["rest"]),
        "storage": _storage(load, price),
        "tables": _tables(load, price["dynamodb"]),
        "logs, metrics, alarms": _watching(settings, load, price["cloudwatch"]),
        "images": sum(IMAGES_GB.values()) * price["rest"]["ecr_gb_month"],
        "traffic": _traffic(settings, load, price["rest"]),
        "queue and traces": _messages(settings, load, price["rest"]),
    }


def per_million(settings: Settings, load: Load, price: Prices) -> float:
    """What a million predictions more would cost, asked as this load asks them."""
    more = dataclasses.replace(load, predictions=load.predictions + 1_000_000)
    return sum(estimate(settings, more, price).values()) - sum(estimate(settings, load, price).values())


def _functions(settings: Settings, load: Load, price: Prices) -> float:
    gb = settings.api_memory / 1024
    rounds = HOURS * 60 / settings.reconcile_minutes
    sent = HOURS * 60 / settings.canary_minutes if settings.canary else 0  # one second, and two requests
    asked = load.requests + 2 * sent
    calls = asked + rounds + sent + 3 * load.uploads
    busy = asked * load.milliseconds / 1000 * gb + (rounds + sent + 30 * load.uploads) * FUNCTION_GB
    disk = (rounds + 30 * load.uploads) * 2.5 * price["disk_gb_second"]
    warm = settings.provisioned_concurrency * gb * HOURS * SECONDS * price["provisioned_gb_second"]
    return float(
        calls / 1e6 * price["million_requests"]
        + busy * price["gb_second"][settings.architecture]
        + disk
        + warm
    )


def _trainings(settings: Settings, load: Load, price: Prices) -> float:
    share = price["rest"]["spot_share"] if settings.spot else 1
    adapt, full = load.uploads * load.adapt_minutes / 60, load.full_trainings * load.full_minutes / 60
    if settings.trainer == "sagemaker":
        hours = ((settings.adapt_instance, adapt), (settings.full_instance, full))
        return share * sum(time * _instance(price["sagemaker"], name) for name, time in hours if time)
    told = price["fargate"]

    def hour(cpu: int, memory: int) -> float:
        machine = cpu / 1024 * told["cpu_hour"] + memory * told["gb_hour"]
        beside = (settings.task_disk - 20) * told["disk_gb_hour"]
        return float(machine * share + beside + (settings.network == "public") * told["address_hour"])

    return adapt * hour(settings.adapt_cpu, settings.adapt_memory) + full * hour(
        settings.full_cpu, settings.full_memory
    )


def _instance(known: Mapping[str, float], name: str) -> float:
    if name not in known:
        raise BadSettings(f"{name} has no price in {PRICES.name}; add it under [sagemaker]")
    return known[name]


def _network(settings: Settings, price: Prices) -> float:
    private = settings.network == "private"
    return float(private * ENDPOINTS * ZONES * HOURS * price["endpoint_hour"])


def _storage(load: Load, price: Prices) -> float:
    told, raw = price["s3"], 2 * 3 * load.uploads * load.upload_mb / 1024  # twice, for three months
    writes, reads = 40 * load.uploads, load.requests * 0.01 + 400 * load.uploads
    kept = (load.stored_gb + raw) * told["gb_month"]
    return float(kept + writes / 1000 * told["thousand_writes"] + reads / 1000 * told["thousand_reads"])


def _tables(load: Load, price: Prices) -> float:
    writes, reads = 2000 * load.uploads, 500_000 + 4000 * load.uploads
    return float(
        writes / 1e6 * price["million_writes"]
        + reads / 1e6 * price["million_reads"]
        + 0.1 * price["gb_month"]
    )


def _watching(settings: Settings, load: Load, price: Prices) -> float:
    gb = load.requests * LOG_KB_REQUEST / 2**20 + 0.2 + 0.01 * load.uploads
    kept = gb * settings.log_days / 30 * price["log_gb_month"]
    told = len(metric_names.ALL) * price["metric_month"] + ALARMS * price["alarm_month"]
    return float(gb * price["log_gb"] + kept + told + price["dashboard_month"])


def _traffic(settings: Settings, load: Load, price: Prices) -> float:
    if settings.web == "off":
        return float(load.answered_gb * price["out_gb"])
    return float(
        load.answered_gb * price["cloudfront_gb"] + load.requests / 1e6 * price["cloudfront_million"]
    )


def _messages(settings: Settings, load: Load, price: Prices) -> float:
    polls = HOURS * SECONDS / 20 * 5  # Lambda asks an empty queue with five pollers, each for 20 seconds
    traces = load.requests / 1e6 * price["xray_million"] if settings.xray else 0
    return float((polls + 10 * load.uploads) / 1e6 * price["sqs_million"] + traces)


def lines(settings: Settings, load: Load, price: Prices) -> Iterator[str]:
    found = estimate(settings, load, price)
    asked = ", ".join(f"{name} {value:g}" for name, value in dataclasses.asdict(load).items())
    yield f"US dollars a month, from {price['source']} as noted on {price['noted']} for {price['region']}."
    yield f"Load: {asked}."
    yield ""
    for name, dollars in sorted(found.items(), key=lambda one: -one[1]):
        yield f"{name:24}{dollars:10.2f}"
    yield f"{'together':24}{sum(found.values()):10.2f}"
    yield f"{'a million predictions':24}{per_million(settings, load, price):10.2f}"


def _at_least(least: int, kind: type) -> Callable[[str], float]:
    """Reads a number from the command line."""

    def number(text: str) -> float:
        found: float = kind(text)
        if not least <= found < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}, or no end")
        return found

    return number


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make cost", description=__doc__)
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a setting"
    )
    for field in dataclasses.fields(Load):
        name, least = f"--{field.name.replace('_', '-')}", LEAST.get(field.name, 0)
        parser.add_argument(name, type=_at_least(least, type(field.default)), default=field.default)
    told = vars(parser.parse_args(argv))
    try:
        settings = read({**of_file(), **given(told.pop("context"))})
        print("\n".join(lines(settings, Load(**told), prices())))
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
