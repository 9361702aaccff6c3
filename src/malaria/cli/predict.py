"""`malaria predict`: an answer for each picture in files, folders and ZIPs."""

import contextlib
import csv
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.asked import Server
from malaria.cli.common import JsonOption, ModelOption, ThresholdOption, load_model
from malaria.cli.explaining import Drawing
from malaria.cli.pictures import Picture, find
from malaria.cli.rows import Row
from malaria.domain import CLASSES, Label, Progress
from malaria.errors import BadOptions, MalariaError, UnreadableImage

if TYPE_CHECKING:
    from malaria.predict import Model

COLUMNS = (
    "file",
    "prediction",
    "confidence",
    "p_parasitized",
    "threshold",
    "review",
    "model_version",
    "error",
)


def predict(
    ctx: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Pictures, folders of pictures, or ZIPs.")
    ],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: JsonOption = False,
    threshold: ThresholdOption = None,
    model: ModelOption = None,
    explain: Annotated[
        Path | None, typer.Option(help="Folder for pictures of where the model looked, one for each cell.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Address of a server that is to answer, by the key in MALARIA_KEY. Default: none."),
    ] = None,
) -> None:
    """Say for each picture of one stained cell whether it shows parasites.

    A picture that is surely not one good cell is not answered; `review` says what it is.

    Exit code 1 if any picture could not be read; the others are answered all the same.

    Examples:

        malaria predict cell.png

        malaria predict slide-7/ more.zip --csv > answers.csv

        malaria predict slide-7/ --explain where-it-looked/

        MALARIA_KEY=malaria_... malaria predict slide-7/ --url https://...
    """
    if as_csv and as_json:
        raise BadOptions("Choose one of --csv and --json.")
    if url is not None and (model or explain):
        raise BadOptions("A server answers by the model that it serves: leave --model and --explain out.")
    _need_probability(threshold)
    with contextlib.ExitStack() as stack:
        pictures = find(paths, stack)
        drawing = Drawing(explain, [picture.name for picture in pictures]) if explain else None
        if url is not None:
            server = stack.enter_context(Server(url))
            version, at = server.serves(threshold)
            found = server.answers(pictures, threshold)
        else:
            loaded = load_model(ctx, model)
            version, at = loaded.info.version, loaded.info.threshold if threshold is None else threshold
            found = answers(loaded, pictures, at, drawing)
        report = stack.enter_context(output.progress(lines=False))
        rows = watched(found, len(pictures), report)
        done = _print_csv(rows, version, at, drawing) if as_csv else list(rows)
    if as_json:
        output.print_json(told(done, version, at))
    elif not as_csv:
        _print_table(done)
    if drawing:
        output.note(f"Where the model looked: {drawing.drawn:,} in {drawing.folder}")
    raise typer.Exit(1 if any(row.error for row in done) else 0)


def _need_probability(threshold: float | None) -> None:
    if threshold is not None and not 0 <= threshold <= 1:
        raise BadOptions(f"--threshold is {threshold}; it must be a probability from 0 to 1.")


def answers(
    model: "Model", pictures: Sequence[Picture], threshold: float, drawing: Drawing | None = None
) -> Iterator[Row]:
    """An answer or an error for each picture, in order, scored on all cores."""
    from malaria import preprocess
    from malaria.predict import interpret

    waiting: deque[Row] = deque()

    def readable() -> Iterator[preprocess.Pixels]:
        for number, picture in enumerate(pictures):
            try:
                image = preprocess.decode(picture.read())
            except MalariaError as error:
                waiting.append(Row(picture.name, error=error))
                continue
            except OSError as error:
                refused = UnreadableImage(f"The file cannot be read: {error.strerror or error}.")
                waiting.append(Row(picture.name, error=refused))
                continue
            waiting.append(Row(picture.name))
            if drawing:
                drawing.hold(number, image)
            yield preprocess.to_square(image, model.info.input_size)

    for scored in model.score_many(readable()):
        while waiting[0].error:
            yield waiting.popleft()
        answer = interpret(scored, model.info, threshold)
        explanation = drawing.draw(scored.activation if answer.prediction else None) if drawing else None
        yield Row(waiting.popleft().name, answer, explanation=explanation)
    yield from waiting


def watched(rows: Iterator[Row], total: int, report: output.Report) -> Iterator[Row]:
    for i, row in enumerate(rows, 1):
        yield row
        if i % 16 == 0 or i == total:
            report(Progress("predict", percent=100 * i / total, message=f"{i:,} of {total:,} pictures"))


