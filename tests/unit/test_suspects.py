"""Lists of doubted cells are read as they come, and their mistakes are named by line."""

from pathlib import Path

import numpy as np
import pytest

from malaria import suspects
from malaria.domain import Label
from malaria.errors import BadInput


def written(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_are_known_by_label_and_bare_name(tmp_path: Path) -> None:
    text = (
        "\ufefforiginal_label,cell,patient,more\nParasitized,a_cell_1,a,x\nUninfected,b v1.5_cell_2.png,b,\n"
    )
    known = suspects.read(written(tmp_path, text))
    assert known == {(Label.PARASITIZED, "a_cell_1"), (Label.UNINFECTED, "b v1.5_cell_2")}
    labels, names = (
        np.array([1, 0, 0, 1]),
        ["a_cell_1.webp", "a_cell_1", "b v1.5_cell_2", "b v1.5_cell_2.png"],
    )
    assert suspects.listed(labels, names, known).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line must name the columns"),
        ("cell,patient\na,b\n", "the first line must name the columns"),
        ("original_label,cell,patient\nParasitized,a,b\nInfected,c,d\n", "line 3"),
        ("original_label,cell,patient\nParasitized\n", "line 2"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        suspects.read(written(tmp_path, text))


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        suspects.read(tmp_path / "none.csv")
