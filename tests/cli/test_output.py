import io
import sys
import time

import pytest

from malaria.cli import output
from malaria.domain import Progress


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (42.4, "0:42"), (3723, "1:02:03")])
def test_spans(seconds: float, said: str) -> None:
    assert output.span(seconds) == said


def test_progress_in_a_pipe_is_a_line_for_each_step_not_for_each_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with output.progress() as report:
        for percent in range(20):
            report(Progress("ingest", percent=float(percent)))
        report(Progress("train", percent=30.0, epoch=1, epochs=2, loss=0.5, eta=61.0))
        report(Progress("train", percent=60.0, epoch=1, epochs=2, loss=0.4, validation_loss=0.45))
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert len(lines) == 3
    assert lines[1] == " 30%  train 1/2, loss 0.5000, 1:01 left"
    assert "validation loss 0.4500" in lines[2]


def test_the_same_step_of_other_work_is_timed_anew(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with output.progress() as report:
        for percent in (0, 50, 100, 0, 10):
            report(Progress("decode", percent=float(percent)))
            now += 30.0
    assert capsys.readouterr().err.splitlines()[-1] == " 10%  decode, 4:30 left"


def test_progress_can_be_silent_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress(lines=False) as report:
        report(Progress("predict", percent=50.0))
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with output.progress() as report:
        report(Progress("train [b]", percent=50.0, epoch=1, epochs=2))
    assert "train [b] 1/2" in screen.getvalue()
    assert "50%" in screen.getvalue()


def test_tables_in_a_pipe_keep_long_names_whole(capsys: pytest.CaptureFixture[str]) -> None:
    name = "C33P1thinF_IMG_20150619_114756a_cell_179_" + "x" * 60 + ".png"
    output.table(("file", "n"), [(name, 1)], right=("n",))
    assert name in capsys.readouterr().out
