"""The examples of nginx/examples, started as they are: only ports, files and folders are those of the test.

Law of the file: the text of an example is not changed but for the places in PLACES and those that the test names.
"""

from __future__ import annotations

import re
from pathlib import Path

from botsieve.edge.includes import shipped
from botsieve.edge.machine import find_nginx

from tests.servers import Nginx, be_patient, certificate, free_port, install

FOLDER = shipped("nginx") / "examples"
_HTTP = re.compile(r"^http \{\n(.*)^\}\n", re.MULTILINE | re.DOTALL)
_TOP = "include /etc/nginx/modules-enabled/*.conf;\nevents { }\n"


def examples() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in FOLDER.glob("*.conf"))


class Example(Nginx):
    """One example in front of `socket`, where the service listens.

    `app`: the inside of a server that stands for the application at 127.0.0.1:8000, or `app_port` of one that runs already.
    `places`: further texts of the example and what stands in their place.  `srv`: the folder for /srv/shop.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        socket: Path,
        *,
        app: str = 'location / { return 200 "app $request_method $request_uri\\n"; }',
        app_port: int | None = None,
        places: dict[str, str] | None = None,
        lua_folder: Path | None = None,
    ) -> None:
        self.port, backup = free_port(), free_port()
        self.app_port = app_port or free_port()
        self.srv = folder / "srv"
        self.srv.mkdir(exist_ok=True)
        self.access_log = folder / "botsieve.log"
        self.includes = install(folder / "botsieve", "--socket", str(socket), "--port", str(backup))
        be_patient(self.includes)
        self.pem, key = certificate(folder)
        text = (FOLDER / f"{name}.conf").read_text()
        for written, here in (places or {}).items():
            assert written in text, f"{name}.conf has no {written!r}"
            text = text.replace(written, here)
        for written, here in {
            "listen   80;": f"listen 127.0.0.1:{self.port};",
            "listen      80;": f"listen 127.0.0.1:{self.port};",
            "443 ssl http2;": f"127.0.0.1:{self.port} ssl http2;",
            "/etc/ssl/shop.pem": str(self.pem),
            "/etc/ssl/shop.key": str(key),
            "/etc/nginx/staff.htpasswd": str(folder / "staff.htpasswd"),
            "/srv/shop": str(self.srv),
            "/var/cache/nginx/shop": str(folder / "cache"),
            "/var/log/nginx/botsieve.log": str(self.access_log),
            "/run/php/php-fpm.sock": str(folder / "php.sock"),
            "127.0.0.1:8000": f"127.0.0.1:{self.app_port}",
        }.items():
            text = text.replace(written, here)
        if "fastcgi_params" in text:
            (folder / "fastcgi_params").write_text((Path(find_nginx().conf_folder) / "fastcgi_params").read_text())
        inside = _HTTP.search(text)
        assert inside, f"{name}.conf has no http block"
        rest = re.sub(r"^#.*\n", "", text[: inside.start()] + text[inside.end() :], flags=re.MULTILINE)
        assert rest == _TOP, f"{name}.conf: {rest}"
        server = f"server {{ listen 127.0.0.1:{self.app_port}; access_log off; {app} }}\n" if app_port is None else ""
        super().__init__(
            folder, server + inside.group(1), port=self.port, lua_path=None if lua_folder else self.includes / "lua"
        )
