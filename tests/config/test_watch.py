"""botsieve.config.watch"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from botsieve.config import Loaded, load
from botsieve.config.loader import LAST_GOOD
from botsieve.config.watch import Reload, Reloader

from tests.held import Held


class Heard:
    """What a reloader said, in order."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[Reload | list[str]] = asyncio.Queue()

    async def applied(self) -> Loaded:
        """The next thing said is a new configuration."""
        said = await asyncio.wait_for(self.said.get(), 90)
        assert isinstance(said, Reload), said
        return said.loaded

    async def refused(self) -> list[str]:
        """The next thing said are mistakes."""
        said = await asyncio.wait_for(self.said.get(), 90)
        assert isinstance(said, list), said
        return said


def write(file: Path, text: str) -> None:
    """A configuration whose state lies beside it, put in place in one step."""
    fresh = file.with_suffix(".new")
    fresh.write_text(f"state: {{dir: {file.parent}}}\n{text}")
    fresh.replace(file)


@asynccontextmanager
async def watching(file: Path) -> AsyncIterator[tuple[Reloader, Heard]]:
    """A running reloader that looks every 20 ms."""
    heard = Heard()
    reloader = Reloader(load(file), str(file), heard.said.put_nowait, heard.said.put_nowait, poll_s=0.02)
    task = asyncio.create_task(reloader.run())
    try:
        yield reloader, heard
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_saving_the_file_applies_it_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    """Good, bad, good again: applied, refused with its lines, applied; the last good text is kept."""

    async def scenario() -> None:
        file = tmp_path / "b.yaml"
        write(file, "bot_at: 61\n")
        async with watching(file) as (reloader, heard):
            write(file, "bot_at: 62\n")
            assert (await heard.applied()).rulebook.bot_at == 62
            assert (tmp_path / LAST_GOOD).read_text() == file.read_text()
            write(file, "bot_at: 620\n")
            assert (await heard.refused())[0].startswith(f"{file}:2: bot_at: 620 is too large")
            assert reloader.running.rulebook.bot_at == 62
            assert "62\n" in (tmp_path / LAST_GOOD).read_text()
            file.unlink()
            assert "there is no such file" in (await heard.refused())[0]
            write(file, "bot_at: 63\n")
            assert (await heard.applied()).rulebook.bot_at == 63

    asyncio.run(scenario())


def test_hup_reloads_an_unchanged_file(tmp_path: Path) -> None:
    """Somebody who asks gets an answer, though nothing changed."""

    async def scenario() -> None:
        file = tmp_path / "b.yaml"
        write(file, "")
        async with watching(file) as (reloader, heard):
            before = reloader.running.config
            reloader.request()
            assert (await heard.applied()).config == before

    asyncio.run(scenario())


def test_a_swapped_link_and_a_changed_secret_are_changes(tmp_path: Path) -> None:
    """As orchestrators mount settings: a link to a folder is swapped; and a file that `${file:...}` names is watched."""

    async def scenario() -> None:
        for n in (1, 2):
            (tmp_path / f"v{n}").mkdir()
            secret = tmp_path / "secret"
            secret.write_text("correct-horse-battery")
            text = f"state: {{dir: {tmp_path}}}\nbot_at: 6{n}\nallow: {{headers: {{x-key: ['${{file:{secret}}}']}}}}\n"
            (tmp_path / f"v{n}" / "b.yaml").write_text(text)
        current = tmp_path / "current"
        current.symlink_to("v1")
        async with watching(current / "b.yaml") as (_, heard):
            (tmp_path / "next").symlink_to("v2")
            (tmp_path / "next").replace(current)
            assert (await heard.applied()).rulebook.bot_at == 62
            secret.write_text("staple-battery-horse-correct")
            assert (await heard.applied()).rulebook.allow.headers == ((b"x-key", (b"staple-battery-horse-correct",)),)

    asyncio.run(scenario())


