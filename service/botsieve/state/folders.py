"""Folders whose pages are items although no number says so: `/shoes/red-runner`, `/shoes/blue-hiker`, ...

Law of the file: a folder is learned from page loads of the whole site, never from data calls: the calls of an interface
(`/api/menu`, `/api/user`) are different things, the pages of a catalogue are one thing many times.  Bounded; forgets the folder
that was learned from longest ago.
"""

from __future__ import annotations

from botsieve.state.routes import Route

# Different pages in a folder before they are items [own: a site's own sections (about, contact, terms ...) are fewer].
CHILDREN_AT_LEAST = 64
_MAX_LEARNING = 256  # about 2 KiB each
_MAX_LEARNED = 4_096


class Folders:
    """The folders of one site."""

    __slots__ = ("_learned", "_learning")

    def __init__(self) -> None:
        self._learning: dict[bytes, set[int]] = {}
        self._learned: dict[bytes, None] = {}

    def route(self, path: bytes) -> Route | None:
        """The route of a page in a learned folder; None in any other."""
        folder, child = _cut(path)
        if not child or folder not in self._learned:
            return None
        return Route(folder + b"{s}", child, -1, False)

    def learn(self, path: bytes, child_hash: int) -> None:
        """One page load of a path without a number.  `child_hash`: keyed, so that nobody can make two pages look like one."""
        folder, child = _cut(path)
        if not child or folder in self._learned:
            return
        children = self._learning.pop(folder, None) or set()
        children.add(child_hash)
        if len(children) >= CHILDREN_AT_LEAST:
            if len(self._learned) >= _MAX_LEARNED:
                del self._learned[next(iter(self._learned))]
            self._learned[folder] = None
            return
        if len(self._learning) >= _MAX_LEARNING:
            del self._learning[next(iter(self._learning))]
        self._learning[folder] = children


def _cut(path: bytes) -> tuple[bytes, bytes]:
    """Folder (with its last slash) and name of the page; a slash behind the name belongs to the name."""
    at = path.rfind(b"/", 0, len(path) - 1) + 1
    return path[:at][:512], path[at:][:512]
