"""A tool's TLS fingerprint where browsers are expected (docs/mission.md S1-22: "atypical TLS fingerprint").

Law of the file: only a hello that the catalogue, or the operator's own list, knows as a tool's counts.  Unknown and absent are
neutral, and so is every fingerprint that is not the client's own (a CDN or balancer opened the connection).
"""

from __future__ import annotations

from botsieve.agents import Agent
from botsieve.decision import Signal
from botsieve.detectors.agent import printable
from botsieve.detectors.settings import SuspiciousJa3
from botsieve.detectors.view import View
from botsieve.observation import Observation

SHOWN = 16  # digits of the JA3 that the reason shows (S1-22)

# Browsers that really have a tool's TLS library below them: (family of the agent, family of the tool).
# WebKitGTK (Epiphany) stands on GnuTLS; Android apps answer a web view's requests with the app's own HTTP library.
_SHARED = frozenset(
    [
        ("safari", "gnutls"),
        ("safari", "wget"),
        ("webview", "okhttp"),
        ("webview", "java"),
        ("android", "okhttp"),
        ("android", "java"),
    ]
)


def tool_behind(o: Observation, view: View) -> str:
    """The family of the tool that sent the hello; "" if unknown, a browser's, not the client's own, or fitting to the agent."""
    if not o.ja4 or o.peer != o.client:
        return ""
    tool = view.catalogue.tool_of(o.ja3, o.ja4, o.tls_sig)
    return "" if tool and is_shared(view.agent, tool) else tool


def is_shared(agent: Agent, tool: str) -> bool:
    """The browser named may send this tool's hello: it has the same library."""
    return (agent.family, tool) in _SHARED and (agent.family != "safari" or not agent.engine)


def suspicious_ja3(o: Observation, view: View, settings: SuspiciousJa3) -> Signal | None:
    """[S1-22]  The hello is a tool's."""
    if tool_behind(o, view) or (settings.ja3_list and o.has_fingerprint and o.ja3 and _listed(o.ja3, settings.ja3_list)):
        return Signal("tls.suspicious_ja3", settings.points, printable((o.ja3 or o.ja4)[:SHOWN].decode("latin-1")))
    return None


def _listed(ja3: bytes, ja3_list: tuple[str, ...]) -> bool:
    digest = ja3.decode("ascii", "replace").lower()
    return any(digest == entry.lower() for entry in ja3_list)
