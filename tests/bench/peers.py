"""What nginx keeps of its throughput beside Botsieve, and beside what people put there today; in alternating runs.

The same nginx, http block, requests and app as in nginx_rate; nginx and wrk on core 0, whom it asks on core 1.  Each peer stands as its
own documentation has it, and where there was a choice, it is the one that is kinder to the peer:

* CrowdSec's Lua bouncer `stream`: 10,000 addresses are held, nobody is asked while it runs, and none of the visitors is listed.
* The same, `live`: its local API is a constant answer ("nothing known") of an nginx, not CrowdSec itself.
* ModSecurity with the Core Rule Set at paranoia level 1: no audit log, no bodies of answers read.

They do not do the same: the bouncer looks an address up that somebody else has judged, the rule set reads each request for attacks on
its own, Botsieve judges the client by what it did before.  Law of the file: loopback only; a peer that is missing is named, not guessed.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from botsieve.demo.nginx_conf import find_nginx

from tests.bench.figures import alternating
from tests.bench.load import CONNECTIONS, ITEM, cpu_s, free_port, judged, running, script, service_command, wrk
from tests.bench.nginx_rate import BREAKER_S, CONSTANT, JUDGED_SHARE, TRIES, front_conf, user
from tests.conftest import ROOT
from tests.nginx.crowdsec.bouncer import REAL, lay_out
from tests.nginx.crowdsec.lapi import Lapi

UNPACKED = ROOT / ".cache" / "peers" / "root"
LISTED = {f"100.{64 + n // 65536}.{n // 256 % 256}.{n % 256}": "ban" for n in range(10_000)}
NOBODY = "nobody"


class Peer(msgspec.Struct, frozen=True):
    """A running nginx, the process that it asks (0: none), and where that tells how much it judged (0: nowhere)."""

    port: int
    nginx: int
    decider: int = 0
    web: int = 0

    def spent(self) -> tuple[float, float, float]:
        """Processor time of both (s), and decisions so far."""
        return cpu_s(self.nginx), cpu_s(self.decider) if self.decider else 0.0, float(judged(self.web)) if self.web else 0.0


def _crowdsec(at: Path, mode: str, url: str) -> str:
    """Lines of the http block."""
    folder = at / f"crowdsec-{mode}"
    folder.mkdir()
    lay_out(folder, REAL, url, MODE=mode, UPDATE_FREQUENCY="10")
    return f"include {folder}/conf.d/*.conf;"


def _modsecurity(at: Path) -> str:
    """Lines of the server block: the packaged settings, and the packaged rules."""
    settings = (UNPACKED / "etc/nginx/modsecurity.conf").read_text()
    for old, new in (
        ("SecRuleEngine DetectionOnly", "SecRuleEngine On"),
        ("SecResponseBodyAccess On", "SecResponseBodyAccess Off"),
        ("SecAuditEngine RelevantOnly", "SecAuditEngine Off"),
        ("SecUnicodeMapFile unicode.mapping", f"SecUnicodeMapFile {UNPACKED}/etc/nginx/unicode.mapping"),
    ):
        assert old in settings, f"the packaged modsecurity.conf has no line {old!r}"
        settings = settings.replace(old, new)
    rules = UNPACKED / "usr/share/modsecurity-crs/rules"
    written = at / "modsecurity-rules.conf"
    written.write_text(f"{settings}\nInclude {UNPACKED}/etc/modsecurity/crs/crs-setup.conf\nInclude {rules}/*.conf\n")
    return f"modsecurity on; modsecurity_rules_file {written};"


@contextlib.contextmanager
def fronts(at: Path) -> Iterator[dict[str, Peer]]:
    """An nginx for each peer; they differ in nothing else."""
    nginx = find_nginx()
    with contextlib.ExitStack() as stack:

        def ask(name: str, conf: Path, port: int, decider: int = 0, web: int = 0) -> None:
            found[name] = Peer(port, stack.enter_context(running([nginx, "-c", str(conf)], 0, port=port)), decider, web)

        found: dict[str, Peer] = {}
        port = free_port()
        ask(NOBODY, front_conf(at, "bare", port, None), port)
        web = free_port()
        service = stack.enter_context(running(service_command(at, f"unix:{at}/check.sock", web), 1, port=web))
        port = free_port()
        ask("Botsieve", front_conf(at, "botsieve", port, at / "check.sock"), port, service, web)
        if os.environ.get("BOTSIEVE_CROWDSEC_DIR"):
            lapi = stack.enter_context(Lapi(LISTED))
            port = free_port()
            ask(
                "CrowdSec's bouncer, stream", front_conf(at, "stream", port, None, http=_crowdsec(at, "stream", lapi.url)), port
            )
            constant = at / "constant.conf"
            told = free_port()
            constant.write_text(
                CONSTANT.format(at=at, user=user()).replace(
                    "location / { return 200; }",
                    f"listen 127.0.0.1:{told}; default_type application/json; location / {{ return 200 null; }}",
                )
            )
            answers = stack.enter_context(running([nginx, "-c", str(constant)], 1, port=told))
            http = _crowdsec(at, "live", f"http://127.0.0.1:{told}")
            port = free_port()
            ask("CrowdSec's bouncer, live", front_conf(at, "live", port, None, http=http), port, answers)
        else:
            print("CrowdSec's bouncer: not measured; BOTSIEVE_CROWDSEC_DIR names no clones (CONTRIBUTING.md)", file=sys.stderr)
        module = f"load_module {UNPACKED}/usr/lib/nginx/modules/ngx_http_modsecurity_module.so;"
        port = free_port()
        ask(
            "ModSecurity, Core Rule Set",
            front_conf(at, "modsecurity", port, None, module=module, server=_modsecurity(at)),
            port,
        )
        yield found


def table(*, runs: int = 5, seconds: float = 2) -> str:
    """A row for each peer: requests a second, its share of an nginx that asks nobody, processor time a request."""
    with tempfile.TemporaryDirectory(prefix="botsieve-bench-") as folder:
        at = Path(folder)
        lua = script(at, address="X-Demo-Address", target=ITEM)
        with fronts(at) as found:
            spent = dict.fromkeys(found, (0.0, 0.0, 0.0))

            def run(name: str) -> float:
                peer = found[name]
                for _ in range(TRIES):
                    before = peer.spent()
                    rate = wrk(f"http://127.0.0.1:{peer.port}", lua, seconds=seconds, core=0)
                    after = peer.spent()
                    if not peer.web or after[2] - before[2] >= JUDGED_SHARE * rate * seconds:
                        break
                    time.sleep(BREAKER_S)  # our breaker had opened: a run in which nobody was asked proves nothing
                else:
                    raise AssertionError(f"the breaker opened in {TRIES} runs in a row: this machine is too busy to measure")
                asked, front, decider = spent[name]
                spent[name] = (asked + rate * seconds, front + after[0] - before[0], decider + after[1] - before[1])
                return rate

            for name in found:
                wrk(f"http://127.0.0.1:{found[name].port}", lua, seconds=1, core=0)
            rates = alternating(runs, {name: (lambda name=name: run(name)) for name in found})  # type: ignore[misc]
    lines = [f"{'nginx beside':<28} {'requests/s':>10} {'share':>6}  us a request: nginx, whom it asks"]
    for name, rate in sorted(rates.items(), key=lambda row: -row[1]):
        asked, front, decider = spent[name]
        us = f"{front / asked * 1e6:.0f}, {decider / asked * 1e6:.0f}" if found[name].decider else f"{front / asked * 1e6:.0f}"
        lines.append(f"{name:<28} {rate:>10,.0f} {rate / rates[NOBODY]:>6.2f}  {us}")
    lines.append(
        f"one nginx process and wrk on core 0, whom it asks on core 1; {CONNECTIONS} connections, median of {runs} alternating runs"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(runs=1, seconds=1) if "--quick" in sys.argv else table())
