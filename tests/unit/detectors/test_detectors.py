"""detectors/__init__.py: which detectors run for whom, and which answers may be remembered."""

from __future__ import annotations

from typing import Any

import pytest
from botsieve.agents import AgentBook
from botsieve.detectors import TABLE, Plan, is_short, plan, request_key
from botsieve.detectors.settings import ANY, BROWSER, DEFAULTS, PROGRAM
from botsieve.policy import Policy
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence import view_of
from tests.unit.rig import CALL, CHROME, PAGE, TOOL, hello, points, request


def ids(whole: Plan) -> set[str]:
    return {watch.detector.id for watch in (*whole.of_request, *whole.of_state)}


def planned(audience: str = "mixed", **changes: Any) -> set[str]:
    told: dict[str, Any] = {"claims_browser": False, "behaviour": True, "time_judged": True, **changes}
    return ids(plan(told.pop("settings", DEFAULTS), audience, **told))


@pytest.mark.parametrize("claims_browser", [True, False])
@pytest.mark.parametrize("audience", ["browser", "mixed", "api"])
def test_whom_a_finding_concerns(audience: str, claims_browser: bool) -> None:
    """`any` everybody; `browser` those who claim it, and everybody where browsers are expected; `program` not on an API."""
    expected = {
        name
        for name, settings in DEFAULTS.items()
        if settings.applies_to == ANY
        or (settings.applies_to == BROWSER and (claims_browser or audience == "browser"))
        or (settings.applies_to == PROGRAM and audience != "api")
    }
    assert planned(audience, claims_browser=claims_browser) == expected


def test_what_is_switched_off_does_not_run() -> None:
    """points: 0, also where the points stand in steps."""
    for detector in TABLE:
        if DEFAULTS[detector.id].applies_to == ANY:
            assert planned() - planned(settings=points(detector.id, 0)) == {detector.id}


def test_behaviour_and_clock() -> None:
    """What looks at behaviour runs for page views and data calls; what needs a clock, where it can be trusted."""
    assert planned() - planned(behaviour=False) == {detector.id for detector in TABLE if detector.behaviour}
    assert planned() - planned(time_judged=False) == {detector.id for detector in TABLE if detector.timed}
    assert {detector.id for detector in TABLE if detector.timed} == {
        "timing.suspicious_timing",
        "traversal.volume",
        "traversal.spread",
        "network.busy_range",
    }


# Values that make the detectors of the request answer differently.
VALUES: dict[bytes, list[bytes]] = {
    b"user-agent": [CHROME, b"", b"  ", b"curl/8", b"AhrefsBot", CHROME[:-1]],
    b"accept": [PAGE[b"accept"], b"*/*", b""],
    b"sec-ch-ua": [PAGE[b"sec-ch-ua"], b'"Chromium";v="90"', b""],
    b"sec-ch-ua-mobile": [b"?0", b"?1", b""],
    b"sec-ch-ua-platform": [b'"Linux"', b'"Windows"', b""],
    b"sec-fetch-mode": [b"navigate", b"cors", b""],
    b"sec-fetch-dest": [b"document", b"empty", b""],
    b"accept-encoding": [b"gzip, deflate, br, zstd", b"gzip", b""],
    b"accept-language": [b"en", b""],
    b"te": [b"trailers", b""],
}
asked = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
hellos = st.sampled_from(
    [{}, hello("chromium-156"), hello("curl-7.88"), hello("python-requests-2.34"), {"ja3": b"f" * 32, "ja4": b"x"}]
)


methods = st.sampled_from([{"method": b"GET"}, {"method": b"POST"}, {"method": b"HEAD"}])
hellos_and_methods = st.builds(lambda hello, method: hello | method, hellos, methods)


@given(asked, asked, hellos_and_methods, hellos_and_methods, st.booleans())
def test_equal_keys_mean_equal_answers(
    one: dict[bytes, bytes], two: dict[bytes, bytes], hello_one: dict[str, bytes], hello_two: dict[str, bytes], cleared: bool
) -> None:
    """What is remembered for one request is what the other would have got: no client can plant an answer for another."""
    settings = points("tls.suspicious_ja3", 30, ja3_list=("f" * 32,))
    whole = plan(settings, "browser", claims_browser=True, behaviour=True, time_judged=True)
    answers = []
    for headers, print_ in ((one, hello_one), (two, hello_two)):
        o = request(headers=headers, **print_)
        view = view_of(o, cleared=cleared, policy=Policy(detectors=settings, audience="browser"))
        tool = view.catalogue.tool_of(o.ja3, o.ja4, o.tls_sig) if o.ja4 else ""
        found = [watch.find(o, view, watch.settings) for watch in whole.of_request]
        answers.append((request_key(o, whole, tool=tool, cleared=cleared), found))
    if answers[0][0] == answers[1][0]:
        assert answers[0][1] == answers[1][1]


def test_an_operators_list_of_ja3_tells_hellos_apart() -> None:
    """Two clients that differ in the JA3 only: the listed one is accused, whoever came first."""
    settings = points("tls.suspicious_ja3", 30, ja3_list=("f" * 32,))
    whole = plan(settings, "browser", claims_browser=False, behaviour=True, time_judged=True)
    keys = {request_key(request(ja4=b"x", ja3=ja3 * 32), whole, tool="", cleared=False) for ja3 in (b"f", b"F", b"e", b"d")}
    assert len(keys) == 3  # e and d are the same stranger


def test_what_a_client_makes_large_is_not_remembered() -> None:
    """A header of 3 KB is no short key: a flood of them cannot fill the memory."""
    whole = plan(DEFAULTS, "mixed", claims_browser=True, behaviour=True, time_judged=True)
    for name in (b"user-agent", b"accept", b"sec-ch-ua"):
        assert not is_short(request_key(request(plus={name: b"x" * 3000}), whole, tool="", cleared=False))
    assert is_short(request_key(request(headers=CALL), whole, tool="", cleared=False))
    assert is_short(request_key(request(headers=TOOL), whole, tool="", cleared=False))
    assert AgentBook().read(b"x" * 3000).family == ""
