"""Everything that was recorded of real browsers and real logs: nobody is accused, and every hello agrees with its browser."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from botsieve.agents import parse_agent
from botsieve.crawlers import INSIDE, Crawlers
from botsieve.detectors.catalogue import Catalogue
from botsieve.observation import pack_address

from tests.evidence import findings, header_sets, hello_facts, observe, read_lines

pytestmark = pytest.mark.real

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
USER_AGENTS = {
    "chrome": WINDOWS + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36",
    "edge": WINDOWS + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36 Edg/{0}.0.0.0",
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
    "tor": "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0",
    "safari": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/{0}.0 Safari/605.1.15",
}
ENGINES = {"chrome": "chromium", "edge": "chromium", "firefox": "gecko", "tor": "gecko", "safari": "webkit"}


def test_every_header_set(real_data: Path) -> None:
    """Each of the recorded header sets, with each User-Agent and value seen, gives 0 points where it was observed."""
    rows = sets = 0
    for row in read_lines(real_data / "headers/browsers_ulixee.jsonl.gz"):
        rows += 1
        for headers, facts in header_sets(row):
            sets += 1
            found = findings(observe(headers, **facts))
            assert found == [], (row["browser"], row["type"], headers, found)
    assert rows > 4000
    print(f"\n{rows} rows, {sets} header sets, 0 findings")


@pytest.mark.parametrize("name", ["browsers_ulixee", "browsers_curl_impersonate"])
def test_every_hello(real_data: Path, name: str) -> None:
    """Each recorded hello is its browser's engine's, is no tool's, and contradicts nothing."""
    catalogue = Catalogue.builtin()
    count = 0
    for row in read_lines(real_data / f"tls/{name}.jsonl.gz"):
        family = row["client"].split("-")[0]
        version = re.findall(r"\d+", row["client"])[0]
        headers = dict(row.get("headers") or {"user-agent": USER_AGENTS[family].format(version)})
        facts = hello_facts(row)
        assert findings(observe(headers, **facts)) == [], (row["client"], row["ja4"])
        assert ENGINES[family] in catalogue.browser_families(facts["ja4"], facts["tls_sig"])
        count += 1
    assert count > 30


def test_no_published_browser_is_a_tool(real_data: Path) -> None:
    """No JA4 that the public list gives to a browser is a tool's in our catalogue."""
    catalogue = Catalogue.builtin()
    for row in read_lines(real_data / "tls/ja4db_verified.jsonl.gz"):
        if str(row.get("application", "")).split(" ")[0] in ("Chrome", "Firefox", "Safari", "Edge", "Samsung"):
            facts = hello_facts(row)
            assert catalogue.tool_of(b"", facts["ja4"], facts["tls_sig"]) == "", row


def test_every_real_user_agent(real_data: Path) -> None:
    """Each of 5,000 real visitors' User-Agents claims a browser and no program."""
    seen = set()
    for row in read_lines(real_data / "ua/intoli_browsers.jsonl.gz"):
        agent = parse_agent(row["userAgent"].encode())
        assert agent.claims_browser, row["userAgent"]
        assert not agent.says_program, row["userAgent"]
        seen.add(row["userAgent"])
    assert len(seen) > 400


def _log(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", errors="surrogateescape") as file:
        for line in file:
            parts = line.rsplit('"', 2)
            yield line.split(" ", 1)[0], parts[1]


def test_people_of_the_elastic_log(real_data: Path) -> None:
    """Whoever loaded pages with their style sheets and images claims a browser; declared bots do not."""
    folder = real_data / "logs/elastic_apache"
    with gzip.open(folder / "labels.tsv.gz", "rt") as file:
        names, *lines = (line.rstrip("\n").split("\t") for line in file)
    wrong = []
    labels: Counter[str] = Counter()
    crawlers = Crawlers.builtin()
    for line in lines:
        row = dict(zip(names, line, strict=False))
        agent = parse_agent(row["ua"].encode())
        labels[row["label"]] += 1
        if row["label"] == "human_strong" and (agent.crawler or not agent.claims_browser):
            wrong.append(row["ua"])
        if row["label"] == "bot_verified" and not agent.crawler:
            wrong.append(row["ua"])
        if row["label"] == "human_strong":
            assert crawlers.judge(agent, pack_address(row["ip"]))[0] != INSIDE
    print(f"\n{dict(labels)}; not as labelled: {Counter(wrong)}")
    assert labels["human_strong"] > 200
    assert len(wrong) <= labels["human_strong"] // 50


def test_form_spammers_are_what_they_say(real_data: Path) -> None:
    """The form-spam log holds forged browsers only: from the User-Agent alone nothing can be said against them."""
    names: Counter[str] = Counter()
    for _, user_agent in _log(real_data / "logs/basjes_formspam_bots/access.log.gz"):
        agent = parse_agent(user_agent.encode("utf-8", "surrogateescape"))
        names[agent.family or agent.crawler or agent.token or "-"] += 1
        assert agent.claims_browser, user_agent
    print(f"\n{dict(names)}")


def test_listed_bots_are_not_browsers(real_data: Path) -> None:
    """Of the User-Agents that a public list gives as bots' examples, most say so, and none of the verifiable ones is missed."""
    bots = json.loads((real_data / "ua/well-known-bots.json").read_text())
    plain = missed = 0
    for bot in bots:
        for user_agent in bot.get("instances", {}).get("accepted", []):
            agent = parse_agent(user_agent.encode())
            plain += 1
            missed += agent.claims_browser and not agent.says_program
    print(f"\n{plain} User-Agents of bots, {missed} of them read as plain browsers")
    assert missed <= plain // 20
