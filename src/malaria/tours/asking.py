"""How the tours ask a server."""

import argparse
import os
from collections.abc import Sequence
from typing import Any

import httpx

from malaria.address import DEFAULT_URL, KEY, target
from malaria.synthetic import SyntheticCell


def parser(about: str) -> argparse.ArgumentParser:
    """A command line that takes the server's address."""
    made = argparse.ArgumentParser(description=about)
    about_url = f"base URL of the server ({DEFAULT_URL}); the key, if it asks for one, is read from {KEY}"
    made.add_argument("url", nargs="?", type=_address, default=DEFAULT_URL, help=about_url)
    return made


def _address(text: str) -> str:
    try:
        target(text, {})
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def client(url: str) -> httpx.Client:
    """Asks with the key in MALARIA_KEY, where there is one. Raises ValueError for what is no address."""
    at = target(url, os.environ)
    return httpx.Client(base_url=at.url, headers=dict(at.headers), timeout=60, follow_redirects=True)


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
