"""The ``clearway`` command. Groups are listed from a table and imported only when called.

A room adds its group with one line in :data:`GROUPS` and one module ``clearway/cli/<group>.py`` that exports
``app`` (a :class:`typer.Typer`) or a plain function. A line whose module does not exist (yet) is not listed.
A Typer with a single command named like its group, ``main`` or ``run`` is shown as that command itself
(``clearway demo``); anything else is a group (``clearway import roads``).

Exit codes: 0 done, 1 the command's own "no" or an interruption, 2 a :class:`ClearwayError` or wrong usage.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from clearway import __version__
from clearway.kernel.errors import ClearwayError

EXIT_REFUSED: Final = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table: ``module:attribute`` and the words listed beside the name."""

    target: str
    help: str


GROUPS: Final[dict[str, Entry]] = {
    "demo": Entry("clearway.cli.demo:app", "Play a real winter storm through the whole loop."),
    "serve": Entry("clearway.cli.serve:app", "Serve the console, the public page and the feeds."),
    "import": Entry("clearway.cli.import_:app", "Bring in roads, stations and observations."),
    "forecast": Entry("clearway.cli.forecast:app", "Run one cycle and write what the desks see."),
    "replay": Entry("clearway.cli.replay:app", "Play a past period again, at any speed."),
    "exercise": Entry("clearway.cli.exercise:app", "Run an exercise with injected events."),
    "log": Entry("clearway.cli.log:app", "Enter an incident, a reading, a measure or a task by hand."),
    "journal": Entry("clearway.cli.journal:app", "Verify, export, import, back up and restore the journal."),
    "access": Entry("clearway.cli.access:app", "Staff accounts, from the machine itself."),
    "doctrine": Entry("clearway.cli.doctrine:app", "Show and check the rules and the source of each number."),
    "roadweather": Entry("clearway.cli.roadweather:app", "Road-surface model, stations and verification."),
    "cap": Entry("clearway.cli.cap:app", "Check, sign and verify public warnings (CAP 1.2)."),
    "winter": Entry("clearway.cli.winter:app", "Treatment need, plough and salt routes."),
    "report": Entry("clearway.cli.report:app", "Write situation reports."),
}
"""Group name to where it lives. Order is the order of ``clearway --help``."""


def available() -> dict[str, Entry]:
    """Entries of the table whose module exists; nothing is imported to find out."""
    return {name: entry for name, entry in GROUPS.items() if find_spec(entry.target.partition(":")[0])}


def load(name: str) -> TyperGroup | TyperCommand:
    """Import one group and return it as a command.

    Raises:
        TypeError: the target is neither a Typer nor a function.
    """
    module, _, attribute = GROUPS[name].target.partition(":")
    target: Any = getattr(import_module(module), attribute)
    app = target if isinstance(target, typer.Typer) else _wrap(name, target)
    commands = app.registered_commands
    alone = len(commands) == 1 and not app.registered_groups and not app.registered_callback
    if alone and _command_name(commands[0].name, commands[0].callback) in {name, "main", "run"}:
        return _checked(get_command(app), name)
    return _checked(get_group(app), name)


def _wrap(name: str, target: Callable[..., Any]) -> typer.Typer:
    if not callable(target):
        raise TypeError(f"command {name!r}: {GROUPS[name].target} is neither a Typer nor a function")
    app = typer.Typer(add_completion=False)
    app.command(name)(target)
    return app


def _command_name(given: str | None, callback: Callable[..., Any] | None) -> str:
    return given or (callback.__name__ if callback else "")


def _checked(command: Any, name: str) -> TyperGroup | TyperCommand:
    if not isinstance(command, TyperGroup | TyperCommand):
        raise TypeError(f"command {name!r} is a {type(command).__name__}")
    command.name = name
    command.params = [p for p in command.params if p.name not in {"install_completion", "show_completion"}]
    if not command.help:
        command.help = GROUPS[name].help
    return command


class LazyGroup(TyperGroup):
    """Lists stand-ins with a name and a help line, and imports the real command when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in available().items():
            self.commands[name] = TyperCommand(name, help=entry.help)

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command as usual, then put the real one in the place of the stand-in."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in GROUPS and command is not None else command, rest


@dataclass(slots=True)
class _Run:
    debug: bool = False


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clearway {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    debug: bool = typer.Option(
        False, "--debug", envvar="CLEARWAY_DEBUG", help="Show a traceback with every error."
    ),
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and stop."
    ),
) -> None:
    """Clearway: from weather to explained proposals, decided measures, tracked tasks, public words, and back.

    Restrictions never outlive their need.
    """
    if isinstance(context.obj, _Run):
        context.obj.debug = debug


def _tree() -> TyperGroup:
    app = typer.Typer(
        name="clearway",
        cls=LazyGroup,
        no_args_is_help=True,
        rich_markup_mode=None,  # the boxes would cost 0.2 s at every call of --help
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    return get_group(app)


def explain(error: ClearwayError) -> str:
    """The error as the lines a person reads: what and where, then what to do next."""
    where = f"{error.where}: " if error.where else ""
    lines = [f"clearway: {where}{error.what}"]
    if error.hint:
        lines.append(f"  → {error.hint}")
    return "\n".join(lines)


def _speak_utf8() -> None:
    """Chinese and signs must print on every console, also where the code page is not UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            reconfigure(encoding="utf-8", errors="replace")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``clearway`` program; always ends in :class:`SystemExit`.

    Args:
        arguments: words after the program's name; the process's own when left out.
    """
    _speak_utf8()
    run = _Run(debug=bool(os.environ.get("CLEARWAY_DEBUG")))
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _tree().main(args=words, prog_name="clearway", obj=run)
    except ClearwayError as error:
        if run.debug:
            traceback.print_exception(error)
        print(explain(error), file=sys.stderr)
        sys.exit(EXIT_REFUSED)
