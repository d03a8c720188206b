"""Asking the deployments of this user that run on this machine."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from posebus.control.folder import FOLDER_ENV, address_in, control_folder, living_sockets, opened, peer_uid
from posebus.control.messages import (
    MAX_ANSWER_BYTES,
    ControlRequest,
    DeploymentStatus,
    read_answer,
    request_line,
)
from posebus.errors import ConfigError, DeploymentUnavailable, MalformedMessage

ANSWER_S = 10.0
"""A loop turns several times a second, but it may wait some seconds for a broker that does not answer."""


@dataclass(frozen=True, slots=True)
class ControlSocket:
    """The socket `name` of a running deployment in `folder`. All methods raise DeploymentUnavailable."""

    folder: str
    name: str

    def status(self) -> DeploymentStatus:
        """The state of the deployment now."""
        return self._ask(ControlRequest("status"))

    def reload(self) -> DeploymentStatus:
        """Let the deployment read its settings again. Returns its state before that."""
        return self._ask(ControlRequest("reload"))

    def override(self, values: Mapping[str, Any]) -> DeploymentStatus:
        """Put values over those of the file. Returns the state before that; raises ConfigError if they are refused."""
        return self._ask(ControlRequest("override", values))

    def _ask(self, request: ControlRequest) -> DeploymentStatus:
        try:
            answer = read_answer(self._exchange(request_line(request)))
        except TimeoutError:
            raise DeploymentUnavailable(
                f"the deployment at {self.name} has not answered within {ANSWER_S:g} s: try again, or look at its log"
            ) from None
        except OSError as error:
            raise DeploymentUnavailable(
                f"the deployment at {self.name} does not answer ({error.strerror or error}): it may have ended"
            ) from None
        except MalformedMessage as error:
            raise DeploymentUnavailable(f"{error}; run commands of the same version as the deployment") from None
        if isinstance(answer, str):
            raise ConfigError(f"the running deployment refuses: {answer}")
        return answer

    def _exchange(self, line: bytes) -> bytes:
        """Send a line and return the one that comes back."""
        end_s = time.monotonic() + ANSWER_S
        with opened(self.folder) as folder, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.settimeout(ANSWER_S)
            stream.connect(address_in(folder, self.name))
            if peer_uid(stream) != os.geteuid():
                raise PermissionError(1, "it is a process of another user")
            stream.sendall(line)
            received = bytearray()
            while b"\n" not in received:
                left_s = end_s - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError
                stream.settimeout(left_s)
                data = stream.recv(65536)
                if not data or len(received) > MAX_ANSWER_BYTES:
                    break
                received += data
        if not received.endswith(b"\n"):
            raise ConnectionError("it closed the connection")
        return bytes(received)


def running_deployments(environ: Mapping[str, str]) -> list[ControlSocket]:
    """The sockets of all deployments of this user; those of dead processes are removed.

    Raises ConfigError where the folder of the sockets is not private.
    """
    folder = control_folder(environ)
    try:
        with opened(folder) as descriptor:
            return [ControlSocket(folder, name) for name in living_sockets(descriptor)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigError(
            f"running deployments cannot be found in {folder}: {error.strerror}; run this as the deployment's user, "
            f"or name another folder in {FOLDER_ENV}"
        ) from None
