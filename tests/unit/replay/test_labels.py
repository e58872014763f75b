"""Tables of labelled clients."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pytest
from botsieve.errors import InputError
from botsieve.observation import pack_address
from botsieve.replay.labels import is_bot, is_human, read_labels
from hypothesis import given
from hypothesis import strategies as st

ONE, TWO = pack_address("203.0.113.7"), pack_address("2001:db8::7")


def test_tab_separated(tmp_path: Path) -> None:
    """Address and User-Agent together; quotation marks and any bytes may stand in the agent."""
    path = tmp_path / "labels.tsv"
    path.write_bytes(b'ip\tua\tlabel\twhy\n203.0.113.7\ta "b" \xe9\thuman_strong\t\n2001:db8::7\t-\tbot_declared\tx\n\n')
    labels = read_labels(str(path))
    assert labels.of(ONE, b'a "b" \xe9') == "human_strong"
    assert labels.of(ONE, b"other") is None
    assert labels.of(TWO, b"") == "bot_declared"
    assert len(labels) == 2


def test_comma_separated_and_gzip(tmp_path: Path) -> None:
    """Quoting as in every CSV; without a column for the agent a line speaks of every agent of the address."""
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b'label,client\r\n"bot, a",203.0.113.7\r\nhuman,2001:db8::7\r\n'))
    labels = read_labels(str(path))
    assert (labels.of(ONE, b"x"), labels.of(TWO, b"")) == ("bot, a", "human")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r":1: no column ip or no column label"),
        (b"ip,name\n", r":1: no column ip"),
        (b"ip,label\n203.0.113.7,bot\nexample.com,bot\n", r":3: not an address"),
        (b"ip\tua\tlabel\n203.0.113.7\n", r":2: .*fewer cells"),
        (gzip.compress(b"ip,label\n")[:-9], "tab or comma separated"),
    ],
)
def test_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """Each mistake names file and line, and what is accepted."""
    path = tmp_path / "labels"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_labels(str(path))
    with pytest.raises(InputError, match="No such file"):
        read_labels(str(tmp_path / "none"))


def test_what_counts() -> None:
    """docs/replay.md: labels that begin with `bot` are positive, with `human` negative."""
    assert [is_bot(label) for label in ("bot", "bot_verified", "human", "unknown", None)] == [True, True, False, False, False]
    assert [is_human(label) for label in ("human_strong", "bot", "nohuman", None)] == [True, False, False, False]


@given(data=st.binary(max_size=200))
def test_any_bytes_give_labels_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Nothing else is raised."""
    path = tmp_path_factory.getbasetemp() / "labels"
    path.write_bytes(b"ip,label\n" + data)
    with contextlib.suppress(InputError):
        read_labels(str(path))
