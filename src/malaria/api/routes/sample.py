"""GET /predict/sample: made cells, for whoever has none at hand."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from malaria import synthetic
from malaria.api.access import authorize
from malaria.api.problems import responses
from malaria.api.state import Shared
from malaria.domain import Scope

ZIP = "application/zip"
MOST = 100
"""Cells in one answer: drawing one takes longer than answering it."""
router = APIRouter(tags=["predict"], dependencies=[Depends(authorize(Scope.PREDICT))])


@router.get(
    "/predict/sample",
    summary="Made cells to try it with",
    response_class=Response,
    responses={
        200: {
            "description": "A ZIP of PNG files.",
            "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
        },
        **responses(403, 422, 500, 503),
    },
)
async def sample(
    state: Shared,
    count: Annotated[int, Query(ge=1, le=MOST, description="How many; both classes in turn.")] = 24,
    seed: Annotated[int, Query(ge=0, le=2**31, description="The same seed gives the same cells.")] = 0,
) -> Response:
    """Drawn, not photographed: of no patient, and no measure of how good the model is. The ZIP is laid out
    as an upload for retraining, so each cell's folder tells what was drawn.
    """
    return Response(
        await state.singles.run(lambda: _zipped(count, seed)),
        media_type=ZIP,
        headers={"Content-Disposition": 'attachment; filename="synthetic-cells.zip"'},
    )


def _zipped(count: int, seed: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="malaria-sample-") as folder:
        return synthetic.write(Path(folder) / "cells.zip", count, seed).read_bytes()
