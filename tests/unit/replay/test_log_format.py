"""A parser made of a log_format string."""

from __future__ import annotations

import contextlib

import pytest
from botsieve.errors import InputError
from botsieve.observation import SEES_HTTP_VERSION, address_text
from botsieve.replay.formats import Combined
from botsieve.replay.log_format import LogFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.replay.samples import START_S, combined

COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'


def test_combined_as_a_format_says_the_same() -> None:
    """The string of nginx's own combined form reads what the built-in form reads."""
    line = combined(uri="/a?b=1", referer="https://x.example/", agent=r"a \x22b\x22")
    ours, built_in = LogFormat(COMBINED).parse(line), Combined().parse(line)
    assert ours is not None
    assert built_in is not None
    for field in ("client", "edge_time_s", "method", "uri", "headers", "headers_seen", "kind"):
        assert getattr(ours, field) == getattr(built_in, field), field


def test_headers_and_facts() -> None:
    """Every $http_NAME is a header that is seen; `-` is absent."""
    form = LogFormat(
        "$msec $remote_addr $realip_remote_addr $scheme://$host$request_uri $request_method $server_protocol "
        '"$http_accept_language"'
    )
    o = form.parse(b'1795296799.898 203.0.113.7 198.51.100.1 https://Shop.Example/a/b?c=/d POST HTTP/2.0 "-"')
    assert o is not None
    assert (o.edge_time_s, o.host, o.scheme, o.uri, o.method, o.http) == (
        1795296799.898,
        b"shop.example",
        b"https",
        b"/a/b?c=/d",
        b"POST",
        b"HTTP/2.0",
    )
    assert o.lacks(b"accept-language")
    assert not o.lacks(b"user-agent")
    assert address_text(o.peer) == "198.51.100.1"
    assert o.sight == SEES_HTTP_VERSION
    assert form.resolution_s == 0.001


@pytest.mark.parametrize("target", ["$uri$is_args$args", "${uri}${is_args}${args}", "$uri $args"])
def test_target_in_pieces(target: str) -> None:
    """Path and arguments may be logged apart."""
    line = (
        b"203.0.113.7 2026-11-21T21:33:19+00:00 GET /a?b=1"
        if "is_args" in target
        else b"203.0.113.7 2026-11-21T21:33:19+00:00 GET /a b=1"
    )
    o = LogFormat(f"$remote_addr $time_iso8601 $request_method {target}").parse(line)
    assert o is not None
    assert (o.uri, o.edge_time_s) == (b"/a?b=1", START_S)


def test_escape_json() -> None:
    """A JSON format of one's own, with quotation marks and bytes above 0x7F inside."""
    form = LogFormat('{"t":"$msec","ip":"$remote_addr","r":"$request","ua":"$http_user_agent","ref":"$http_referer"}', "json")
    o = form.parse(b'{"t":"1.5","ip":"::1","r":"GET / HTTP/1.1","ua":"a \\"b\\" \\u0001\xe9 \\\\","ref":""}')
    assert o is not None
    assert o.user_agent == b'a "b" \x01\xe9 \\'
    assert o.lacks(b"referer")


def test_escape_none() -> None:
    """Nothing is unescaped where nginx escaped nothing."""
    o = LogFormat("$msec|$remote_addr|$request|$http_user_agent", "none").parse(b"1|::1|GET / HTTP/1.1|a\\x22|b")
    assert o is not None
    assert o.user_agent == b"a\\x22|b"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("", "holds no variable"),
        ("$remote_addr", r"lacks \$request .* and \$msec"),
        ('$remote_addr [$time_local] "$status"', r"lacks \$request"),
        ('[$time_local] "$request"', r"lacks \$remote_addr"),
        ("$remote_addr$status $msec $request", "nothing stands between"),
        ("x" * 20000, "at most 16384"),
    ],
)
def test_refused(form: str, says: str) -> None:
    """A string that cannot give a judgement is refused with what is missing."""
    with pytest.raises(InputError, match=says):
        LogFormat(form)


def test_unknown_escape() -> None:
    """The three that nginx has."""
    with pytest.raises(InputError, match="default, json, none"):
        LogFormat(COMBINED, "html")


@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(lambda at, junk: combined()[:at] + junk + combined()[at:], st.integers(0, 120), st.binary(max_size=5)),
    ),
    st.sampled_from(["default", "json", "none"]),
)
def test_any_line_gives_fields_or_is_unreadable(line: bytes, escape: str) -> None:
    """No line raises."""
    o = LogFormat(COMBINED, escape).parse(line)
    assert o is None or len(o.client) == 16


@given(st.text(alphabet='$abcremote_addr msec{}request "[]', max_size=60))
def test_any_format_gives_a_parser_or_an_input_error(form: str) -> None:
    """No string raises anything else."""
    with contextlib.suppress(InputError):
        LogFormat(form).parse(combined())


def test_cost_is_linear() -> None:
    """A line made to make a pattern backtrack is read in one pass: no literal is looked for twice from the same place."""
    line = b'203.0.113.7 - - [21/Nov/2026:21:33:19 +0000] "' + b'\\" "' * 10_000
    assert LogFormat(COMBINED).parse(line) is None
