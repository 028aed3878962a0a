"""Do all checks, and tell what they found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.text import Text

from runner import settings as all_settings
from runner.cli import output
from runner.cli.doctor import files, machine, network, programs
from runner.cli.doctor.finding import bad, good
from runner.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.cli.doctor.finding import Finding
    from runner.cli.session import Session
    from runner.settings import Settings


def run(session: Session, *, as_json: bool) -> bool:
    """Check everything, write one line each, and return whether all is well."""
    screen = output.console()
    found: list[Finding] = []
    for each in findings(session):
        found.append(each)
        if not as_json:
            line = Text("ok       " if each.ok else "PROBLEM  ", "green" if each.ok else "bold red")
            line.append(f"{each.name:<15} {output.clean(each.text)}", "default")
            screen.print(line, soft_wrap=True)
    well = all(each.ok for each in found)
    if as_json:
        output.own_json({"ok": well, "checks": [{"name": e.name, "ok": e.ok, "text": e.text} for e in found]})
    return well


def findings(session: Session) -> Iterator[Finding]:
    """Do the checks, one after the other. Without settings only those that need none."""
    around = session.around
    try:
        settings = all_settings.load(around.environment)
    except SettingsError as error:
        yield bad("settings", str(error))
        yield programs.ansible(around.environment)
        yield machine.sqlite()
        return
    yield good("settings", f"site {settings.site}, node {settings.node_id}")
    yield from _about_files(session, settings)
    yield machine.state_dir(settings.state_dir, os.geteuid())
    yield machine.memory(settings.state_dir)
    yield machine.disk(settings.state_dir)
    yield machine.sqlite()
    yield machine.store(settings.store)
    yield programs.ansible(around.environment)
    yield programs.inventory(settings.inventory_path, settings.project_dir, around.environment)
    yield network.port((settings.tls_certificate is not None, settings.host, settings.port))
    yield network.clock(network.date_of(_url(session, settings), around.transport), around.clock())


def _about_files(session: Session, settings: Settings) -> Iterator[Finding]:
    now, environment = session.around.clock(), session.around.environment
    yield files.tokens(settings.tokens_file, now)
    rules, receivers = files.rules(settings)
    yield rules
    if rules.ok:
        yield files.receivers(receivers)
    yield files.playbooks(settings.project_dir)
    yield files.vault_password(settings.vault_password_file)
    inventory = settings.inventory_path
    yield files.clouds(files.clouds_file(inventory, environment, settings.project_dir), inventory)
    yield files.certificate(settings.tls_certificate, settings.tls_key, now)


def _url(session: Session, settings: Settings) -> str:
    """Return where the API is: where the session was told, else where the settings put it."""
    if session.around.environment.get("UNDERSTUDY_URL"):
        return session.url
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.tls_certificate else 'http'}://{host}:{settings.port}"
