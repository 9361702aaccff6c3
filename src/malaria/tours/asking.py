"""How the tours ask a server."""

import argparse
from collections.abc import Sequence
from typing import Any

import httpx

from malaria.synthetic import SyntheticCell

DEFAULT_URL = "http://127.0.0.1:8000"


def parser(about: str) -> argparse.ArgumentParser:
    """A command line that takes the server's address."""
    made = argparse.ArgumentParser(description=about)
    made.add_argument("url", nargs="?", default=DEFAULT_URL, help=f"base URL of the server ({DEFAULT_URL})")
    return made


def client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url.rstrip("/"), timeout=60, follow_redirects=True)


def picture(data: bytes, name: str = "cell.png", field: str = "file") -> dict[str, tuple[str, bytes, str]]:
    """One picture as the multipart body of a request."""
    return {field: (name, data, "image/png")}


def pictures(cells: Sequence[SyntheticCell]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Several pictures as the multipart body of one request."""
    return [("files", (cell.name, cell.png(), "image/png")) for cell in cells]


def read(answer: httpx.Response) -> dict[str, Any]:
    """The JSON of a good answer. Raises httpx.HTTPStatusError on any other."""
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def unreachable(url: str, error: httpx.TransportError) -> str:
    return f"No server answers at {url} ({error}). Start one with `make serve`, or name another address."
