"""Where is asked, with which key, and which pictures are sent."""

import zipfile
from pathlib import Path

import pytest

from load import checks
from load.cells import cells, form
from malaria import synthetic
from malaria.address import DEFAULT_URL, target
from tests.load.conftest import Ask


def test_the_address_and_the_key() -> None:
    assert target(None, {}).url == DEFAULT_URL
    found = target("https://api.example/v1/", {"MALARIA_KEY": " malaria_secret\n"})
    assert found.url == "https://api.example/v1"
    assert found.headers == {"Authorization": "Bearer malaria_secret"}
    assert "secret" not in repr(found)
    assert target("http://[::1]:8000", {"MALARIA_KEY": ""}).headers == {}


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://a", "http://", "8000"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a server"):
        target(url, {})


def test_hosts_of_a_local_aws_are_found_where_the_system_does_not_know_them() -> None:
    named = "http://abc.execute-api.localhost:4566"
    found = target(named, {}, resolves=lambda _: False)
    assert (found.url, found.headers) == ("http://127.0.0.1:4566", {"Host": "abc.execute-api.localhost:4566"})
    found = target(named, {}, resolves=lambda _: True)
    assert (found.url, found.headers) == (named, {})
    assert target("http://elsewhere.example", {}, resolves=lambda _: False).url == "http://elsewhere.example"


def test_made_cells_are_the_same_each_time_and_of_both_classes() -> None:
    first, again = cells(None, 4), cells(None, 4)
    assert first == again
    assert len({one.name for one in first}) == 4
    assert all(one.data.startswith(b"\x89PNG") and one.media_type == "image/png" for one in first)


def test_real_cells_are_sent_under_names_that_name_nobody(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "my-cells.zip", 12, seed=3)
    found = cells(tmp_path, 6)
    assert [one.name for one in found] == [f"cell-{n:03}.png" for n in range(6)]
    assert found == cells(tmp_path, 6)
    with zipfile.ZipFile(tmp_path / "my-cells.zip") as archive:
        folder_of = {archive.read(name): name.partition("/")[0] for name in archive.namelist()}
    assert {folder_of[one.data] for one in found} == {"Parasitized", "Uninfected"}
    with pytest.raises(ValueError, match=r"MALARIA_REAL_CELLS is .* no ZIP of cells"):
        cells(tmp_path / "absent")


def test_the_real_cells_can_be_sent(real_cells: Path, ask: Ask) -> None:
    found = cells(real_cells, 8)
    assert len(found) == 8
    assert {one.media_type for one in found} == {"image/webp"}
    assert len(checks.batch(ask("POST", "/predict/batch", form("files", found)), found)["results"]) == 8


def test_a_form_holds_pictures_and_values() -> None:
    made = form("files", cells(None, 2), threshold="0.5")
    assert made.content_type.startswith("multipart/form-data; boundary=")
    assert made.body.count(b'name="files"; filename=') == 2
    assert b'name="threshold"\r\n\r\n0.5' in made.body