def told(rows: Sequence[Row], version: str, threshold: float) -> dict[str, Any]:
    """The answers as JSON."""
    said = Counter(row.answer.prediction for row in rows if row.answer)
    return {
        "model_version": version,
        "threshold": threshold,
        "results": [_row_json(row, version) for row in rows],
        "summary": {
            "pictures": len(rows),
            "parasitized": said[Label.PARASITIZED.text],
            "uninfected": said[Label.UNINFECTED.text],
            "refused": said[None],
            "to_review": sum(row.answer is not None and row.answer.review is not None for row in rows),
            "unreadable": sum(row.error is not None for row in rows),
        },
    }


def _row_json(row: Row, version: str) -> dict[str, Any]:
    if row.answer is None:
        assert row.error is not None
        return {"file": row.name, "error": {"code": row.error.code, "detail": str(row.error)}}
    answer = row.answer
    told: dict[str, Any] = {
        "file": row.name,
        "prediction": answer.prediction,
        "confidence": answer.confidence,
        "probabilities": answer.probabilities if answer.prediction else None,
        "needs_review": answer.review is not None,
    }
    if answer.review:
        told["review"] = {"code": answer.review.code, "text": answer.review.text}
    if row.version not in (None, version):  # another was promoted meanwhile
        told["model_version"] = row.version
    return told | ({"explanation": str(row.explanation)} if row.explanation else {})


def _print_csv(rows: Iterator[Row], version: str, threshold: float, drawing: Drawing | None) -> list[Row]:
    """Print each row as it comes; returns those without an answer."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((*COLUMNS, "explanation") if drawing else COLUMNS)
    unreadable = []
    for row in rows:
        name = _harmless(row.name)
        if row.answer is not None:
            answer, said = row.answer, ("", "", "")
            if answer.prediction is not None and answer.confidence is not None:
                p = answer.probabilities[CLASSES[Label.PARASITIZED]]
                said = (answer.prediction, f"{answer.confidence:.6f}", f"{p:.6f}")
            doubt = answer.review.code if answer.review else ""
            rest: tuple[object, ...] = (*said, threshold, doubt, row.version or version, "")
        else:
            unreadable.append(row)
            rest = ("", "", "", threshold, "", version, _harmless(str(row.error)))
        shown = (_harmless(str(row.explanation or "")),) if drawing else ()
        writer.writerow((name, *rest, *shown))
    return unreadable


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    shown = output.printable(text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def _print_table(rows: Sequence[Row]) -> None:
    from rich.text import Text

    lines: list[tuple[object, ...]] = []
    for row in rows:
        if row.answer is None:
            lines.append((row.name, Text("not read", style="yellow"), None, None, str(row.error)))
            continue
        if row.answer.prediction is None or row.answer.confidence is None:
            why = row.answer.review.text if row.answer.review else None
            lines.append((row.name, Text("no answer", style="yellow"), None, None, why))
            continue
        style = "bold red" if row.answer.prediction == Label.PARASITIZED.text else "green"
        p = row.answer.probabilities[CLASSES[Label.PARASITIZED]]
        sure = f"{100 * row.answer.confidence:.1f}%"
        look = "a person should look" if row.answer.review else ""
        lines.append((row.name, Text(row.answer.prediction, style=style), sure, f"{p:.4f}", look))
    noted = any(line[-1] for line in lines)
    columns = ["file", "prediction", "confidence", "P(parasitized)", "note"]
    output.table(
        columns if noted else columns[:-1],
        lines if noted else [line[:-1] for line in lines],
        right=("confidence", "P(parasitized)"),
    )
    output.stdout().print(Text(_summary(rows)))


def _summary(rows: Sequence[Row]) -> str:
    read = [row.answer for row in rows if row.answer is not None]
    answered = [answer for answer in read if answer.prediction is not None]
    positive = sum(a.prediction == Label.PARASITIZED.text for a in answered)
    cells = f"{len(answered):,} cell{'' if len(answered) == 1 else 's'}"
    seen = f"Parasites seen in {positive:,} of {cells}." if positive else f"None seen in {cells}."
    doubtful, missing = sum(a.review is not None for a in answered), len(rows) - len(read)
    seen += f" A person should look at {doubtful:,} of them." if doubtful else ""
    if refused := len(read) - len(answered):
        seen += f" {refused:,} picture{'' if refused == 1 else 's'} not answered: not one good cell."
    return seen + (f" {missing:,} could not be read." if missing else "")
