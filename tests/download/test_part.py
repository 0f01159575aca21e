import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from talking_avatar.download.part import PartFile, whole_size
from talking_avatar.download.verdict import Origin

FILM = Origin(validator='"v1"', total=10)


def opened(target: Path, source: str = "job") -> PartFile:
    part = PartFile.open(target, source=source)
    assert part is not None
    return part


def begun(target: Path) -> None:
    part = opened(target)
    part.expect(FILM, start=0, end=10)
    part.append([b"01", b"234"])
    part.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "hello.mp4"


def test_what_was_kept_is_taken_up(target: Path) -> None:
    begun(target)
    part = opened(target)
    assert (part.size, part.origin) == (5, FILM)
    part.expect(FILM, start=5, end=10)
    part.append([b"56789"])
    assert part.whole
    part.finish()
    part.close()
    assert target.read_bytes() == b"0123456789"
    assert os.listdir(target.parent) == ["hello.mp4"]  # noqa: PTH208


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"source": "job", "validator": "\\r\\nX: y", "total": 10}',
        b'{"source": "job", "validator": 7, "total": 10}',
        b'{"source": "job", "validator": "\\"v1\\"", "total": true}',
        b'{"source": "job", "validator": "\\"v1\\"", "total": 3}',
        b'{"source": "other", "validator": "\\"v1\\"", "total": 10}',
        b'{"validator": "\\"v1\\""}',
    ],
)
def test_bytes_without_a_fitting_note_are_not_trusted(target: Path, note: bytes) -> None:
    begun(target)
    (target.parent / ".hello.mp4.part.json").write_bytes(note)
    part = opened(target)
    assert part.size == 0
    assert not part.resumable
    part.close()
    assert list(target.parent.iterdir()) == []


def test_one_part_has_one_writer(target: Path) -> None:
    part = opened(target)
    assert PartFile.open(target, source="job") is None
    part.close()
    opened(target).close()


def test_another_process_is_kept_out_and_its_death_lets_in(target: Path) -> None:
    code = (
        "import sys, pathlib; from talking_avatar.download.part import PartFile, Origin\n"
        "part = PartFile.open(pathlib.Path(sys.argv[1]), source='job')\n"
        "part.expect(Origin(validator='\"v1\"', total=10), start=0, end=10); part.append([b'01234'])\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: S603 - this program
        [sys.executable, "-c", code, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"held"
        assert PartFile.open(target, source="job") is None
        process.kill()
    part = opened(target)
    assert (part.size, part.origin) == (5, FILM)
    part.close()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse links")
def test_a_link_in_the_parts_place_is_not_followed(target: Path) -> None:
    victim = target.parent / "victim"
    victim.write_bytes(b"precious")
    (target.parent / ".hello.mp4.part").symlink_to(victim)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        PartFile.open(target, source="job")
    assert victim.read_bytes() == b"precious"


def test_a_full_disk_gets_its_space_back(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(target)
    part = opened(target)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="full"):
        part.append([b"5"])
    assert part.size == 0
    part.close()
    assert list(target.parent.iterdir()) == []


def test_a_write_that_takes_half_goes_on_with_the_rest(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[: max(1, len(data) // 2)]))
    part = opened(target)
    part.expect(FILM, start=0, end=10)
    part.append([b"0123456", b"789"])
    part.finish()
    assert target.read_bytes() == b"0123456789"


def test_a_name_at_the_systems_limit_still_has_a_part(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 251 + ".mp4")
    part = opened(target)
    part.expect(FILM, start=0, end=10)
    part.append([b"0123456789"])
    part.finish()
    assert whole_size(target) == 10


def test_a_note_left_by_a_kill_after_the_rename_is_cleared(target: Path) -> None:
    target.write_bytes(b"x")
    note = target.parent / ".hello.mp4.part.json"
    note.write_text(json.dumps({}))
    assert whole_size(target) == 1
    assert not note.exists()
