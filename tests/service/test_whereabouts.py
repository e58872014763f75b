"""Rules by country and network, in the running service: as its databases are at the moment."""

from __future__ import annotations

from tests.servers import wait_until
from tests.service.running import PERSON, Place, place
from tests.unit.lookups.mmdb import ASN, COUNTRY, database

RULES = """\
policies:
  - name: shop
    mode: enforce
    rules:
      - {name: elsewhere, when: {country: [JP]}, then: challenge}
      - {name: hosters, when: {asn: [64500]}, then: block}
"""


def _verdicts(at: Place) -> tuple[str, str, str]:
    """Of an address in network 64500, of one in Japan, of one that no database knows."""
    clients = ("203.0.113.7", "2001:db8::7", "198.51.100.1")
    first, second, third = (at.ask("/", PERSON, Client_Addr=client, Peer_Addr=client).verdict for client in clients)
    return first, second, third


def test_databases_are_followed_and_never_lost() -> None:
    """Loaded at start, replaced while it runs, kept when the new one is broken; the rules go with them and with a reload."""
    with place() as at:
        asn, country = at.folder / "asn.mmdb", at.folder / "country.mmdb"
        asn.write_bytes(ASN)
        country.write_bytes(COUNTRY[:100])
        geo = f"geo: {{asn_mmdb: {asn}, country_mmdb: {country}}}\n"
        at.write(RULES, more=geo)
        with at.start():
            assert _verdicts(at) == ("block", "allow", "allow")  # a broken database knows nobody, and nobody is refused for it
            country.write_bytes(COUNTRY)
            wait_until(lambda: _verdicts(at) == ("block", "challenge", "allow"), what="the database of countries")
            asn.write_bytes(database({"203.0.113.0/24": {"asn": "AS7"}}))
            wait_until(lambda: _verdicts(at) == ("allow", "challenge", "allow"), what="the other database of networks")
            country.write_bytes(b"<html>")
            wait_until(lambda: at.metric("botsieve_data_refused_total") >= 1, what="data_refused")
            assert _verdicts(at) == ("allow", "challenge", "allow")
            at.write(RULES.replace("64500", "7"), more=geo)
            wait_until(lambda: _verdicts(at) == ("block", "challenge", "allow"), what="the other rule")
