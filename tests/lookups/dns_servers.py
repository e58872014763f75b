"""DNS servers for tests, on loopback and free ports: dnsmasq, and one that says whatever a test makes it say.

Law of the file: each is stopped by whoever started it; nothing is asked of the world outside.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.conftest import free_port as free_tcp_port
from tests.conftest import stop
from tests.servers import wait_until

HERE = "127.0.0.1"


def free_port() -> int:
    """A port of 127.0.0.1 that is free for UDP and TCP."""
    while True:
        port = free_tcp_port()
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            try:
                datagrams.bind((HERE, port))
            except OSError:
                continue
            return port


class Dnsmasq:
    """A dnsmasq with `lines` of configuration; it knows `domains`, and nothing of anybody else's."""

    def __init__(self, folder: Path, lines: list[str], domains: tuple[str, ...] = ()) -> None:
        self.port = free_port()
        local = [f"local=/{zone}/" for zone in ("in-addr.arpa", "ip6.arpa", *domains)]
        own = ["no-resolv", "no-hosts", "bind-interfaces", f"listen-address={HERE}", f"port={self.port}", "user=", "group="]
        conf = folder / "dnsmasq.conf"
        conf.write_text("\n".join([*own, *local, *lines]) + "\n")
        dnsmasq = shutil.which("dnsmasq", path=os.environ["PATH"] + ":/usr/sbin")
        assert dnsmasq, "dnsmasq is missing: scripts/test-packages.sh installs it"
        command = [dnsmasq, "--keep-in-foreground", f"--conf-file={conf}", "--pid-file"]
        with (folder / "dnsmasq.out").open("wb") as output:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(lambda: answers(self.port), what="dnsmasq")

    @property
    def server(self) -> tuple[str, int]:
        return HERE, self.port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        stop(self.popen)


def answers(port: int) -> bool:
    """Whether somebody answers there."""
    try:
        dns.query.udp(dns.message.make_query("localhost", "A"), HERE, timeout=0.2, port=port)
    except (OSError, dns.exception.Timeout):
        return False
    return True


Say = Callable[[dns.message.Message, bool], bytes | None]


class Scripted:
    """A server that answers with `say(query, over_tcp)`; None: it says nothing.  `asked`: how many questions it has heard."""

    def __init__(self, say: Say) -> None:
        self.port = free_port()
        self.asked = 0
        self._say = say
        self._datagrams = socket.socket(type=socket.SOCK_DGRAM)
        self._datagrams.bind((HERE, self.port))
        self._stream = socket.socket()
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._stream.bind((HERE, self.port))
        self._stream.listen()
        self._threads = [threading.Thread(target=work) for work in (self._udp, self._tcp)]
        for thread in self._threads:
            thread.start()

    @property
    def server(self) -> tuple[str, int]:
        return HERE, self.port

    def _udp(self) -> None:
        while True:
            wire, peer = self._datagrams.recvfrom(65535)
            if not wire:
                return
            self.asked += 1
            said = self._say(dns.message.from_wire(wire), False)
            if said is not None:
                self._datagrams.sendto(said, peer)

    def _tcp(self) -> None:
        while True:
            peer, _ = self._stream.accept()
            with peer:
                head = peer.recv(2)
                if not head:
                    return
                said = self._say(dns.message.from_wire(peer.recv(int.from_bytes(head, "big"))), True)
                if said is not None:
                    peer.sendall(len(said).to_bytes(2, "big") + said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.server)
        socket.create_connection(self.server).close()
        for thread in self._threads:
            thread.join()
        self._datagrams.close()
        self._stream.close()


def zone(records: dict[tuple[str, str], list[str]], rcode: int = 0) -> Say:
    """A server that knows these records, by name and type, with the way that a CNAME leads; all other names do not exist."""

    def say(query: dns.message.Message, over_tcp: bool) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
        known = {key[0] for key in records}
        if not rcode and name not in known:
            response.set_rcode(dns.rcode.NXDOMAIN)
        while (name, "CNAME") in records and kind != "CNAME":
            target = records[name, "CNAME"][0]
            response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", target))
            name = target
        if (name, kind) in records:
            response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *records[name, kind]))
        try:
            return response.to_wire(max_size=65535 if over_tcp else 512)
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()

    return say
