"""The built web page: found, and served so that browsers keep what cannot change and ask for the rest."""

import json
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from malaria.api.problems import http_error

INDEX, ROUTES, ASSETS = "index.html", "routes.json", "assets"
"""What a build holds: the page, its own addresses, and files whose names are made from their content."""
FOR_EVER = "public, max-age=31536000, immutable"
ANEW = "no-cache"
"""Kept only to be compared: each visit asks whether there is a newer one."""


class Assets(StaticFiles):
    """Files that another build gives other names."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        found = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        found.headers["Cache-Control"] = FOR_EVER
        return found


def folder(chosen: Path | None = None) -> Path | None:
    """Where the built page lies: as chosen, else in the package, else in the checkout. None: nowhere."""
    packaged = Path(__file__).parents[1] / "_page"
    places = (packaged, Path(__file__).parents[3] / "ui" / "dist") if chosen is None else (chosen,)
    return next((place for place in places if (place / INDEX).is_file()), None)


def install(app: FastAPI, page: Path) -> None:
    """Serve the page at its own addresses, and its files.

    Nothing is mounted at "/", which would answer in place of the API where that refuses: an address that
    neither has stays a problem, and a wrong method stays one too. A person's browser is shown the page there,
    as CloudFront shows it.
    """
    for address, file in files(page).items():
        _serve(app, address, file)
    if (page / ASSETS).is_dir():
        app.mount(f"/{ASSETS}", Assets(directory=page / ASSETS), name="page-assets")

    addresses = _addresses(page)

    async def lost(request: Request, error: Exception) -> Response:
        if not _visits(request):
            return await http_error(request, error)
        status = HTTPStatus.OK if request.url.path.rstrip("/") in addresses else HTTPStatus.NOT_FOUND
        return FileResponse(page / INDEX, status, headers={"Cache-Control": ANEW})

    app.add_exception_handler(HTTPStatus.NOT_FOUND, lost)


def _visits(request: Request) -> bool:
    """Whether a person goes there with a browser, which says that it would like a page; and to no file."""
    last, wanted = request.url.path.rsplit("/", 1)[-1], request.headers.get("accept", "")
    return request.method == "GET" and "text/html" in wanted and "." not in last


def files(page: Path) -> dict[str, Path]:
    """What is served by address, but for the assets."""
    others = (file for file in sorted(page.iterdir()) if file.is_file() and file.name not in (INDEX, ROUTES))
    return dict.fromkeys(_addresses(page), page / INDEX) | {f"/{file.name}": file for file in others}


def _addresses(page: Path) -> list[str]:
    """The page's own addresses; "/" at least."""
    listed = page / ROUTES
    told = json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else []
    return ["/", *(address for address in map(str, told) if address != "/")]


def _serve(app: FastAPI, address: str, file: Path) -> None:
    @app.get(address, include_in_schema=False, name=f"page:{address}")
    def answer() -> FileResponse:
        return FileResponse(file, headers={"Cache-Control": ANEW})
