"""Real runs of Locust against real servers: sound ones, wrong ones, and one that has enough."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from load.figures import REFUSED
from malaria.domain import Scope
from malaria.keys import Keys
from tests.api.conftest import another
from tests.load.runs import SECONDS, Load, clean
from tests.load.servers import Refusing, Serve, narrow, nonsense

pytestmark = pytest.mark.slow
ALL = ("/predict", "/predict/batch", "/status", "/retrain/tasks")


def test_a_sound_server_passes_on_the_plain_command_line(serve: Serve, load: Load) -> None:
    server = serve()
    run = load(
        server.url, "-u", "12", "-r", "12", "-t", "600s", until=lambda: server.watched.seen(*ALL, refused=3)
    )
    assert run.code == 0, run.said
    assert "The run passed." in run.said
    names = {row["Name"].removesuffix(" (CSV)") for row in run.rows("stats")}  # tables alone, by chance
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
