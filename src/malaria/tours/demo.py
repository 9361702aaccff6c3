"""A tour against a running server: `python -m malaria.tours.demo [URL]`.

It predicts, sends what must be refused, brings the cells of a new laboratory, waits for the verdict and rolls
back what it changed. The cells are synthetic; the server, the retraining and the gate are real.
"""

import io
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx

from malaria import stains, synthetic, uploads
from malaria.synthetic import SyntheticCell
from malaria.tours import asking
from malaria.uploads import Picture

Say = Callable[[str], None]
ENDED = frozenset({"succeeded", "failed", "cancelled", "duplicate"})


class Stuck(Exception):
    """The tour cannot go on."""


FAINT = replace(stains.SIMULATED["grey and dark"], contrast=0.35, light=120.0)
"""Hardly any colour and little contrast: further from what ships has learnt than a usual stain."""


def other_stain(cell: SyntheticCell) -> bytes:
    """The cell as another laboratory would photograph it: another stain and lamp; PNG."""
    out = io.BytesIO()
    FAINT(cell.image).save(out, "PNG")
    return out.getvalue()


def upload(cells: Sequence[SyntheticCell]) -> bytes:
    """A ZIP as a laboratory sends it."""
    out = io.BytesIO()
    uploads.write(out, (Picture(cell.label, cell.name, cell.patient, other_stain(cell)) for cell in cells))
    return out.getvalue()


def predict(server: httpx.Client, say: Say) -> None:
    say("\n1. Predict. Two synthetic cells, one of each class:")
    for cell in synthetic.generate(2, seed=1):
        told = asking.read(server.post("/predict", files=asking.picture(cell.png())))
        said = told["prediction"]
        named = f"{said:12} {told['confidence']:.3f}" if said else f"no answer: {told['review']['code']}"
        took = f"by {told['model_version']} in {1000 * told['processing_time']:.0f} ms"
        say(f"   made {cell.label.text:12} -> {named}  {took}")


def refuse(server: httpx.Client, say: Say) -> None:
    say("\n2. Refuse. What cannot be used is told why:")
    good = next(iter(synthetic.generate(1, seed=2))).png()
    for what, answer in (
        ("a text file named .png", server.post("/predict", files=asking.picture(b"hello"))),
        ("half a picture", server.post("/predict", files=asking.picture(good[:400]))),
        ("the field 'image' for 'file'", server.post("/predict", files=asking.picture(good, field="image"))),
        (
            "a ZIP that is none",
            server.post("/retrain", files={"file": ("new.zip", b"hello", "application/zip")}),
        ),
    ):
        told = answer.json()
        say(f"   {what}: {answer.status_code} {told.get('title', '')}. {told.get('detail', '')}")


def right(server: httpx.Client, cells: Sequence[SyntheticCell]) -> float:
    """Share of a laboratory's cells that the served model names rightly."""
    files = [("files", (cell.name, other_stain(cell), "image/png")) for cell in cells]
    told = asking.read(server.post("/predict/batch", files=files))["results"]
    named = sum(t.get("prediction") == cell.label.text for t, cell in zip(told, cells, strict=True))
    return float(named) / len(cells)


def retrain(server: httpx.Client, say: Say, cells: Sequence[SyntheticCell], seed: int) -> dict[str, Any]:
    say(f"\n3. Retrain. A laboratory with another stain sends {len(cells)} labelled cells:")
    say(f"   the served model names {right(server, cells):.1%} of them rightly")
    files = {"file": (f"new-laboratory-{seed}.zip", upload(cells), "application/zip")}
    task = asking.read(server.post("/retrain", files=files, data={"method": "adapt"}))["task_id"]
    say(f"   task {task}")
    return wait(server, say, task)


def wait(server: httpx.Client, say: Say, task: str, seconds: float = 600) -> dict[str, Any]:
    """Follow a task to its end, saying each step once. Raises Stuck where it does not end in time."""
    deadline, last = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        told = asking.read(server.get(f"/retrain/status/{task}"))
        step = f"{told['state']} {told.get('step') or ''}".strip()
        if step != last:
            say(f"   {step}")
            last = step
        if told["state"] in ENDED:
            return told
        time.sleep(0.5)
    raise Stuck(f"Task {task} did not end within {seconds:.0f} s; see `malaria jobs show {task}`.")


def take_up(server: httpx.Client, say: Say, ended: dict[str, Any], cells: Sequence[SyntheticCell]) -> bool:
    """Say the verdict; where it is to serve the new model, wait for it and show what it gained."""
    say(f"\n4. Verdict. {ended.get('reason') or ended['state']}")
    if ended.get("verdict") != "accepted":
        say("   The model served before goes on serving, so there is nothing to roll back.")
        return False
    version = str(ended["version"])
    _until_served(server, version)
    say(f"   now served: {version}, which names {right(server, cells):.1%} of these cells rightly")
    return True


def roll_back(server: httpx.Client, say: Say, before: str) -> None:
    say("\n5. Roll back. One request, and the former model answers again:")
    body = {"actor": "demo", "reason": "end of the tour", "to": before}
    asking.read(server.post("/models/rollback", json=body))
    _until_served(server, before)
    say(f"   now served: {before}")


def _until_served(server: httpx.Client, version: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while asking.read(server.get("/health"))["model_version"] != version:
        if time.monotonic() > deadline:
            raise Stuck(f"{version} was promoted and not taken up within {seconds:.0f} s.")
        time.sleep(0.25)


def tour(url: str, say: Say, count: int, seed: int) -> None:
    with asking.client(url) as server:
        before = str(asking.read(server.get("/health"))["model_version"])
        say(f"A tour of {url}, which serves {before}. The cells are synthetic.")
        predict(server, say)
        refuse(server, say)
        cells = list(synthetic.generate(count, seed=seed))
        ended = retrain(server, say, cells, seed)
        if take_up(server, say, ended, cells):
            roll_back(server, say, before)
    say("\nEnd of the tour. What was done is kept: `malaria jobs list`, `malaria models list`.")


def main(argv: Sequence[str] | None = None) -> int:
    parser = asking.parser("A tour: predict, refuse bad input, retrain for real, roll back.")
    parser.add_argument("--cells", type=int, default=480, help="how many cells the laboratory sends")
    parser.add_argument("--seed", type=int, default=None, help="draws the cells; new ones each time")
    args = parser.parse_args(argv)
    seed = int(time.time()) if args.seed is None else args.seed  # the same cells twice would be a duplicate
    try:
        tour(args.url, print, args.cells, seed)
    except httpx.TransportError as error:
        print(asking.unreachable(args.url, error), file=sys.stderr)
        return 1
    except httpx.HTTPStatusError as error:
        print(f"{error}\n{error.response.text}", file=sys.stderr)
        return 1
    except Stuck as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
