"""The page at /docs: Swagger UI from an installed package, so that nothing is loaded from third parties."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path

PAGE = Path(__file__).parent / "page"


def install(app: FastAPI) -> None:
    """Serve /docs and its scripts and styles."""
    app.mount("/docs/assets", StaticFiles(directory=str(swagger_ui_path)), name="docs-assets")
    app.mount("/docs/page", StaticFiles(directory=PAGE), name="docs-page")

    @app.get("/docs", include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(PAGE / "docs.html", media_type="text/html")
