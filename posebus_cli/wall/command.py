"""`posebus wall`: the live wall of a deployment, in a browser."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import Sets, grouped
from posebus_cli.options.groups import ConfigFirst, LogOptions, NoReloadOption
from posebus_cli.wall.serving import serve_wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from posebus.config.settings import Settings
    from posebus.reloading.followed import FollowedSettings

SHORTEST_PASSWORD = 12
"""Characters. Logins are throttled, so it need not be longer."""


@dataclass(frozen=True, slots=True)
class WallOptions:
    """Where the live wall is served."""

    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address of this machine to listen at; 0.0.0.0 lets other machines connect. (default: 127.0.0.1)",
        ),
        Sets("wall.host"),
    ] = None
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", min=1, max=65535, help="Port of the wall. (default: 8088)"),
        Sets("wall.port"),
    ] = None


_OpenOption = Annotated[bool, typer.Option("--open", help="Open the wall in the browser of this machine.")]
_PasswordOption = Annotated[
    bool,
    typer.Option("--make-password", help="Ask for a password, print its hash for wall.people, and exit."),
]
_TokenOption = Annotated[
    bool, typer.Option("--make-token", help="Print a new token and its hash for wall.tokens, and exit.")
]


@grouped
def wall(
    deployment: ConfigFirst,
    place: WallOptions,
    logs: LogOptions,
    open_browser: _OpenOption = False,
    make_password: _PasswordOption = False,
    make_token: _TokenOption = False,
    no_reload: NoReloadOption = False,
) -> None:
    """Serve the live wall until Ctrl-C: all cameras with skeletons in a browser.

    By default it is for this machine alone, and needs no login. Other machines may open it once the
    configuration names people or tokens, with the hashes that --make-password and --make-token print; it is encrypted
    then, by a certificate that it makes itself unless the configuration names one.
    """
    if make_password:
        _print_password_hash()
        return
    if make_token:
        _print_token()
        return
    from posebus.runtime.stage_main import run_stage_process
    from posebus_cli.options.settings import followed_at_broker

    followed = followed_at_broker(deployment, place, logs)

    def run(settings: Settings, followed: FollowedSettings | None) -> None:
        serve_wall(settings, followed, deployment.config, _served(open_browser=open_browser))

    run_stage_process("posebus wall", followed, run, follow=not no_reload)


def _served(*, open_browser: bool) -> Callable[[list[str], str], None]:
    """Return what shows the lines of a wall that serves at an address, and opens it the first time."""
    opened = False

    def served(lines: list[str], address: str) -> None:
        nonlocal opened
        for line in lines:
            print(line, flush=True)
        if open_browser and not opened:
            opened = True
            import webbrowser

            if not webbrowser.open(address):
                print("no browser can be opened here; open the address yourself", file=sys.stderr)

    return served


def _print_password_hash() -> None:
    """Ask for a password twice on a terminal, else read one line; print its hash. Raises ConfigError."""
    from posebus.errors import ConfigError
    from wall.access.hashes import hash_of_password

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"the password is too short: it needs at least {SHORTEST_PASSWORD} characters")
    print(hash_of_password(password))
    print("Write it into the configuration, as wall: {people: {NAME: {password: HASH, role: viewer}}}", file=sys.stderr)


def _print_token() -> None:
    from wall.access.hashes import hash_of_token, new_token

    token = new_token()
    print(f"token: {token}")
    print(f"hash: {hash_of_token(token)}")
    print(
        "Write the hash into the configuration, as wall: {tokens: {NAME: {token: HASH, role: viewer}}}; the token is "
        "shown this once. Programs send it as the header 'Authorization: Bearer TOKEN'.",
        file=sys.stderr,
    )
