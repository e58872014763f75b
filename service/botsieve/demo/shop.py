"""The small shop that the demo protects: pages for people, and a catalogue that somebody would like to have whole.

Law of the file: it knows nothing of Botsieve.  What it answers is a function of method and path (`answer`); the server around
it reads request heads of at most 16 KiB and keeps connections open.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable
from urllib.parse import parse_qs

ITEMS = 2000
PER_PAGE = 20
PAGES = ITEMS // PER_PAGE
MAX_HEAD = 16 * 1024
IDLE_S = 75.0

_THINGS = ("lamp", "chair", "kettle", "clock", "basket", "mirror", "radio", "blanket", "teapot", "shelf")
_KINDS = ("oak", "copper", "linen", "glass", "tin", "walnut", "cork", "wool", "stone", "paper")

_STYLE = b"""body{font:16px/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
nav a{margin-right:1rem}ul{list-style:none;padding:0}li{padding:.3rem 0}img{width:96px;height:96px}"""

_SCRIPT = b"""// The price comes from the catalogue, as in any shop that is a page plus an API.
const spot = document.getElementById("price");
if (spot) fetch("/api/items/" + spot.dataset.item)
    .then(answer => answer.ok ? answer.json() : Promise.reject(answer.status))
    .then(item => { spot.textContent = item.price + " EUR, " + item.stock + " in stock"; })
    .catch(status => { spot.textContent = "no price just now (" + status + ")"; });
"""


class Answer:
    """Status, content type and body of one response."""

    __slots__ = ("body", "cache", "content_type", "status")

    def __init__(
        self, body: bytes, content_type: str = "text/html; charset=utf-8", status: int = 200, *, cache: bool = False
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.status = status
        self.cache = cache


def item(number: int) -> dict[str, object]:
    """One thing that is sold; `number` is 1..ITEMS.  The same number is always the same thing."""
    return {
        "id": number,
        "name": f"{_KINDS[number // 10 % 10]} {_THINGS[number % 10]} no. {number}",
        "price": f"{5 + number * 37 % 400}.{number * 13 % 100:02d}",
        "stock": number * 7 % 40,
    }


def answer(method: str, target: str) -> Answer:
    """What the shop says to one request.  `target`: path and query as sent."""
    if method not in ("GET", "HEAD"):
        return Answer(b"only GET and HEAD here\n", "text/plain", 405)
    path, _, query = target.partition("?")
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed(query)
    for prefix, page in _BY_NUMBER.items():
        if path.startswith(prefix):
            number = _number(path[len(prefix) :].removesuffix(".svg"), ITEMS)
            return page(number) if number else _missing()
    return _missing()


def _number(text: str, highest: int) -> int:
    """1..highest, or 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= highest else 0


def _page_of(query: str) -> int:
    return _number(parse_qs(query).get("page", ["1"])[0], PAGES)


def _on_page(page: int) -> range:
    return range((page - 1) * PER_PAGE + 1, page * PER_PAGE + 1)


def _html(title: str, body: str) -> Answer:
    text = (
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{html.escape(title)}</title><link rel=stylesheet href=/style.css></head>"
        "<body><nav><a href=/>The small shop</a><a href='/items?page=1'>All things</a></nav>"
        f"<h1>{html.escape(title)}</h1>{body}<script src=/shop.js></script>"
    )
    return Answer(text.encode())


def _home(_query: str) -> Answer:
    picks = "".join(f"<li><a href=/items/{n}>{item(n)['name']}</a>" for n in (17, 230, 1042))
    return _html("The small shop", f"<p>{ITEMS} things, each with a price that somebody would like to copy.<ul>{picks}</ul>")


def _list_page(query: str) -> Answer:
    page = _page_of(query)
    if not page:
        return _missing()
    rows = "".join(f"<li><a href=/items/{n}>{item(n)['name']}</a>" for n in _on_page(page))
    more = f"<a rel=next href='/items?page={page + 1}'>More</a>" if page < PAGES else ""
    return _html(f"All things, page {page}", f"<ul>{rows}</ul>{more}")


def _item_page(number: int) -> Answer:
    name = str(item(number)["name"])
    return _html(name, f"<img src=/img/{number}.svg alt=''><p id=price data-item={number}>...</p>")


def _image(number: int) -> Answer:
    hue = number * 47 % 360
    disc = f"<circle cx='4.5' cy='4.5' r='4' fill='hsl({hue} 50% 60%)'/>"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>{disc}</svg>"
    return Answer(svg.encode(), "image/svg+xml", cache=True)


def _api_item(number: int) -> Answer:
    return _json(item(number))


def _api_list(query: str) -> Answer:
    page = _page_of(query)
    return _json({"page": page, "pages": PAGES, "items": [item(n) for n in _on_page(page)]}) if page else _missing()


def _json(value: object) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json")


def _missing() -> Answer:
    return Answer(b"<!doctype html><title>Not here</title><p>There is no such thing here.", status=404)


_FIXED: dict[str, Callable[[str], Answer]] = {
    "/": _home,
    "/items": _list_page,
    "/api/items": _api_list,
    "/style.css": lambda _query: Answer(_STYLE, "text/css", cache=True),
    "/shop.js": lambda _query: Answer(_SCRIPT, "text/javascript", cache=True),
    "/robots.txt": lambda _query: Answer(b"User-agent: *\nDisallow: /api/\n", "text/plain"),
    "/favicon.ico": lambda _query: Answer(b"", "image/x-icon", cache=True),
}
_BY_NUMBER: dict[str, Callable[[int], Answer]] = {"/items/": _item_page, "/api/items/": _api_item, "/img/": _image}
_PHRASES = {200: "OK", 404: "Not Found", 405: "Method Not Allowed"}


def render(reply: Answer, *, head_only: bool = False) -> bytes:
    """The response as bytes of HTTP/1.1."""
    cache = "max-age=3600" if reply.cache else "no-store"
    head = (
        f"HTTP/1.1 {reply.status} {_PHRASES[reply.status]}\r\nContent-Type: {reply.content_type}\r\n"
        f"Content-Length: {len(reply.body)}\r\nCache-Control: {cache}\r\n\r\n"
    )
    return head.encode() + (b"" if head_only else reply.body)


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection.  A head that is no HTTP, too long or too slow ends it."""
    try:
        while True:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_S)
            words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            if len(words) != 3:
                return
            writer.write(render(answer(words[0], words[1]), head_only=words[0] == "HEAD"))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
        return
    finally:
        writer.close()


async def open_shop(port: int) -> asyncio.Server:
    """Listens on 127.0.0.1:port.  Errors: OSError when the port is in use."""
    return await asyncio.start_server(_talk, "127.0.0.1", port, limit=MAX_HEAD)


async def _serve(port: int) -> None:
    async with await open_shop(port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    import contextlib
    import sys

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
