"""botsieve.journal.options"""

from __future__ import annotations

from pathlib import Path

from botsieve.config.loader import load_or_last_good
from botsieve.journal.options import JournalOptions


def test_every_key_of_the_configuration_arrives(tmp_path: Path) -> None:
    """docs/settings.md: journal, privacy, web and state.dir, each read from where it is written."""
    file = tmp_path / "botsieve.yaml"
    file.write_text(
        f"state: {{dir: {tmp_path}}}\nprivacy: {{addresses: prefix}}\nweb: {{listen: '127.0.0.1:9999'}}\n"
        f"journal: {{decisions: {{to: {tmp_path}/log, allow_sample_percent: 5, queue: 2000}}}}\n"
        f"challenge: {{keys_file: {tmp_path}/keys}}\n"
    )
    loaded, _ = load_or_last_good(str(file))
    options = JournalOptions.of(loaded.service)
    assert (options.state_dir, options.to) == (str(tmp_path), f"{tmp_path}/log")
    assert (options.allow_sample_percent, options.queue) == (5.0, 2000)
    assert (options.addresses, options.web_listen) == ("prefix", "127.0.0.1:9999")
