"""A person at a desk: a screen (Xvfb), a browser that nobody drives, and xdotool as the hand.

Law of the file: the browser of a desk is started with an address and nothing else; xdotool moves the machine's own pointer and keys,
with the lengths and pauses of a hand.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.browser.conftest import CHROMIUM, PLAIN
from tests.conftest import stop
from tests.servers import wait_until

SIZE = (1200, 900)
IN_A_WINDOW = [*PLAIN, "--password-store=basic", f"--window-size={SIZE[0]},{SIZE[1]}", "--window-position=0,0"]

# One browser in some twenty comes up without a window on a screen that is just there; nothing of ours has been asked by then.
STARTS, START_S = 3, 30.0


class Screen:
    """A screen with a hand; use it as a context manager.  `environment`: of a program that is to be seen on it."""

    def __init__(self) -> None:
        self._at = (900.0, 700.0)
        reader, writer = os.pipe()
        self._screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"],
            pass_fds=[writer],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as told:
            self.environment = {**os.environ, "DISPLAY": f":{told.readline().strip()}"}

    def wait_for_window(self) -> None:
        """Returns when the window of a browser with a page of the site is there."""
        wait_until(self._is_shown, what="the browser's window")

    def _xdotool(self, *arguments: object) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, arguments)], env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout.strip()

    def _is_shown(self) -> bool:
        return "app" in self._xdotool("search", "--onlyvisible", "--name", "app", "getwindowname")

    # ---- the hand

    def move(self, x: float, y: float, steps: int = 30) -> None:
        """Along a bent path, slow at both ends."""
        (x0, y0), bend = self._at, random.uniform(-60, 60)
        for step in range(1, steps + 1):
            t = (1 - math.cos(math.pi * step / steps)) / 2
            side = bend * math.sin(math.pi * t)
            self._xdotool("mousemove", round(x0 + (x - x0) * t + side), round(y0 + (y - y0) * t - side))
            time.sleep(random.uniform(0.004, 0.014))
        self._at = (x, y)

    def press(self, button: int = 1) -> None:
        """One press of a mouse button, as long as a finger's."""
        time.sleep(random.uniform(0.08, 0.2))
        self._xdotool("mousedown", button)
        time.sleep(random.uniform(0.06, 0.12))
        self._xdotool("mouseup", button)

    def turn(self, notches: int) -> None:
        """The wheel, downwards."""
        for _ in range(notches):
            self._xdotool("click", 5)
            time.sleep(random.uniform(0.06, 0.16))

    def key(self, name: str) -> None:
        """One key."""
        self._xdotool("keydown", name)
        time.sleep(random.uniform(0.05, 0.11))
        self._xdotool("keyup", name)
        time.sleep(random.uniform(0.07, 0.25))

    def go_to(self, url: str) -> None:
        """Types an address into the browser's own bar: none of it is a page's."""
        self._xdotool("key", "ctrl+l")
        self._xdotool("type", "--delay", 5, url)
        self._xdotool("key", "Return")

    def leave(self) -> None:
        stop(self._screen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.leave()


class Desk(Screen):
    """A screen with a browser that nobody drives.  `url`: the page that it opens."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__()
        self._said = folder / "browser.err"
        for attempt in range(STARTS):
            self._start(folder / f"profile-{attempt}", url)
            try:
                wait_until(lambda: self._is_shown() or self._has_ended(), what="the browser's window", at_most_s=START_S)
                assert not self._has_ended(), "the browser ended"
                return
            except AssertionError as error:
                shown = self._xdotool("search", "--onlyvisible", "--name", "", "getwindowname", "%@")
                said = f"{error}; windows: {shown!r}: {self._said.read_text(errors='replace')[-2000:]}"
                stop(self._browser)
        super().leave()
        raise AssertionError(said)

    def _start(self, profile: Path, url: str) -> None:
        with self._said.open("w") as said:
            self._browser = subprocess.Popen(
                [CHROMIUM, *IN_A_WINDOW, f"--user-data-dir={profile}", url],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    def _has_ended(self) -> bool:
        return self._browser.poll() is not None

    def leave(self) -> None:
        stop(self._browser)
        super().leave()
