"""Batch answers as CSV, and what is sent of two kinds: CSV or JSON, a page to read or its values."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from malaria.api.cell_schemas import BatchAnswer, BatchEntry

CSV, JSON, MARKDOWN = "text/csv", "application/json", "text/markdown"
COLUMNS = (
    "index",
    "filename",
    "prediction",
    "confidence",
    "probability_parasitized",
    "probability_uninfected",
    "threshold",
    "needs_review",
    "review_code",
    "model_version",
    "prediction_id",
    "timestamp",
    "error_code",
    "error_detail",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def wants_csv(accept: str) -> bool:
    """Whether an Accept header names text/csv with at least the weight of JSON; else JSON."""
    return prefers(accept, CSV, JSON)


def prefers(accept: str, kind: str, usual: str) -> bool:
    """Whether an Accept header names a type of media, with at least the weight of the one usually sent."""
    weights = dict(_weights(accept))
    asked = weights.get(kind, weights.get(f"{kind.partition('/')[0]}/*", 0.0))
    return asked > 0 and asked >= weights.get(usual, 0.0)


def page(accept: str, values: Mapping[str, Any], markdown: str) -> Response:
    """A page to read; its values where an Accept header prefers JSON."""
    vary = {"Vary": "Accept"}
    if prefers(accept, JSON, MARKDOWN):
        return JSONResponse(values, headers=vary)
    return Response(markdown, media_type=f"{MARKDOWN}; charset=utf-8", headers=vary)


def _weights(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            found.append((kind, float(weight)))
        except ValueError:
            found.append((kind, 0.0))
    return found


def to_csv(answer: BatchAnswer) -> str:
    """RFC 4180, one line for each file; what a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_row(answer, one) for one in answer.results)
    return out.getvalue()


def _row(answer: BatchAnswer, one: BatchEntry) -> Sequence[object]:
    p, error = one.probabilities, one.error
    return (
        one.index,
        _text(one.filename),
        one.prediction or "",
        "" if one.confidence is None else one.confidence,
        p.Parasitized if p else "",
        p.Uninfected if p else "",
        answer.threshold,
        "" if one.needs_review is None else str(one.needs_review).lower(),
        one.review.code if one.review else "",
        _text(answer.model_version),
        one.prediction_id or "",
        answer.timestamp.isoformat(),
        error.code if error else "",
        _text(error.detail) if error else "",
    )


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
