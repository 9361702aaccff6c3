"""Real runs of Locust against real servers: sound ones, wrong ones, and one that has enough."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped]
import pytest
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from load.figures import REFUSED
from malaria.api.app import create_app
from malaria.api.problems import problem
from malaria.api.turnstile import Turnstile
from malaria.domain import Scope
from malaria.keys import Keys
from malaria.services import Services
from tests.api.conftest import another, make
from tests.api.server import running

pytestmark = pytest.mark.slow

T = TypeVar("T")
PATIENT = ("--p95", "60000", "--p95-batch", "120000")
"""How long answers take on a busy machine is not asked here."""
SECONDS = 300.0


@dataclass
class Run:
    code: int
    said: str
    out: Path

    @property
    def verdict(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "verdict.json").read_text()))

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.out / f"load_{name}.csv").open() as file:
            return list(csv.DictReader(file))


Load = Callable[..., Run]


@pytest.fixture
def load(tmp_path: Path, root: Path) -> Load:
    """Run Locust on a server to its end, or `until` enough was seen: on a busy machine no time is enough."""

    def loaded(url: str, *arguments: str, until: Callable[[], bool] | None = None, **environment: str) -> Run:
        out = tmp_path / "out"
        command = [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(root / "locustfile.py"),
            "--headless",
            "--host",
            url,
        ]
        command += ["--csv", str(out / "load"), "--html", str(out / "report.html")]
        command += ["--verdict", str(out / "verdict.json"), "--only-summary", *PATIENT, *arguments]
        with (tmp_path / "said").open("w") as said:
            process = subprocess.Popen(
                command,
                env=clean() | environment,
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        try:
            if until is not None:
                wait(until, process, tmp_path / "said")
                process.send_signal(signal.SIGINT)
            process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()
        return Run(process.returncode, (tmp_path / "said").read_text(), out)

    return loaded


def wait(until: Callable[[], bool], process: subprocess.Popen[Any], said: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def clean() -> dict[str, str]:
    """The environment without settings of load or of the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MALARIA_", "LOCUST_"))}


