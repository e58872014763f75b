"""Talking to a running service on its control socket: what `explain`, `pause` and `resume` do.

Law of the file: no service there is an answer (None), not an error; anything else that goes wrong is a MachineError.
"""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from botsieve.errors import MachineError

SOCKET_NAME = "control.sock"
_TIMEOUT_S = 5.0
_MAX_BODY = 1 << 20


class NoAnswerError(MachineError):
    """A service is there and says nothing: it is stopped, or the machine is out of breath."""


def ask(state_dir: str | Path, method: str, path: str) -> tuple[int, dict[str, Any]] | None:
    """One request to the service of a state directory: status and JSON object, or None when no service runs there.

    Errors: MachineError when the socket may not be used, or what answers is no Botsieve; NoAnswerError, which is one.
    """
    where = Path(state_dir) / SOCKET_NAME
    connection = _UnixConnection(str(where))
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = json.loads(response.read(_MAX_BODY))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise MachineError(f"{where}: {error.strerror}; accepted: root, or the user that the service runs as") from error
    except TimeoutError as error:
        raise NoAnswerError(
            f"{where}: no answer within {_TIMEOUT_S:g} s; accepted: a running botsieve of this version"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise MachineError(
            f"{where}: no answer ({type(error).__name__}); accepted: a running botsieve of this version"
        ) from error
    finally:
        connection.close()
    if not isinstance(body, dict):
        raise MachineError(f"{where}: the answer is no JSON object; accepted: a running botsieve of this version")
    return response.status, body


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)
