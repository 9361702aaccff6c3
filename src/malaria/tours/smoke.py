"""Check any deployment from outside: `python -m malaria.tours.smoke URL`. It changes nothing there.

The key is read from MALARIA_KEY. Without one a server that asks for keys is checked for what strangers see.
"""

import re
import sys
from collections.abc import Callable, Sequence

import httpx

from malaria import synthetic
from malaria.address import KEY
from malaria.tours import asking

PROBLEM = "application/problem+json"
ANSWER = {
    "prediction",
    "confidence",
    "probabilities",
    "processing_time",
    "model_version",
    "timestamp",
    "prediction_id",
}


class Unexpected(Exception):
    """The server answered otherwise than it should."""


def must(condition: object, text: str) -> None:
    if not condition:
        raise Unexpected(text)


def health(server: httpx.Client) -> str:
    told = asking.read(server.get("/health"))
    must(told.get("status") == "ok" and told.get("model_loaded"), f"it says {str(told)[:200]}")
    return f"serves {told['model_version']}"


def model(server: httpx.Client) -> str:
    told = asking.read(server.get("/model/info"))
    must(told.get("version") and told.get("digest"), "the model has no version or digest")
    return f"{told.get('network')}, {told.get('input_size')} px, digest {told['digest'][:12]}"


def predictions(server: httpx.Client) -> str:
    for cell in synthetic.generate(2, seed=7):
        told = asking.read(server.post("/predict", files=asking.picture(cell.png())))
        must(told.keys() >= ANSWER, f"the answer lacks {sorted(ANSWER - told.keys())}")
        must(
            told["prediction"] == cell.label.text,
            f"a cell made {cell.label.text} is called {told['prediction']}",
        )
        must(abs(sum(told["probabilities"].values()) - 1) < 1e-6, "the probabilities do not add up to 1")
    return "a synthetic cell of each class is named rightly"


def batch(server: httpx.Client) -> str:
    files = asking.pictures(list(synthetic.generate(2, seed=8)))
    files.insert(1, ("files", ("notes.png", b"not a picture", "image/png")))
    told = asking.read(server.post("/predict/batch", files=files))
    must(len(told["results"]) == 3, f"3 files were sent, {len(told['results'])} entries came back")
    table = server.post("/predict/batch", files=files, headers={"accept": "text/csv"})
    must(table.status_code == 200 and "text/csv" in table.headers["content-type"], "no CSV came back")
    return "answers stand beside errors, as JSON and as CSV"


def refusals(server: httpx.Client) -> str:
    good = next(iter(synthetic.generate(1, seed=9))).png()
    cases = (
        ("text named .png", server.post("/predict", files=asking.picture(b"hello")), {422}),
        ("an empty file", server.post("/predict", files=asking.picture(b"")), {422}),
        ("half a picture", server.post("/predict", files=asking.picture(good[: len(good) // 2])), {422}),
        ("a wrong field name", server.post("/predict", files=asking.picture(good, field="image")), {422}),
        ("threshold 7", server.post("/predict", files=asking.picture(good), data={"threshold": "7"}), {422}),
        ("an unknown task", server.get("/retrain/status/no-such-task"), {404}),
        ("an unknown version", server.get("/models/no-such-version/card"), {404}),
    )
    for what, answer, statuses in cases:
        kind = answer.headers.get("content-type", "")
        must(answer.status_code in statuses, f"{what}: {answer.status_code} instead of {statuses}")
        must(kind.startswith(PROBLEM), f"{what}: answered as {kind}, not as {PROBLEM}")
        must(answer.json().get("detail"), f"{what}: no detail says what is wrong")
    return f"{len(cases)} kinds of bad input are refused, each with a reason"


def documents(server: httpx.Client) -> str:
    paths = asking.read(server.get("/openapi.json"))["paths"]
    must("/predict" in paths and "/retrain" in paths, "openapi.json lacks routes")
    page = server.get("/docs")
    must(page.status_code == 200, f"/docs answers {page.status_code}")
    foreign = re.findall(r"""(?:src|href)=["']((?:https?:)?//[^"']+)""", page.text)
    must(not foreign, f"/docs loads {foreign}")
    return f"{len(paths)} routes are described; the docs page loads nothing from third parties"


def strangers(server: httpx.Client) -> str:
    good = next(iter(synthetic.generate(1, seed=9))).png()
    asked = (
        server.get("/model/info"),
        server.get("/retrain/tasks"),
        server.post("/predict", files=asking.picture(good)),
        *(
            server.post(path, json={}) for path in ("/models/rollback", "/uploads")
        ),  # which do nothing if let in
    )
    for answer in asked:
        what = f"{answer.request.method} {answer.request.url.path}"
        must(answer.status_code == 401, f"{what} is answered {answer.status_code}, not 401")
    return f"{len(asked)} requests without a key are refused; set {KEY} to check answers"


CHECKS: tuple[Callable[[httpx.Client], str], ...] = (health, model, predictions, batch, refusals, documents)
OF_STRANGERS = (health, strangers, documents)


def _checks(server: httpx.Client) -> tuple[Callable[[httpx.Client], str], ...]:
    """What can be checked: where a key is asked for and there is none, what strangers see."""
    named = "authorization" in server.headers
    return OF_STRANGERS if not named and server.get("/model/info").status_code == 401 else CHECKS


def run(url: str, say: Callable[[str], None]) -> int:
    """Run every check and say how each went; return how many failed."""
    failed = 0
    with asking.client(url) as server:
        try:
            checks = _checks(server)
        except httpx.TransportError as error:
            say(f"FAIL  {CHECKS[0].__name__:12} {asking.unreachable(url, error)}")
            return 1
        for check in checks:
            try:
                say(f"ok    {check.__name__:12} {check(server)}")
            except httpx.TransportError as error:
                say(f"FAIL  {check.__name__:12} {asking.unreachable(url, error)}")
                return failed + 1
            except (Unexpected, httpx.HTTPError, ValueError, KeyError) as error:
                failed += 1
                say(f"FAIL  {check.__name__:12} {type(error).__name__}: {error}")
    say(f"{len(checks) - failed} of {len(checks)} checks passed at {url}")
    return failed


def main(argv: Sequence[str] | None = None) -> int:
    args = asking.parser("Check a running server; exit code 1 where a check fails.").parse_args(argv)
    return 1 if run(args.url, print) else 0


if __name__ == "__main__":
    sys.exit(main())
