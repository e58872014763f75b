"""Reading logs."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import pytest
from botsieve.errors import InputError
from botsieve.replay.files import MAX_LINE, LogFile

from tests.replay.samples import START_S, botsieve, combined, write


def surveyed(name: str) -> LogFile:
    """A file after its first reading."""
    file = LogFile(name)
    file.survey()
    return file


@pytest.mark.parametrize("packed", [False, True])
def test_plain_and_gzip(tmp_path: Path, packed: bool) -> None:
    """Both are read twice with the same result; gzip is known by its first bytes, not by its name."""
    file = surveyed(write(tmp_path / "a.log", [combined(at_s=at) for at in range(5)] + [b"junk"], packed=packed))
    assert (file.lines, file.unreadable, file.format, file.broken) == (6, 1, "combined", "")
    assert [o.edge_time_s - START_S for o in file.observations()] == [0, 1, 2, 3, 4]
    assert file.seen == {"referer", "user_agent"}


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_half_a_gzip(tmp_path: Path, keep: float) -> None:
    """What stands before the break is read, and the break is told."""
    lines = [botsieve(at_s=at, request_id=os.urandom(16).hex()) for at in range(2000)]
    whole = gzip.compress(b"".join(line + b"\n" for line in lines))
    path = tmp_path / "a.gz"
    path.write_bytes(whole[: int(len(whole) * keep)])
    file = surveyed(str(path))
    assert file.broken == "the gzip ends in the middle"
    assert 2000 * keep * 0.8 < file.lines < 2000
    assert len(list(file.observations())) == file.lines - file.unreadable
    assert file.unreadable <= 1  # the line at the break


def test_damaged_gzip(tmp_path: Path) -> None:
    """A flipped byte is told like a missing end."""
    data = bytearray(gzip.compress(b"".join(combined(at_s=at, uri=f"/{at * 7919}") + b"\n" for at in range(20000))))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.gz").write_bytes(data)
    file = surveyed(str(tmp_path / "a.gz"))
    assert file.broken
    assert file.lines > 100


def test_endless_line_is_one_unreadable_line(tmp_path: Path) -> None:
    """Memory does not grow with a line; the next line is read as ever."""
    file = surveyed(write(tmp_path / "a.log", [combined(), b"x" * (5 << 20), combined(), b"y" * (MAX_LINE + 1)]))
    assert (file.lines, file.unreadable) == (4, 2)


def test_line_ends(tmp_path: Path) -> None:
    """Empty lines are none; Windows line ends and a missing last one do not matter."""
    path = tmp_path / "a.log"
    path.write_bytes(b"\n" + combined() + b"\r\n\r\n" + combined(at_s=1))
    assert surveyed(str(path)).lines == 2


def test_growing_log(tmp_path: Path) -> None:
    """A log that is being written is judged as far as it was surveyed."""
    name = write(tmp_path / "a.log", [combined(), combined(at_s=1)])
    file = surveyed(name)
    with open(name, "ab") as log:
        log.write(combined(at_s=2) + b"\n")
    assert len(list(file.observations())) == 2


def test_pipe(tmp_path: Path) -> None:
    """A named pipe, as `<(zcat ...)` makes one, can be read once only and still gives both readings."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=write, args=(path, [combined()]))
    writer.start()
    file = surveyed(str(path))
    writer.join()
    assert len(list(file.observations())) == 1


def test_empty_file(tmp_path: Path) -> None:
    """A log that was just rotated holds nothing, which is no mistake."""
    file = surveyed(write(tmp_path / "a.log", []))
    assert (file.lines, file.format, list(file.observations())) == (0, "", [])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        ("folder", "Is a directory"),
        (b"\xfd7zXZ\x00", "xz -dc"),
        (b"(\xb5/\xfd\x00", "zstd -dc"),
        (b"hello\n", "line 1 does not look like combined"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes | str | None, says: str) -> None:
    """Each says what is wrong, where, and what would be accepted."""
    path = tmp_path / "a.log"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(InputError, match=says) as raised:
        surveyed(str(path))
    assert str(path) in str(raised.value)


def test_progress_adds_up(tmp_path: Path) -> None:
    """One reading tells as many bytes as the file has."""
    name = write(tmp_path / "a.gz", [combined(at_s=at) for at in range(3000)], packed=True)
    file, told = LogFile(name), 0

    def on_bytes(count: int) -> None:
        nonlocal told
        told += count

    file.survey(on_bytes=on_bytes)
    assert told == file.size == Path(name).stat().st_size