def test_a_change_before_the_watch_began_is_seen(tmp_path: Path) -> None:
    """Between the load at start and the first look nothing is lost."""

    async def scenario() -> None:
        file = tmp_path / "b.yaml"
        write(file, "bot_at: 61\n")
        heard = Heard()
        reloader = Reloader(load(file), str(file), heard.said.put_nowait, heard.said.put_nowait, poll_s=0.02)
        write(file, "bot_at: 62\n")
        task = asyncio.create_task(reloader.run())
        assert (await heard.applied()).rulebook.bot_at == 62
        task.cancel()

    asyncio.run(scenario())


def test_a_default_file_that_vanishes_does_not_bring_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started without a name, the file is found later, applied, and missed when it goes."""

    async def scenario() -> None:
        default = tmp_path / "b.yaml"
        monkeypatch.setattr("botsieve.config.loader.DEFAULT_FILE", str(default))
        monkeypatch.setattr("botsieve.config.watch.DEFAULT_FILE", str(default))
        heard = Heard()
        reloader = Reloader(load(), None, heard.said.put_nowait, heard.said.put_nowait, poll_s=0.02)
        # The state folder of the packaged defaults is no place for a test to write in.
        monkeypatch.setattr("botsieve.config.watch.keep_last_good", lambda loaded: None)
        task = asyncio.create_task(reloader.run())
        write(default, "bot_at: 62\n")
        assert (await heard.applied()).rulebook.bot_at == 62
        default.unlink()
        assert "there is no such file" in (await heard.refused())[0]
        assert reloader.running.rulebook.bot_at == 62
        task.cancel()

    asyncio.run(scenario())


def test_what_needs_a_restart_is_named_and_the_rest_applied(tmp_path: Path) -> None:
    """A new listener waits; a new threshold does not."""

    async def scenario() -> None:
        file = tmp_path / "b.yaml"
        write(file, "")
        async with watching(file) as (reloader, heard):
            write(file, "bot_at: 62\nedges: {grpc: {listen: '127.0.0.1:1', trusted: [127.0.0.1]}}\n")
            said = await asyncio.wait_for(heard.said.get(), 90)
            assert isinstance(said, Reload)
            assert said.restart == ("edges.grpc.listen",)
            assert said.loaded.rulebook.bot_at == 62
            assert reloader.running.service.edge("grpc").listen is None

    asyncio.run(scenario())


def test_a_last_good_text_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """The configuration applies all the same."""

    async def scenario() -> None:
        file = tmp_path / "b.yaml"
        file.write_text(f"state: {{dir: {tmp_path}/none}}\n")
        async with watching(file) as (reloader, heard):
            reloader.request()
            said = await asyncio.wait_for(heard.said.get(), 90)
            assert isinstance(said, Reload)
            assert "could not be kept" in said.notes[0]

    asyncio.run(scenario())


@pytest.mark.realtime
def test_a_reload_of_the_largest_file_does_not_hold_the_loop(tmp_path: Path) -> None:
    """10,000 networks, 100 policies, 1,000 patterns: the loop's own work between two ticks is some ms at most.

    Measured in processor time of the loop's thread: what other processes take from it is not its doing.
    """
    file = tmp_path / "b.yaml"
    write(file, "")

    async def scenario() -> None:
        async with watching(file) as (_, heard):
            write(file, large())
            async with Held() as held:
                loaded = await heard.applied()
        assert len(loaded.rulebook.policies) == 101
        assert held.longest_s < 0.1

    asyncio.run(scenario())


def large() -> str:
    """A valid text near the largest size."""
    lines = ["allow:", "  networks:"]
    lines += [f"    - 10.{n >> 7}.{n % 128 * 2}.0/24" for n in range(10_000)]
    lines.append("policies:")
    for n in range(100):
        lines += [f"  - name: p{n}", f"    paths: [/{n}/, /x/{n}/*/y]", "    rules:"]
        lines += [
            f"      - {{name: r{r}, when: {{header: {{x-a: '^(a|b|c){{1,9}}{r}$'}}}}, then: {{points: 1}}}}" for r in range(10)
        ]
    return "\n".join(lines) + "\n"
