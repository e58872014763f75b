"""botsieve.config.fixed"""

from __future__ import annotations

from botsieve.config import loads
from botsieve.config.fixed import keep_fixed


def test_what_needs_a_restart_is_kept_and_named() -> None:
    """Listeners, state, log file and key file stay; deadlines, challenges and trust change."""
    running = loads(b"# defaults\n").service
    wanted = loads(
        b"edges: {nginx: {listen: 'unix:/srv/x.sock', deadline_ms: 30, trusted: [10.0.0.0/8]}, grpc: {reflection: true}}\n"
        b"state: {dir: /srv, max_mib: 64}\njournal: {decisions: {to: null, allow_sample_percent: 50}}\n"
        b"web: {listen: null}\nchallenge: {valid_s: 60, keys_file: /srv/keys}\nprivacy: {addresses: prefix}\n"
    ).service
    made, keys = keep_fixed(running, wanted)
    assert sorted(keys) == [
        "challenge.keys_file",
        "edges.grpc.reflection",
        "edges.nginx.listen",
        "journal.decisions.to",
        "state.dir",
        "state.max_mib",
        "web.listen",
    ]
    assert made.edge("nginx").listen == running.edge("nginx").listen
    assert made.edge("nginx").deadline_ms == 30
    assert len(made.edge("nginx").trusted) == 1
    assert made.state == running.state
    assert made.web == running.web
    assert made.journal.to == "stdout"
    assert made.journal.allow_sample_percent == 50
    assert made.journal.addresses == "prefix"
    assert made.challenge.valid_s == 60


def test_an_equal_configuration_needs_no_restart() -> None:
    """Nothing is named when nothing differs."""
    running = loads(b"# defaults\n").service
    assert keep_fixed(running, running)[1] == ()
