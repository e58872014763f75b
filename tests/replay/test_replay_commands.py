"""The command `botsieve replay`, as it is typed."""

from __future__ import annotations

import gzip
import json
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from botsieve.cli import main

from tests.conftest import ROOT
from tests.replay.samples import botsieve, combined, write


def scraper(count: int = 70) -> list[bytes]:
    """curl takes item after item; the combined form."""
    return [combined("198.51.100.9", at, f"/items/{at}", "curl/8.5") for at in range(count)]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = main(["replay", *arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log in, a report out, nothing on standard error, exit code 0."""
    code, out, err = run(capsys, write(tmp_path / "a.log", scraper()))
    assert (code, err) == (0, "")
    assert out.startswith("70 requests, 1 client, 69 seconds.")
    assert "198.51.100.9" in out
    assert "--client 198.51.100.9" in out


def test_the_next_command_judges_by_the_same_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hint can be copied: without --config or --format the client in full would be judged by other rules, or not be read."""
    config = tmp_path / "my rules.yaml"
    config.write_text("policies: [{name: shop, challenge_at: 30}]\n")
    log = write(tmp_path / "a.log", [b"203.0.113.7|%d|GET /items/%d HTTP/1.1|curl/8" % (at, at) for at in range(70)])
    form = "$remote_addr|$msec|$request|$http_user_agent"
    _, out, _ = run(capsys, log, "--config", str(config), "--format", form)
    hint = next(line for line in out.splitlines() if "botsieve replay" in line).partition("botsieve replay ")[2]
    assert hint == f"{log} --config '{config}' --format '{form}' --client 203.0.113.7"
    code, out, err = run(capsys, *shlex.split(hint))
    assert (code, err) == (0, "")
    assert "challenge 40" in out


def test_json(tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json with labels is docs/replay.schema.json."""
    labels = tmp_path / "labels.tsv"
    labels.write_text("ip\tua\tlabel\n198.51.100.9\tcurl/8.5\tbot_declared\n")
    code, out, _ = run(capsys, write(tmp_path / "a.log", scraper()), "--json", "--labels", str(labels))
    report: dict[str, Any] = json.loads(out)
    jsonschema.validate(report, json.loads((root / "docs/replay.schema.json").read_text()))
    assert (code, report["recall"], report["clients"][0]["label"]) == (0, 1.0, "bot_declared")


@pytest.mark.parametrize(
    ("sample", "clients", "clock"), [("elastic_apache.log", 19, "scrambled"), ("form_spam.log", 11, "ordered")]
)
def test_real_samples(root: Path, capsys: pytest.CaptureFixture[str], sample: str, clients: int, clock: str) -> None:
    """Real lines of two servers; people on them are let through."""
    code, out, _ = run(capsys, str(root / "tests/data/logs" / sample), "--json")
    report: dict[str, Any] = json.loads(out)
    assert (code, report["unreadable_lines"], report["client_count"], report["clock"]) == (0, 0, clients, clock)
    assert report["requests_blocked"] == 0


def test_several_files_and_gzip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rotated logs are one log."""
    names = [write(tmp_path / "a.log", scraper()[35:]), write(tmp_path / "a.log.1.gz", scraper()[:35], packed=True)]
    _, out, _ = run(capsys, *names, "--json")
    _, whole, _ = run(capsys, write(tmp_path / "whole.log", scraper()), "--json")
    both, one = json.loads(out), json.loads(whole)
    assert (both["files"], both["clients"]) == (2, one["clients"])


def test_half_a_gzip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 5, and what was read before the break is still reported."""
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in scraper(3000)))[:-2000])
    code, out, err = run(capsys, str(path), "--json")
    assert code == 5
    assert json.loads(out)["requests"] > 500
    assert "the gzip ends in the middle; what was read before it is reported" in err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory; accepted: an access log, plain or .gz"),
        (b"hello world\n", "line 1 does not look like combined; give --format '...'"),
        (b"\x1f\x8b\x08junk", "gzip"),
    ],
)
def test_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, says: str) -> None:
    """No such log, an unknown format, no gzip at all: exit code 5 and one clear line."""
    path = tmp_path / "a.log"
    if content is not None:
        path.write_bytes(content)
    code, _, err = run(capsys, str(path))
    assert (code, len(err.splitlines())) == (5, 1)
    assert says in err
    assert str(path) in err


@pytest.mark.parametrize(
    "arguments",
    [[], ["a.log", "--limit", "-1"], ["a.log", "--limit", "many"], ["a.log", "--client", "somebody"], ["a.log", "--no"]],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Exit code 2."""
    assert run(capsys, *arguments)[0] == 2


def test_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log_format as it stands in nginx.conf, quotes, pieces and escape included."""
    name = write(
        tmp_path / "a.log",
        [b'{"t":"1795296799.%03d","ip":"203.0.113.7","r":"GET /%d HTTP/1.1"}' % (at, at) for at in range(20)],
    )
    for form in (
        '{"t":"$msec","ip":"$remote_addr","r":"$request"}',
        """escape=json '{"t":"$msec","ip":"$remote_addr",' '"r":"$request"}';""",
    ):
        code, out, _ = run(capsys, name, "--format", form, "--json")
        report = json.loads(out)
        assert (code, report["format"], report["requests"], report["clock_resolution_s"]) == (0, "mixed", 20, 0.001)
        assert report["not_seen"] == sorted(
            ["accept_encoding", "accept_language", "header_order", "referer", "sec_fetch", "tls", "user_agent"]
        )
    assert run(capsys, name, "--format", "combined")[0] == 5
    assert run(capsys, name, "--format", "$remote_addr")[0] == 5
    assert run(capsys, name, "--format", "apache")[0] == 5


def test_nginx_conf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The format is looked up in the output of `nginx -T` by the name of the log."""
    conf = tmp_path / "nginx.txt"
    conf.write_text(
        "http { log_format own '$remote_addr|$msec|' '$request'; access_log /var/log/nginx/own.log own; access_log /x.log; }"
    )
    name = write(tmp_path / "own.log", [b"203.0.113.7|1795296799.898|GET / HTTP/1.1"])
    assert run(capsys, name, "--nginx-conf", str(conf))[:1] == (0,)
    other = write(tmp_path / "other.log", [b"203.0.113.7|1795296799.898|GET / HTTP/1.1"])
    code, _, err = run(capsys, other, "--nginx-conf", str(conf))
    assert code == 5
    assert "give --format NAME, one of: combined, own" in err
    assert run(capsys, other, "--nginx-conf", str(conf), "--format", "own")[0] == 0


def test_the_next_command_can_be_typed_in_a_clone(tmp_path: Path) -> None:
    """Called as `.venv/bin/botsieve`, where no `botsieve` is on the PATH, the hint begins so too; with one there it is `botsieve`."""
    log = write(tmp_path / "a.log", scraper(7))
    clone = tmp_path / ".venv" / "bin" / "botsieve"
    clone.parent.mkdir(parents=True)
    clone.write_text(f"#!{sys.executable}\nfrom botsieve.cli import entry\nentry()\n")
    clone.chmod(0o755)
    hints = []
    for path in (str(tmp_path), str(clone.parent)):
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "service")}
        done = subprocess.run(
            [".venv/bin/botsieve", "replay", log],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        hints.append(done.stdout.splitlines()[-1].partition(":  ")[2].partition(" replay")[0])
    assert hints == [".venv/bin/botsieve", "botsieve"]


def test_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One client in full; a client that is not there is exit code 1."""
    name = write(tmp_path / "a.log", [*scraper(7), combined("203.0.113.7", 8)])
    code, out, _ = run(capsys, name, "--client", "198.51.100.9")
    assert (code, sum(" GET /items/" in line for line in out.splitlines())) == (0, 7)
    assert "203.0.113.7" not in out
    code, out, _ = run(capsys, name, "--client", "198.51.100.9", "--json")
    assert [json.loads(line)["path"] for line in out.splitlines()] == [f"/items/{at}" for at in range(7)]
    code, _, err = run(capsys, name, "--client", "192.0.2.1")
    assert code == 1
    assert "no request of 192.0.2.1" in err


def test_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--config judges by that file: on audience `browser` the first mission document's weights count for everybody."""
    config = tmp_path / "botsieve.yaml"
    config.write_text("policies:\n  - name: site\n    audience: browser\n    challenge_at: 30\n")
    name = write(tmp_path / "a.log", [combined("198.51.100.9", 0, "/", "curl/8.5")])
    assert json.loads(run(capsys, name, "--json")[1])["requests_challenged"] == 0
    _, out, _ = run(capsys, name, "--json", "--config", str(config))
    assert json.loads(out)["requests_challenged"] == 1
    config.write_text("policies: 7\n")
    assert run(capsys, name, "--config", str(config))[0] == 3


def test_standard_input(tmp_path: Path) -> None:
    """`zcat ... | botsieve replay -`."""
    done = subprocess.run(
        [sys.executable, "-m", "botsieve", "replay", "-", "--json"],
        input=b"\n".join(scraper()),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["requests"] == 70


def test_reader_that_goes_away(tmp_path: Path) -> None:
    """`| head -1` is no error of ours."""
    name = write(tmp_path / "a.log", [botsieve(f"10.{at // 250}.{at % 250}.1", at / 10 + 0.05) for at in range(3000)])
    with subprocess.Popen(
        [sys.executable, "-m", "botsieve", "replay", name, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 0


def test_progress_bar_on_a_terminal_only(tmp_path: Path) -> None:
    """Where somebody watches standard error there is a bar, and it reaches the end; the report is the same."""
    name = write(tmp_path / "a.log", scraper())
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "botsieve", "replay", name], stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        assert process.stdout is not None
        report = process.stdout.read()
    drawn = os.read(ours, 65536)
    os.close(ours)
    assert b"reading" in drawn
    assert b"100%" in drawn
    assert report.startswith(b"70 requests")
