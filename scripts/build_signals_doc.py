"""Writes docs/signals.md from the detector table: every finding with its points, limits, source, and how to switch it off.

    python scripts/build_signals_doc.py            # writes the page
    python scripts/build_signals_doc.py --check    # exit code 1 if the page is not current

Law of the file: numbers come from the table and its settings; only what no number says is written here.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "signals.md"
sys.path.insert(0, str(ROOT / "service"))

from botsieve.config.threshold_models import ACTIONS  # noqa: E402
from botsieve.detectors import TABLE, Detector  # noqa: E402
from botsieve.detectors.settings import DEFAULTS, FAMILY_MAX, THRESHOLDS, Settings, Threshold  # noqa: E402


class Told(NamedTuple):
    """`looks_at`: what is measured.  `spares`: who is not accused.  `shows`: the evidence beside it."""

    looks_at: str
    spares: str
    shows: str


TEXT = {
    "agent.bot_useragent": Told(
        "The User-Agent holds one of `tokens`, in any case, anywhere; the first of the list counts.",
        "Nobody who does not name a tool. On audience `api` nobody.",
        "The token: `bot_useragent:curl`.",
    ),
    "agent.no_useragent": Told(
        "There is no User-Agent, or an empty one.",
        "Requests whose edge cannot show it (some logs). On audience `api` nobody.",
        "Nothing more.",
    ),
    "agent.known_crawler": Told(
        "The User-Agent names a crawler of the public list that cannot be verified.",
        "Crawlers that can be verified ([crawlers.md](crawlers.md)), who already counts as `bot_useragent`, and who posts (webhooks).",
        "The crawler's name: `known_crawler:AhrefsBot`.",
    ),
    "headers.no_accept_language": Told(
        "There is no Accept-Language.",
        "Programs that say so (but on audience `browser`), WebSocket upgrades, preflights, edges that cannot show the header.",
        "Nothing more.",
    ),
    "headers.no_accept_encoding": Told(
        "There is no Accept-Encoding.",
        "As `no_accept_language`.",
        "Nothing more.",
    ),
    "headers.no_referer": Told(
        "A page load inside a visit that comes from nowhere.",
        "The first page of a visit, `entry_pages`, typed addresses (`Sec-Fetch-Site: none`), links from other sites, prefetches; every "
        "client of a site on which more than 30 % of the page loads from within lack a Referer (of at least 50 in an hour).",
        "`since_last_request_s`.",
    ),
    "tls.suspicious_ja3": Told(
        "The TLS hello is one that the catalogue, or your `ja3_list`, knows as a tool's.",
        "Unknown hellos, browsers' hellos, everybody behind a CDN or balancer (that hello is not the client's).",
        "The first 16 digits of the JA3.",
    ),
    "claim.unlike_headers": Told(
        "The headers contradict the browser that is named: one that it always sends from that version on, or never.",
        "Unknown and newer versions; absence of anything that browsers leave out.",
        "The browser, and the rule that was broken: the value found, the one expected.",
    ),
    "claim.contradiction": Told(
        "The browser that is named cannot have sent this hello, ALPN or HTTP version.",
        "Unknown hellos, everybody behind a CDN or balancer. Who has solved a challenge gets `points_when_cleared` only, because people "
        "behind TLS interception look like this.",
        "Claim and evidence: `contradiction:chrome/python`.",
    ),
    "claim.false_crawler": Told(
        "It names a crawler, and DNS says that its address is none of that crawler's: it has no name in the crawler's domain, or one "
        "that does not lead back ([crawlers.md](crawlers.md)). It blocks with every preset, and without a challenge before it.",
        "Claims that nobody has answered yet, or at all; crawlers whose operators name no domain; private addresses.",
        "The crawler's name: `false_crawler:Googlebot`.",
    ),
    "timing.suspicious_timing": Told(
        "The intervals between one client's requests on one route: `cv` = sample standard deviation / mean, and their mean. The first of "
        "`steps` of which both are below the limits counts; of the newest `keep` requests, `at_least` so many.",
        "What all came within 4 s (tabs, a queue that empties) and clocks that are coarser than 0.1 s. One URL that a client with a "
        "session or clearance polls counts `points_without_progress`.",
        "`cv`, `mean_s`.",
    ),
    "traversal.url_pattern": Told(
        "Item after item of one route: `steps_at_least` items whose numbers move by one constant step, up or down, in "
        "`steps_share_percent` of the steps; or `items_at_least` different items in any order, faster than `items_per_s`.",
        "Pages of a list (`?page=`, `?offset=`) that are read at 3 s each or slower; items taken again; items that were all taken within "
        "2 s (tabs that a browser restores).",
        "`steps`, `steps_share_percent`, `step`; or `items`, `items_per_s`.",
    ),
    "traversal.volume": Told(
        "Different items of one route that one client took, at any rhythm and in any order. The first of `steps` that is reached "
        "counts; the largest also for page loads under many User-Agents from fewer than five addresses of one network, without a cookie "
        "though each was given one.",
        "Items taken again.",
        "`items`.",
    ),
    "traversal.spread": Told(
        "Different items of one route, taken together from several addresses of one /24 (IPv6: /48), or with one tool's hello from "
        "anywhere.",
        "Who takes none of these items; in a network also who has a session older than 300 s or a clearance, and who loads the parts of "
        "pages (images, styles) as browsers do. A browser's hello is never a reason.",
        "`items`, `addresses`; the detail says which: `spread:network`, `spread:fingerprint`.",
    ),
    "network.busy_range": Told(
        "One /24 (IPv6: /48) from which `addresses_at_least` addresses sent `requests_at_least` requests together, and `times_mean` "
        "times the mean of the other active networks.",
        "Everybody without a finding about behaviour, TLS or claim beside it; networks half of whose addresses have been people in the "
        "last hour; networks listed in `shared`; sites with fewer than 10 other active networks.",
        "`addresses`, `requests`, `times_mean`.",
    ),
}

HEAD = """# Findings

