"""One question to a DNS server, and what it said: over UDP, or over TCP where the answer was too long for that.

Law of the file: an answer is looked at only as far as it is small.  dnspython takes some 80 us a record, so an address whose owner
gives it two thousand names would hold the loop for 150 ms: lengths and counts are read before anything is parsed.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.PTR
import dns.resolver

from botsieve.errors import LookupFailed
from botsieve.observation import pack_address

MAX_RECORDS = 16  # of one answer [guess: crawlers' addresses have one name, and their names one or two addresses]
MAX_BYTES = 4_096  # of one answer over TCP [guess: 16 names of 255 bytes]
MAX_SERVERS = 3  # as the system's own resolver (resolv.conf(5), MAXNS)
PORT = 53

_HEADER = struct.Struct("!HHHHHH")  # id, flags, questions, answers, authority, additional (RFC 1035 §4.1.1)

Server = tuple[str, int]


class Reply(NamedTuple):
    """`exists`: the name does (else NXDOMAIN).  `names` of a PTR question; `addresses` of A and AAAA, 16 packed bytes each."""

    exists: bool
    names: tuple[dns.name.Name, ...] = ()
    addresses: tuple[bytes, ...] = ()


class DnsClient:
    """Asks the first server, the next if that has no answer; a single one is asked twice.  `timeout_s`: for all of it."""

    def __init__(self, servers: Sequence[Server], timeout_s: float) -> None:
        self.servers = tuple(servers)[:MAX_SERVERS]
        self.timeout_s = timeout_s

    async def ask(self, name: dns.name.Name, kind: str) -> Reply:
        """`kind`: PTR, A, AAAA or SOA.  Errors: LookupFailed when no server gave an answer that can be believed, in time."""
        query = dns.message.make_query(name, kind)
        turns = self.servers * 2 if len(self.servers) == 1 else self.servers
        why = "there is no DNS server"
        try:
            async with asyncio.timeout(self.timeout_s):
                for turn in turns:
                    try:
                        async with asyncio.timeout(self.timeout_s / len(turns)):
                            return await _exchange(query, turn)
                    except TimeoutError:
                        why = f"{turn[0]} does not answer"
                    except (OSError, EOFError, LookupFailed) as error:
                        why = f"{turn[0]}: {error}"
        except TimeoutError:
            why = "no DNS server answers in time"
        raise LookupFailed(why)


def system_servers(path: str = "/etc/resolv.conf") -> tuple[Server, ...]:
    """The machine's, from resolv.conf(5).  Errors: LookupFailed when it names none."""
    try:
        resolver = dns.resolver.Resolver(filename=path)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise LookupFailed(f"the system has no DNS server ({type(error).__name__})") from error
    return tuple((server, PORT) for server in resolver.nameservers if isinstance(server, str))


async def _exchange(query: dns.message.Message, server: Server) -> Reply:
    wire = query.to_wire()
    raw = await _over_udp(wire, server)
    if raw[2] & (dns.flags.TC >> 8):
        raw = await _over_tcp(wire, server)
    return read_reply(raw, query)


def read_reply(raw: bytes, query: dns.message.Message) -> Reply:
    """What an answer says.  Errors: LookupFailed for one that is too large, broken, not to this question, or no answer."""
    if len(raw) < _HEADER.size:
        raise LookupFailed("a broken answer")
    identity, flags, questions, answers, _, _ = _HEADER.unpack_from(raw)
    if questions != 1 or answers > MAX_RECORDS:
        raise LookupFailed(f"an answer of {answers} records; accepted: {MAX_RECORDS}")
    # What else servers add is not read: neither authority nor additional records answer anything.
    kept = _HEADER.pack(identity, flags, questions, answers, 0, 0) + raw[_HEADER.size :]
    try:
        message = dns.message.from_wire(kept, ignore_trailing=True)
        if not isinstance(message, dns.message.QueryMessage) or not query.is_response(message):
            raise LookupFailed("an answer to another question")
        code = message.rcode()
        if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise LookupFailed(f"the answer is {dns.rcode.to_text(code)}")
        found = message.resolve_chaining().answer  # a CNAME leads on; the server gives the whole way
    except (dns.exception.DNSException, ValueError) as error:
        raise LookupFailed(f"a broken answer ({type(error).__name__})") from error
    records = tuple(found) if found is not None else ()
    return Reply(
        code == dns.rcode.NOERROR,
        tuple(record.target for record in records if isinstance(record, dns.rdtypes.ANY.PTR.PTR)),
        tuple(pack_address(record.address) for record in records if record.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)),
    )


# ---- transports


class _Datagrams(asyncio.DatagramProtocol):
    """Waits for the first datagram with the id of the question."""

    def __init__(self, identity: bytes) -> None:
        self._identity = identity
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done() and data[:2] == self._identity and len(data) >= _HEADER.size:
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _over_udp(wire: bytes, server: Server) -> bytes:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(wire[:2]), remote_addr=server)
    try:
        transport.sendto(wire)
        return await protocol.answer
    finally:
        transport.close()


async def _over_tcp(wire: bytes, server: Server) -> bytes:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(wire).to_bytes(2, "big") + wire)
        length = int.from_bytes(await reader.readexactly(2), "big")
        if length > MAX_BYTES:
            raise LookupFailed(f"an answer of {length} bytes; accepted: {MAX_BYTES}")
        return await reader.readexactly(length)
    finally:
        writer.close()
