"""The log_format of a log, out of what `nginx -T` prints."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from botsieve.errors import InputError
from botsieve.replay.nginx_conf import NginxLogs, directives
from hypothesis import given
from hypothesis import strategies as st

from tests.replay.samples import combined

CONF = r"""
# configuration file /etc/nginx/nginx.conf:
http {
    # log_format old '$remote_addr';
    log_format main  '$remote_addr - $remote_user [$time_local] "$request" '
                     '$status $body_bytes_sent "$http_referer" '
                     '"$http_user_agent" "$http_x_forwarded_for"';
    log_format api escape=json "{\"t\":$msec,\"ip\":\"$remote_addr\",\"r\":\"$request\"}";
    access_log /var/log/nginx/access.log main buffer=32k;
    server {
        access_log /var/log/nginx/api.log api;
        access_log /var/log/nginx/plain.log;
        access_log off;
        location ~ \.(php|html)$ { return 200 "a;b{c}"; }
        set $x ${host}y;
    }
}
"""


def test_formats_and_logs() -> None:
    """Strings in pieces, escapes, comments, and logs without a named format."""
    logs = NginxLogs(CONF)
    assert set(logs.formats) == {"main", "api"}
    assert logs.formats["api"] == ("json", '{"t":$msec,"ip":"$remote_addr","r":"$request"}')
    assert logs.logs == {
        "/var/log/nginx/access.log": "main",
        "/var/log/nginx/api.log": "api",
        "/var/log/nginx/plain.log": "combined",
    }


def test_parser_by_path_and_by_name() -> None:
    """The whole path decides, then the file's name, also of a rotated file; then only a name helps."""
    logs = NginxLogs(CONF)
    line = combined() + b' "198.51.100.1"'
    for log in ("/var/log/nginx/access.log", "copy/access.log", "access.log-20261121", "access.log.2.gz"):
        o = logs.parser_for(log).parse(line)
        assert o is not None
        assert o.header(b"x-forwarded-for") == b"198.51.100.1"
    assert logs.parser_for("/var/log/nginx/plain.log").name == "combined"
    with pytest.raises(InputError, match="give --format NAME, one of: api, combined, main"):
        logs.parser_for("other.log")
    with pytest.raises(InputError, match="no log_format nope; there are: api, combined, main"):
        logs.named("nope")


def test_our_own_form() -> None:
    """`log_format botsieve` of our include is read by the parser that knows it."""
    logs = NginxLogs("log_format botsieve escape=json '{\"time\":$msec}'; access_log /var/log/nginx/botsieve.log botsieve;")
    assert logs.parser_for("botsieve.log").name == "botsieve"


def test_words() -> None:
    """nginx's own rules for words: quotes, escapes, braces in variables and in patterns."""
    assert list(directives('a \'b c\' "d\\"e"; f{g h;}')) == [["a", "b c", 'd"e'], ["f"], ["g", "h"]]
    assert ["set", "$x", "${host}y"] in list(directives(CONF))


def test_unreadable_file(tmp_path: Path) -> None:
    """The message names the file and what it should hold."""
    with pytest.raises(InputError, match=r"none\.conf: No such file.*nginx -T"):
        NginxLogs.read(str(tmp_path / "none.conf"))


@given(st.text(max_size=200))
def test_any_text_is_cut_into_words(text: str) -> None:
    """Whatever the file holds, it is read, or refused with its line."""
    with contextlib.suppress(InputError):
        NginxLogs(text)


def test_lua_before_a_format_is_no_string() -> None:
    """An apostrophe in a comment of Lua opens no string that swallows the log_format behind it."""
    logs = NginxLogs("init_by_lua_block { -- don't\n } log_format own '$remote_addr $msec'; access_log a.log own;")
    assert logs.formats == {"own": ("default", "$remote_addr $msec")}
    assert logs.logs == {"a.log": "own"}


def test_what_nginx_said_before_is_left_out() -> None:
    """`nginx -T` with its warnings in the same file; a broken file is refused where it breaks."""
    said = 'nginx: [warn] duplicate "a", ignored, don\'t\n# configuration file /etc/nginx/nginx.conf:\n'
    assert NginxLogs(said + "log_format own '$remote_addr $msec';").formats == {"own": ("default", "$remote_addr $msec")}
    with pytest.raises(InputError, match=r"nginx\.conf:2: a ' is opened and never closed; accepted"):
        NginxLogs(said + "user nobody;\nlog_format own '$remote_addr")