Generated from the detector table (`python scripts/build_signals_doc.py`); a test keeps it current.

A request gets a **score** of 0 to 100, high = bot: the sum of its findings, each family capped ({caps}).
Nothing is hidden in it: every finding stands in the headers, in the decision log and in `botsieve explain`, with what was measured
beside the limit.

* Of `tls.suspicious_ja3`, `claim.unlike_headers` and `claim.contradiction` the highest counts: three readings of one fact.
* `network.busy_range` counts beside a finding of `timing`, `traversal`, `tls` or `claim` only.
* `network.reputation` has no points: the address stands on one of your lists ([addresses.md](addresses.md)); the detail is its category.
* **Behaviour** (timing, traversal, network) looks at page views and data calls: never at images, media, tiles, fonts, prefetches or
  preflights. A cross-site request that is no followed link counts on the network, not on the client.
* A header counts as missing only where the edge would have shown it. A fingerprint counts only if the client itself opened the connection.

`applies_to`: `any` everybody; `browser` who claims to be a browser, and on audience `browser` everybody; `program` who says that it is a
program, but on audience `api` nobody. Sources: [S1-n] is an item of the first mission document, [own] is ours. Every key is in
[settings.md](settings.md).

| finding | points | applies to | behaviour | needs a clock |
|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    caps = ", ".join(f"{family} {most}" for family, most in FAMILY_MAX.items())
    rows = [
        f"| [`{detector.id}`](#{_anchor(detector.id)}) | {points_of(DEFAULTS[detector.id])} | {DEFAULTS[detector.id].applies_to} "
        f"| {'yes' if detector.behaviour else ''} | {'yes' if detector.timed else ''} |"
        for detector in TABLE
    ]
    sections = "".join(_section(detector) for detector in TABLE)
    return HEAD.format(caps=caps) + "\n".join(rows) + "\n" + sections + THRESHOLDS_HEAD + _threshold_rows()


THRESHOLDS_HEAD = """
## Thresholds

What one subject does over time, whatever its score: 0 points, a violation, and a prevention where `action` is `block`
([preventions.md](preventions.md)). `preset`: as the policy's preset says. Switch off: `detectors: {surfing.rapid: {action: ignore}}`.

| threshold | action | limits | source |
|---|---|---|---|
"""


def _threshold_rows() -> str:
    rows = []
    for name, settings in THRESHOLDS.items():
        source = (type(settings).__doc__ or "").partition("]")[0].strip() + "]"
        rows.append(f"| `{name}` | {ACTIONS[name]} | {'; '.join(_threshold_limits(settings))} | {source} |\n")
    return "".join(rows)


def _threshold_limits(settings: Threshold) -> list[str]:
    """Every setting that is one number, truth or list of words."""
    values = {key: getattr(settings, key) for key in type(settings).__struct_fields__ if key != "action"}
    return [f"`{key}` {_plain(value)}" for key, value in values.items() if _is_plain(value)]


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return value != () and all(isinstance(one, str) for one in value)
    return isinstance(value, (int, float))


def _anchor(name: str) -> str:
    return name.replace(".", "")


def points_of(settings: Settings) -> str:
    """`40`, or those of the steps: `35, 25`."""
    steps = getattr(settings, "steps", None)
    return ", ".join(str(step.points) for step in steps) if steps else str(settings.points)


def _section(detector: Detector) -> str:
    settings = DEFAULTS[detector.id]
    told = TEXT[detector.id]
    # The first word of the settings' docstring is the source: `[S1-15, S1-16]`.
    source = (type(settings).__doc__ or "").partition("]")[0].strip() + "]"
    limits = _limits(settings)
    lines = [
        f"\n## {detector.id}\n",
        f"{points_of(settings)} points, {settings.applies_to}. Source: {source}\n",
        f"* **Looks at:** {told.looks_at}",
        f"* **Spares:** {told.spares}",
        f"* **Shows:** {told.shows}",
    ]
    if limits:
        lines.append(f"* **Limits:** {'; '.join(limits)}.")
    lines.append(f"* **Switch off:** `detectors: {{{detector.id}: {{points: 0}}}}`, for all policies or in one.\n")
    return "\n".join(lines)


def _limits(settings: Settings) -> list[str]:
    shown = []
    for name in type(settings).__struct_fields__:
        value = getattr(settings, name)
        if name in ("points", "applies_to", "subject", "catalogue", "list") or value == ():
            continue
        if name == "steps":
            shown += [
                "`" + ", ".join(f"{key} {_plain(part)}" for key, part in msgspec.to_builtins(step).items()) + "`"
                for step in value
            ]
        else:
            shown.append(f"`{name}` {_plain(value)}")
    return shown


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def main() -> int:
    """Writes or checks the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page is not current")
    if parser.parse_args().check:
        return int(not PAGE.exists() or PAGE.read_text() != page())
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
