"""The command line: what it prints, and that its errors are sentences."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from talking_avatar.cli import main
from talking_avatar.cli.demo import run_demo


@pytest.mark.parametrize("command", [[], ["demo"], ["sandbox"], ["webhook"]])
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])
    assert left.value.code == 0
    assert "usage: talking-avatar" in capsys.readouterr().out


def test_a_sandbox_that_others_could_reach_needs_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--host", "0.0.0.0", "--port", "0"]) == 1
    assert "allow_remote" in capsys.readouterr().err


def test_a_webhook_without_credentials_says_which_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AKOOL_CLIENT_ID", "AKOOL_CLIENT_SECRET", "AKOOL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["webhook", "--port", "0"]) == 1
    assert "AKOOL_CLIENT_ID" in capsys.readouterr().err


def test_a_missing_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "talking_avatar.cli.demo", None)
    assert main(["demo"]) == 1
    assert "talking-avatar[all]" in capsys.readouterr().err


def test_the_demo_makes_four_playable_videos_and_a_table_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    av = pytest.importorskip("av")
    assert asyncio.run(run_demo(out=tmp_path, photo=None, text="Good evening.", seconds=(0, 0))) == 0
    printed = capsys.readouterr().out
    assert re.search(r"4 creates, \d+ status requests", printed)
    for family in ("cg_avatar", "a2v", "v2v", "talking_avatar"):
        assert f".{family}" in printed
        with av.open(str(tmp_path / f"{family}.mp4")) as film:
            assert {stream.type for stream in film.streams} == {"video", "audio"}
            assert film.duration > 500_000  # microseconds
