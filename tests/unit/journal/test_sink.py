"""botsieve.journal.sink"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from botsieve.errors import MachineError
from botsieve.journal.sink import Sink

LINES = [b"one\n", b"two\n", b"three\n"]


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    """What was there stays; the file is for its owner and group only."""
    path = tmp_path / "log"
    first = Sink(str(path))
    assert first.write(LINES, 0.0) == ""
    first.close()
    second = Sink(str(path))
    assert second.write(LINES, 0.0) == ""
    assert second.close() == 0
    assert path.read_bytes() == b"".join(LINES * 2)
    assert stat.S_IMODE(path.stat().st_mode) & 0o137 == 0
    assert (first.written, second.written) == (3, 3)


def test_after_a_rotation_lines_go_to_the_new_file(tmp_path: Path) -> None:
    """Rename, then `reopen`: nothing is lost between the two."""
    path, old = tmp_path / "log", tmp_path / "log.1"
    sink = Sink(str(path))
    sink.write(LINES[:1], 0.0)
    path.rename(old)
    sink.write(LINES[1:2], 0.0)
    assert sink.reopen() == ""
    sink.write(LINES[2:], 0.0)
    sink.close()
    assert (old.read_bytes(), path.read_bytes()) == (b"one\ntwo\n", b"three\n")


def test_a_failed_reopen_keeps_the_old_file(tmp_path: Path) -> None:
    """When the new file cannot be made, lines still go to the old one, and the reason is told."""
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = Sink(str(folder / "log"))
    folder.rename(tmp_path / "gone")
    assert sink.reopen() == "No such file or directory"
    assert sink.write(LINES, 0.0) == ""
    sink.close()
    assert (tmp_path / "gone" / "log").read_bytes() == b"".join(LINES)


def test_a_full_disk_is_told_and_nothing_is_counted_as_written() -> None:
    """/dev/full: the reason comes back, the lines wait."""
    sink = Sink("/dev/full")
    assert sink.write(LINES, 0.0) == "No space left on device"
    assert (sink.written, sink.waiting) == (0, 3)
    assert sink.write([], 0.0) == "No space left on device"
    assert sink.close() == 3


def test_what_a_disk_takes_in_part_is_gone_on_with(tmp_path: Path) -> None:
    """A limit in the middle of a line: what is whole counts, the rest waits and follows where it broke off."""
    code = (
        "import resource, signal, sys\n"
        "from botsieve.journal.sink import Sink\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6, resource.RLIM_INFINITY))\n"
        "sink = Sink(sys.argv[1])\n"
        "print(sink.write([b'one\\n', b'two\\n', b'three\\n'], 0.0), sink.written, sink.waiting)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "print(sink.write([], 0.0), sink.written, sink.waiting)\n"
    )
    path = tmp_path / "log"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["File too large 1 2", " 3 0"]
    assert path.read_bytes() == b"".join(LINES)


def test_a_fifo_without_a_reader_waits_for_one(tmp_path: Path) -> None:
    """No reader at the start: no error, no waiting; the reader that comes gets every line."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    sink = Sink(str(path))
    assert sink.write(LINES, 0.0) != ""
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert sink.write([], 0.0) == ""
    assert os.read(reader, 100) == b"".join(LINES)
    os.close(reader)
    assert sink.write(LINES, 0.0) == "Broken pipe"
    assert (sink.written, sink.waiting) == (3, 3)
    sink.close()


def test_a_reader_that_stalls_gets_whole_lines_later(tmp_path: Path) -> None:
    """A full pipe ends the call; when the reader goes on, it gets every line once, in order and whole."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = Sink(str(path))
    lines = [b"%06d%s\n" % (number, b"x" * (number * 37 % 9000)) for number in range(300)]
    assert sink.write(lines, 0.0) == "the reader of the pipe does not read"
    got = bytearray()
    while sink.waiting:
        got += os.read(reader, 1 << 20)
        sink.write([], 0.0)
    got += os.read(reader, 1 << 20)
    assert got == b"".join(lines)
    assert sink.written == len(lines)
    os.close(reader)
    sink.close()


def test_a_disk_that_fills_in_the_middle_of_a_line_loses_nothing(tmp_path: Path) -> None:
    """The line that was begun is completed when there is room, not written twice."""
    import resource

    path = tmp_path / "log"
    sink = Sink(str(path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6, before[1]))  # stands for the full disk: the sixth byte is the last that fits
    try:
        assert sink.write(LINES, 0.0) == "File too large"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"one\ntw"
    assert sink.write([], 0.0) == ""
    sink.close()
    assert path.read_bytes() == b"".join(LINES)


@pytest.mark.parametrize("name", ["missing/log", "folder", "file/log"])
def test_a_place_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    """The error names the key, the path, and what would be accepted."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    path = str(tmp_path / name)
    with pytest.raises(MachineError, match=rf"^journal\.decisions\.to: {path}: .*; accepted: stdout, null, or a file"):
        Sink(path)


def test_a_reader_of_standard_output_that_leaves_does_no_harm() -> None:
    """`botsieve serve | head -1`: no error, no traceback, what nobody reads is counted."""
    program = (
        "import sys\n"
        "from botsieve.journal.sink import Sink\n"
        "sink = Sink()\n"
        "sink.write([b'first\\n'], 1.0)\n"
        "sys.stdin.read()\n"
        "print(sink.write([b'second\\n'], 1.0), sink.written, sink.close(), file=sys.stderr)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "first\n"
    process.stdout.close()
    process.stdin.close()
    assert process.stderr.read() == "Broken pipe 1 1\n"
    process.stderr.close()
    assert process.wait(60) == 0