class Watched:
    """Counts what a server has answered, by path and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answers: Counter[tuple[str, int]] = Counter()

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        async def counting(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self.answers[scope["path"], message["status"]] += 1

        await self._app(scope, receive, counting)

    def count(self, path: str, status: int = 200) -> int:
        return self.answers[path, status]

    def seen(self, *paths: str, refused: int = 0) -> bool:
        """Whether each of these was answered twice, and so many questions were refused."""
        bad = sum(many for (_, status), many in self.answers.items() if 400 <= status < 500)
        return all(self.count(path) >= 2 for path in paths) and bad >= refused


@dataclass
class Served:
    url: str
    services: Services
    watched: Watched


Serve = Callable[..., Served]
ALL = ("/predict", "/predict/batch", "/status", "/retrain/tasks")


@pytest.fixture
def serve(tmp_path: Path, models_dir: Path) -> Iterator[Serve]:
    """Start a server, its app within `around`."""
    with ExitStack() as stack:

        def started(around: Callable[[Any], ASGIApp] = lambda app: app, **settings: Any) -> Served:
            services, _ = make(tmp_path / "home", models_dir, **settings)
            watched: Any = Watched(around(create_app(services)))
            return Served(stack.enter_context(running(watched)), services, watched)

        yield started


def test_a_sound_server_passes_on_the_plain_command_line(serve: Serve, load: Load) -> None:
    server = serve()
    run = load(
        server.url, "-u", "12", "-r", "12", "-t", "600s", until=lambda: server.watched.seen(*ALL, refused=3)
    )
    assert run.code == 0, run.said
    assert "The run passed." in run.said
    names = {row["Name"] for row in run.rows("stats")}
    assert {"/predict", "/predict/batch", "/status", "/retrain/tasks?limit=20"} <= names
    assert any("(bad: " in name for name in names), "the clumsy client was refused, and that is no failure"
    assert run.rows("failures") == []
    told = run.verdict
    assert told["passed"] and told["answered"] > 10 and told["failed"] == 0
    assert "<html" in (run.out / "report.html").read_text()


def test_a_run_ends_by_its_time(serve: Serve, load: Load) -> None:
    run = load(serve().url, "-u", "2", "-r", "2", "-t", "12s", "Dashboard")
    assert run.code == 0, run.said
    assert run.verdict["seconds"] > 10


def test_promotions_while_it_runs_fail_nothing(serve: Serve, load: Load) -> None:
    server = serve()
    made, first = another(server.services), server.services.served.model.info.version
    left, answered = [made.version, first], 0

    def promoted() -> bool:
        """Promote one after the other, each after some answers by the one before."""
        nonlocal answered
        if server.watched.count("/predict") < answered + 4:
            return False
        answered = server.watched.count("/predict")
        if not left:
            return True
        server.services.registry.promote(
            left.pop(0), verdict="manual", actor="a test", reason="while it runs"
        )
        server.services.served.refresh()
        return False

    run = load(server.url, "-u", "6", "-r", "6", "-t", "600s", "Technician", "Clinic", until=promoted)
    assert [one.version for one in server.services.registry.history()][:2] == [first, made.version]
    assert run.code == 0, run.said
    assert run.verdict["failed"] == 0


class Changing:
    """Changes the JSON of some answers on their way out."""

    def __init__(
        self, app: ASGIApp, paths: tuple[str, ...], change: Callable[[dict[str, Any]], object]
    ) -> None:
        self._app, self._paths, self._change = app, paths, change

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        start: Message = {}

        async def changed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            assert not message.get("more_body")
            body = message["body"]
            if start["status"] == 200:
                told = json.loads(body)
                self._change(told)
                body = json.dumps(told).encode()
            kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            await send({**start, "headers": [*kept, length]})
            await send({**message, "body": body})

        await self._app(scope, receive, changed)


class Pages:
    """Puts a page in the place of errors, as a gateway may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        async def paged(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = [(name, value) for name, value in message["headers"] if name != b"content-type"]
                message = {**message, "headers": [*headers, (b"content-type", b"text/html")]}
            await send(message)

        await self._app(scope, receive, paged)


def nonsense(app: ASGIApp) -> ASGIApp:
    """A server that answers every kind of user wrongly, each in another way."""
    app = Changing(app, ("/predict",), lambda told: told.update(prediction="Maybe"))
    app = Changing(app, ("/predict/batch",), lambda told: told.update(model_version="20990101-nobodys"))
    app = Changing(app, ("/status",), lambda told: told.update(model_loaded=False))
    app = Changing(app, ("/retrain/tasks",), lambda told: told.update(tasks=None))
    return Pages(app)


def test_a_server_that_answers_nonsense_fails_and_why_is_named(serve: Serve, load: Load) -> None:
    server = serve(nonsense)
    enough = lambda: server.watched.seen(*ALL, refused=3)  # noqa: E731
    run = load(server.url, "-u", "12", "-r", "12", "-t", "600s", until=enough)
    assert run.code == 1
    assert "FAIL  failures: " in run.said and "The run failed." in run.said
    named = {(row["Name"], row["Error"]) for row in run.rows("failures")}
    assert named >= {
        ("/predict", "prediction is 'Maybe': neither a class nor null"),
        ("/predict/batch", "the answer is by a version that does not serve"),
        ("/status", "no model is loaded"),
        ("/retrain/tasks?limit=20", "there is no list of jobs"),
    }
    pages = {
        name for name, error in named if error == "refused as text/html, not as application/problem+json"
    }
    assert pages and all("(bad: " in name for name in pages)


class Slow(Turnstile):
    """The real turnstile, before work that takes its time."""

    async def run(self, work: Callable[[], T]) -> T:
        def slowly() -> T:
            time.sleep(0.4)
            return work()

        return await super().run(slowly)


def narrow(app: Any) -> ASGIApp:
    """One prediction at once, and nobody may wait."""
    app.state.malaria = replace(app.state.malaria, singles=Slow(1, 0, "predictions"))
    return app  # type: ignore[no-any-return]


def test_saturation_is_counted_apart_and_is_no_failure_of_a_ramp(serve: Serve, load: Load) -> None:
    server = serve(narrow)
    run = load(
        server.url, "-u", "10", "-r", "10", "-t", "48s", "--p95", "0", "Technician", LOCUST_SHAPE="ramp"
    )
    assert run.code == 0, run.said
    told = run.verdict
    assert told["refused"] > 0 and told["failed"] == 0
    assert [row for row in run.rows("stats") if row["Name"] == "/predict" + REFUSED]
    assert run.rows("failures") == []
    kinds = [step["kind"] for step in told["steps"]]
    assert kinds[-2:] == ["hold", "ease"]
    assert kinds.count("climb") < 10, "the climb went on after saturation"
    assert "is saturated by" in run.said


def test_saturation_is_a_failure_of_a_steady_load(serve: Serve, load: Load) -> None:
    server = serve(narrow)
    enough = lambda: server.watched.count("/predict", 503) >= 3  # noqa: E731
    arguments = ("--shape", "steady", "-u", "12", "-r", "12", "-t", "600s", "Technician")
    run = load(server.url, *arguments, until=enough)
    assert run.code == 1
    assert "FAIL  refused: " in run.said
    assert run.verdict["failed"] == 0
    assert run.rows("failures") == [], "refusals are not mixed with failures"


class Refusing:
    """Refuses every prediction; `seen` are the times."""

    def __init__(self, app: ASGIApp, headers: dict[str, str], seen: list[float]) -> None:
        self._app, self._headers, self._seen = app, headers, seen

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/predict":
            await self._app(scope, receive, send)
            return
        self._seen.append(time.monotonic())
        answer = problem(503, "Busy. Try again.", path="/predict", headers=self._headers)
        if not self._headers:
            del answer.headers["retry-after"]
        await answer(scope, receive, send)


def test_users_come_back_when_they_were_told_and_not_before(serve: Serve, load: Load) -> None:
    seen: list[float] = []
    server = serve(lambda app: Refusing(app, {"Retry-After": "3"}, seen))
    arguments = ("-u", "1", "-t", "600s", "--max-refused", "1", "Technician")
    run = load(server.url, *arguments, until=lambda: len(seen) >= 3)
    assert run.code == 1, "nothing was answered"
    assert "FAIL  answers: 0 right answers" in run.said
    assert all(later - earlier >= 2.9 for earlier, later in pairwise(seen))


def test_a_refusal_that_does_not_say_when_to_come_back_is_a_failure(serve: Serve, load: Load) -> None:
    seen: list[float] = []
    server = serve(lambda app: Refusing(app, {}, seen))
    arguments = ("-u", "1", "-t", "600s", "--max-refused", "1", "Technician")
    run = load(server.url, *arguments, until=lambda: len(seen) >= 3)
    assert run.code == 1
    assert "503 does not say when to come back (Retry-After)" in run.said


def test_a_key_opens_and_is_shown_nowhere(serve: Serve, load: Load) -> None:
    server = serve(access="keys")
    key = Keys(server.services.objects, server.services.clock).add("load", [Scope.PREDICT])
    enough = lambda: server.watched.seen(*ALL, refused=3)  # noqa: E731
    run = load(server.url, "-u", "12", "-r", "12", "-t", "600s", until=enough, MALARIA_KEY=key)
    assert run.code == 0, run.said
    assert key not in run.said
    assert all(key not in file.read_text() for file in run.out.iterdir())
    shut_out = load(server.url, "-t", "600s")
    assert shut_out.code == 1
    assert "Put a key into MALARIA_KEY" in shut_out.said


def test_a_callers_limit_is_met_as_saturation_is_and_a_share_of_it_may_be_allowed(
    serve: Serve, load: Load
) -> None:
    server = serve(requests_per_minute=20)
    enough = lambda: server.watched.count("/predict", 429) >= 3  # noqa: E731
    arguments = ("-u", "12", "-r", "12", "-t", "600s", "--max-refused", "0.99", "Technician")
    run = load(server.url, *arguments, until=enough)
    assert run.code == 0, run.said
    assert run.verdict["failed"] == 0 and run.verdict["refused"] > 0


def test_what_cannot_be_asked_is_told_in_a_line(load: Load) -> None:
    for url, words in (("http://127.0.0.1:9", "make serve"), ("nowhere", "no address of a server")):
        run = load(url, "-t", "5s")
        assert run.code == 1
        assert words in run.said and "Traceback" not in run.said


HELP = "import locustfile; from locust.argument_parser import get_parser; print(get_parser().format_help())"


def test_every_option_that_the_documents_name_is_there_with_its_default(root: Path) -> None:
    text = (root / "docs" / "load.md").read_text()
    done = subprocess.run(
        [sys.executable, "-c", HELP], cwd=root, env=clean(), capture_output=True, text=True, timeout=SECONDS
    )
    known = " ".join(done.stdout.split())
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*)", text))
    assert {"--shape", "--p95", "--max-refused", "--verdict"} <= named
    assert [option for option in sorted(named) if f"{option} " not in known] == [], done.stderr
    defaults = re.findall(r"^\| `(--[a-z0-9-]+)` \| ([0-9.]+) \|", text, re.M)
    assert len(defaults) >= 6
    for option, value in defaults:
        assert re.search(rf"{option} [A-Z0-9_]+ [^-]*?Default: {re.escape(value)}\.", known), option


