"""The confs of good/ and bad/ as real nginx folders.

A conf names its traps where they are reported: `# trap: NAME` at the end of the line.  Ports and files in it are stand-ins:
127.0.0.1:8080 and 8081 (http), 8443 (https), 9000 (the application), certificate.pem, key.pem, users, html.
"""

from __future__ import annotations

import functools
import getpass
import os
import re
import subprocess
import tempfile
from pathlib import Path

from botsieve.edge.includes import Filling, lua_texts, nginx_texts
from botsieve.edge.machine import find_lua, find_nginx

from tests.servers import Process, certificate, free_port, wait_until

HERE = Path(__file__).parent
BAD = sorted(path.stem for path in (HERE / "bad").glob("*.conf"))
GOOD = sorted(path.stem for path in (HERE / "good").glob("*.conf"))
PORTS = (8080, 8081, 8443, 9000)

_APP = (
    "server {{ listen 127.0.0.1:{port}; underscores_in_headers on; location /forbidden {{ return 403 'app says no'; }} "
    "location /plain {{ return 200 'app plain'; }} location / {{ add_header Set-Cookie app=1; "
    "return 200 'app $request_uri xff=$http_x_forwarded_for verdict=$http_x_botsieve_verdict real=$http_x_real_ip'; }} }}"
)


def wanted(name: str) -> list[tuple[int, str]]:
    """(line, trap) of every mark in bad/NAME.conf."""
    lines = (HERE / "bad" / f"{name}.conf").read_text().splitlines()
    return [(number, mark.group(1)) for number, line in enumerate(lines, 1) if (mark := re.search(r"# trap: (\w+)$", line))]


@functools.cache
def _certificate() -> dict[str, str]:
    """File name -> text; one for all confs."""
    with tempfile.TemporaryDirectory() as folder:
        return {path.name: path.read_text() for path in certificate(Path(folder))}


@functools.cache
def _modules() -> str:
    return find_lua(find_nginx()).load_module.replace("\n", " ")


class Folder:
    """A folder with the conf, our includes and what the conf names.  `ports`: stand-in -> port that is free now."""

    def __init__(self, at: Path, kind: str, name: str, socket: Path | None = None) -> None:
        self.at = at
        self.ports = {port: free_port() for port in PORTS}
        filling = Filling(folder=str(at / "botsieve"), socket=str(socket or at / "check.sock"), port=free_port())
        for folder, texts in (("botsieve", nginx_texts(filling)), ("botsieve/lua/resty/botsieve", lua_texts())):
            (at / folder).mkdir(parents=True)
            for file, text in texts.items():
                # A busy machine must not turn a verdict into an unjudged request, nor a page into the small one.
                (at / folder / file).write_text(re.sub(r" (50ms|500ms|1s);", " 10s;", text))
        for file, text in _certificate().items():
            (at / file).write_text(text)
        (at / "html").mkdir()
        (at / "users").write_text("u:{PLAIN}p\n")
        self.conf = at / "nginx.conf"
        self.conf.write_text(self._real((HERE / kind / f"{name}.conf").read_text()))

    def _real(self, text: str) -> str:
        """The same lines, with what a private nginx needs added to existing ones."""
        for stand_in, port in self.ports.items():
            text = text.replace(f"127.0.0.1:{stand_in}", f"127.0.0.1:{port}")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        inside = " ".join(f"{kind}_temp_path {self.at}/spool-{kind};" for kind in kinds)
        if "lua_package_path" not in text:
            inside += f' lua_package_path "{self.at}/botsieve/lua/?.lua;;";'
        inside += " access_log off; " + _APP.format(port=self.ports[9000])
        main = _modules()
        # As root the workers would be somebody else, who may not enter the folder of the test.
        main += f"user {getpass.getuser()}; " if os.geteuid() == 0 else ""
        main += f"worker_processes 1; daemon off; pid {self.at}/pid; error_log {self.at}/error.log info; events "
        text = (
            text.replace("root html;", f"root {self.at}/html;")
            .replace("/opt/ours", f"{self.at}/botsieve/lua")
            .replace("spool-cache", f"{self.at}/spool-cache")
        )
        return text.replace("events ", main, 1).replace("http {", "http { " + inside, 1)

    def nginx(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [find_nginx().command, "-p", str(self.at), "-c", str(self.conf), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


class Running(Process):
    """The conf of `folder`, started."""

    def __init__(self, folder: Folder) -> None:
        command = [find_nginx().command, "-p", str(folder.at), "-c", str(folder.conf)]
        super().__init__(command, cwd=folder.at, log=folder.at / "nginx.out")
        try:
            wait_until(lambda: (folder.at / "pid").exists() and (folder.at / "pid").read_text().strip(), what="nginx's start")
        except AssertionError:
            self.stop()
            raise AssertionError(f"nginx did not start: {self.output}") from None
