"""Puts the HTTP application together from services that it is given; it builds none of them."""

from importlib.metadata import version as installed

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse

from malaria.api import docs, openapi, problems, web
from malaria.api.access import Door, identify
from malaria.api.guards import BodyLimit, Correlate, HostGuard, OriginGuard
from malaria.api.limited import Limited
from malaria.api.routes import batch, feedback, health, models, predict, retrain, sample, summary, uploads
from malaria.api.state import State
from malaria.api.watched import Measured
from malaria.keys import Doorkeeper, Keys
from malaria.limits import Buckets
from malaria.services import Services
from malaria.settings import Settings

SQUEEZED_FROM = 1000
"""Bytes of an answer from which it is compressed where the caller takes that: figures of steps shrink to a
fiftieth. The answer to one cell is smaller, and is not made to wait."""


def create_app(services: Services) -> FastAPI:
    """The application over `services`. It starts no thread; closing is the caller's."""
    app = described()
    app.state.malaria = State.over(services)
    problems.install(app)
    docs.install(app)
    _guard(app, services)
    _front(app, services.settings)
    return app


def described() -> FastAPI:
    """The routes and their description, with nothing behind them."""
    app = FastAPI(
        title="Malaria", version=installed("malaria"), docs_url=None, redoc_url=None, redirect_slashes=False
    )
    for routes in (predict, sample, batch, feedback, summary, models, retrain, uploads, health):
        app.include_router(routes.router)
    openapi.install(app)
    return app


def _guard(app: FastAPI, services: Services) -> None:
    """What is added last stands outermost: every refusal gets an id, a line in the log and its headers.

    Pages of other sites are feared where a browser alone opens the door; a key they would have to know.
    """
    settings = services.settings
    limits = {
        ("POST", "/predict"): settings.max_image_bytes,
        ("POST", "/predict/batch"): settings.max_batch_bytes,
        ("POST", "/retrain"): settings.max_upload_bytes,
        ("POST", "/uploads/*"): settings.max_upload_bytes,
    }
    app.add_middleware(GZipMiddleware, minimum_size=SQUEEZED_FROM, compresslevel=5)
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(Limited, buckets=Buckets(), settings=settings)
    doorkeeper = Doorkeeper(Keys(services.objects, services.clock), services.clock)
    app.add_middleware(Door, identify=identify(settings.access, doorkeeper))
    if settings.access == "open":
        app.add_middleware(OriginGuard)
    app.add_middleware(HostGuard, allowed=settings.allowed_hosts)
    app.add_middleware(Correlate)
    if services.recorder is not None:
        page = web.folder(settings.ui)
        app.add_middleware(
            Measured, meter=services.recorder, unmeasured=list(web.files(page)) if page else []
        )


def _front(app: FastAPI, settings: Settings) -> None:
    """The web page where there is one, else the docs."""
    page = web.folder(settings.ui)
    if page is not None:
        web.install(app, page)
        return

    @app.get("/", include_in_schema=False)
    def root() -> RedirectResponse:
        return RedirectResponse("docs")