@contextmanager
def alone(root: Path, out: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`make load` without Make, with all that is temporary below `out`; it is ended where a test did not."""
    scratch = out / "scratch"
    scratch.mkdir(parents=True)
    environment = {"TMPDIR": str(scratch), "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    with subprocess.Popen(
        [sys.executable, "-m", "load", "--out", str(out / "reports"), *PATIENT, *arguments],
        env=clean() | environment,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=SECONDS)


def left_behind(out: Path) -> list[str]:
    """Processes that were started for a run, and what lies where they kept their files."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    files = [str(path) for path in (out / "scratch").iterdir()]
    return [line for line in lines if str(out) in line] + files


def test_it_starts_a_server_of_its_own_and_leaves_nothing_but_reports(root: Path, tmp_path: Path) -> None:
    with alone(root, tmp_path, "-u", "4", "-r", "4", "-t", "15s") as process:
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert left_behind(tmp_path) == []
    names = {path.name for path in (tmp_path / "reports").iterdir()}
    assert {"report.html", "load_stats.csv", "load_stats_history.csv", "verdict.json"} <= names
    assert json.loads((tmp_path / "reports" / "verdict.json").read_text())["shape"] == "steady"


def test_ctrl_c_ends_the_run_with_its_report_and_then_the_server(root: Path, tmp_path: Path) -> None:
    history = tmp_path / "reports" / "load_stats_history.csv"
    with alone(root, tmp_path, "-u", "2", "-r", "2", "-t", "600s") as process:
        deadline = time.monotonic() + SECONDS
        while not (history.exists() and "/predict" in history.read_text()):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline, "the run did not begin"
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, said
    assert left_behind(tmp_path) == []
    assert json.loads((tmp_path / "reports" / "verdict.json").read_text())["answered"] > 0
    assert (tmp_path / "reports" / "report.html").exists()


def test_a_server_that_does_not_start_is_told(root: Path, tmp_path: Path) -> None:
    env = clean() | {
        "MALARIA_MAX_WAITING": "none",
        "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "load", "--out", str(tmp_path)],
        env=env,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert "MALARIA_MAX_WAITING is wrong" in done.stderr
