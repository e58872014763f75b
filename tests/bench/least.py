"""The least that a process can do for a request: receive it and send a constant, nothing looked at, over an epoll of its own.

What refusing costs at least, whoever does it: `python -m tests.bench.overload` says with it what is out of reach.
"""

from __future__ import annotations

import os
import select
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Botsieve-Verdict: unjudged\r\n\r\n"


def main(path: str) -> None:
    """Answers on a Unix socket until it is stopped."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1_024)
    door = listener.fileno()
    held = {}
    poll = select.epoll()
    poll.register(door, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == door:
                sock, _ = listener.accept()
                held[sock.fileno()] = sock
                poll.register(sock.fileno(), select.EPOLLIN)
            elif os.read(fd, 8_192):
                os.write(fd, ANSWER)
            else:
                poll.unregister(fd)
                held.pop(fd).close()


if __name__ == "__main__":
    main(sys.argv[1])
