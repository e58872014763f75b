"""The kinds of value that name a place: networks, hosts, paths, headers, files, listeners.

Law of the file: what could never match a request, or never be bound, is refused; each accepted value has one spelling.
"""

from __future__ import annotations

import ipaddress
import re

from botsieve.config.kinds import Kind, Text, Whole
from botsieve.config.mistakes import shown
from botsieve.ranges import parse_range
from botsieve.unix_socket import MAX_PATH

LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # of a host name, as a pattern


class Network(Kind):
    """A network or one address, as text."""

    accepted = "203.0.113.0/24, 2001:db8::/32 or one address"

    def check(self, value: object) -> str:
        if not isinstance(value, str) or len(value) > 64:
            raise self.refusal(f"{shown(value)} is no network")
        try:
            parse_range(value)
        except ValueError as error:
            hint = " (host bits are set)" if "host bits" in str(error) else ""
            raise self.refusal(f"{shown(value)} is no network{hint}") from None
        return str(value.strip())


class NetworkOrFile(Network):
    """A network, or the absolute path of a file with a list of networks."""

    accepted = f"{Network.accepted}; or the absolute path of a list of them"

    def check(self, value: object) -> str:
        if isinstance(value, str) and value.startswith("/"):
            return AbsolutePath().check(value)
        return super().check(value)


class CountedNetwork(Network):
    """A network of the size in which networks are counted, as `observation.network_text` writes it."""

    accepted = "a /24 such as 198.51.100.0/24, or a /48 such as 2001:db8:7::/48"

    def check(self, value: object) -> str:
        text = super().check(value)
        network = ipaddress.ip_network(text)
        if network.prefixlen != (24 if network.version == 4 else 48):
            raise self.refusal(f"{shown(value)} has not the size in which networks are counted")
        return str(network)


class Country(Kind):
    """The code of a country, as databases write it."""

    accepted = "a country as two capitals (ISO 3166-1) such as DE"

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refusal(f"{shown(value)} is no country")
        if value in _NO_COUNTRY:
            raise self.refusal(f"{shown(value)} is no code of ISO 3166-1 (did you mean {_NO_COUNTRY[value]}?)")
        if not re.fullmatch("[A-Z]{2}", value):
            hint = f" (did you mean {value.upper()}?)" if re.fullmatch("[A-Za-z]{2}", value) else ""
            raise self.refusal(f"{shown(value)} is no country{hint}")
        return str(value)


# Codes that people write and no database knows.
_NO_COUNTRY = {"UK": "GB", "EL": "GR"}


class Asn(Whole):
    """The number of a network (autonomous system)."""

    def __init__(self) -> None:
        super().__init__(1, 2**32 - 1)
        self.accepted = f"the number of a network (ASN), from 1 to {self.high}"

    def check(self, value: object) -> int:
        if isinstance(value, str) and re.fullmatch("(AS|as)[0-9]{1,10}", value):
            raise self.refusal(f"{shown(value)} is no number (did you mean {value[2:]}?)")
        return super().check(value)


class HostName(Text):
    """A host name, or `*.` and one."""

    def __init__(self) -> None:
        super().__init__(
            "a host name such as shop.example.com, or *.example.com; no scheme, port or path; other scripts as xn--",
            longest=255,
            form=rf"(\*\.)?{LABEL}(\.{LABEL})*|\[?[0-9a-fA-F:]+\]?",
        )

    def normal(self, text: str) -> str:
        return text.lower()


class UrlPath(Kind):
    """A path as it is matched: decoded, canonical, without query."""

    accepted = "a decoded path such as /api/ (everything below), /a/*/b (one segment) or /robots.txt; no query"

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.refusal(f"{shown(value)} is no text")
        what = _path_fault(value)
        if what:
            raise self.refusal(f"{shown(value)} {what}")
        return str(value)


def _path_fault(path: str) -> str:
    if not path.startswith("/"):
        return "does not begin with /"
    if len(path) > 1000 or not path.isprintable():
        return "is longer than 1000 characters or not printable"
    if "?" in path or "#" in path:
        return "holds a query or fragment, which are never looked at"
    if re.search("%[0-9A-Fa-f]{2}", path):
        return "is percent-encoded, and would match nothing"
    if "//" in path or re.search(r"/\.{1,2}(/|$)", path):
        return "holds //, /./ or /../, and would match nothing"
    if any("*" in segment and segment != "*" for segment in path.split("/")):
        return "has a * that is not a whole segment"
    return ""


class HeaderName(Text):
    """The name of a header, in lower case."""

    def __init__(self, *, null: bool = False) -> None:
        super().__init__("a header name such as x-api-key", longest=100, form="[A-Za-z0-9!#$%&'*+.^_`|~-]+", null=null)

    def normal(self, text: str) -> str:
        return text.lower()


class Method(Text):
    """An HTTP method, as sent (case counts)."""

    def __init__(self) -> None:
        super().__init__("a method such as GET, in capitals", longest=32, form="[A-Z][A-Z0-9_-]*")


class AbsolutePath(Text):
    """The absolute path of a file or folder of this machine.  `words`: words that stand for something else."""

    def __init__(self, *words: str, null: bool = False) -> None:
        super().__init__(", ".join((*words, "an absolute path")), longest=500, form="|".join(("/.*", *words)), null=null)


class Listen(Text):
    """Where a listener listens: `unix:/path` (if `unix`) or `address:port`."""

    def __init__(self, *, unix: bool = True) -> None:
        tcp = r"[0-9.]{7,15}:[0-9]{1,5}|\[[0-9a-fA-F:]{2,39}\]:[0-9]{1,5}|localhost:[0-9]{1,5}"
        super().__init__(
            (f"unix:/path/of.sock (at most {MAX_PATH} bytes), " if unix else "") + "127.0.0.1:9480 or [::1]:9480",
            longest=500,
            form=(r"unix:/[^\0]+|" if unix else "") + tcp,
            null=True,
        )

    def check(self, value: object) -> str:
        text = super().check(value)
        if text.startswith("unix:"):
            if len(text.encode()) - len("unix:") > MAX_PATH:
                raise self.refusal("the path of the socket is too long")
            return text
        host, _, port = text.rpartition(":")
        if not 1 <= int(port) <= 65535:
            raise self.refusal(f"{shown(value)} has no possible port")
        if host != "localhost":
            try:
                parse_range(host.strip("[]"))
            except ValueError:
                raise self.refusal(f"{shown(value)} has no possible address") from None
        return text
