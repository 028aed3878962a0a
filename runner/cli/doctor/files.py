"""Look at the files that an operator provides."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from cryptography import x509

from runner import tokens as bearer
from runner.actions import CATALOGUE
from runner.cli.doctor.finding import bad, good, trouble_with_secret
from runner.errors import PolicyError, SettingsError
from runner.service.rules import RulesFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from runner.cli.doctor.finding import Finding
    from runner.policy.policies import Notification
    from runner.settings import Settings

ENOUGH_NOTICE = timedelta(days=14)


def tokens(file: Path, now: datetime) -> Finding:
    """See that the tokens file can be used, and that monitoring has a token."""
    try:
        found = bearer.load(file)
    except SettingsError as error:
        return bad("tokens", str(error))
    valid = [each for each in found if each.expires is None or now < each.expires]
    if not any(each.may(bearer.ALERTS) for each in valid):
        return bad(
            "tokens", "No token that holds has the scope alerts: `understudy token add monitoring --scope alerts`."
        )
    return good("tokens", f"{len(valid)} tokens hold, {len(found) - len(valid)} have expired")


def rules(settings: Settings) -> tuple[Finding, tuple[Notification, ...]]:
    """See that policies and calendar load; return also the receivers of notifications."""
    try:
        read = RulesFiles(
            settings.site, settings.policies_file, settings.calendar_file, absence_file=settings.absence_file
        ).current()
    except PolicyError as error:
        return bad("policies", str(error)), ()
    counts = f"{len(read.policies.policies)} policies, {len(read.policies.schedules)} schedules"
    plan = "a calendar" if read.calendar else "no calendar"
    if read.absence is not None and not read.absence.over:
        plan += f", and the colo counts as lost since {read.absence.since:%Y-%m-%d %H:%M} UTC"
    return good("policies", f"{counts}, {plan}"), read.policies.notifications


def playbooks(project_dir: Path) -> Finding:
    """See that every action has its playbook."""
    wanted = [project_dir / "playbooks" / f"{action.playbook}.yml" for action in CATALOGUE.values()]
    missing = sorted(str(each) for each in wanted if not each.is_file())
    if missing:
        advice = "UNDERSTUDY_PROJECT_DIR must be this release's tree"
        return bad("playbooks", f"There is no {' and no '.join(missing)}; {advice}.")
    return good("playbooks", f"{len(wanted)} actions have theirs in {project_dir}")


def vault_password(file: Path | None) -> Finding:
    """See that the vault password can be read, by us alone."""
    if file is None:
        return good("vault password", "none is set; encrypted variables cannot be read")
    problem = trouble_with_secret(file)
    return bad("vault password", problem) if problem else good("vault password", str(file))


def receivers(notifications: Iterable[Notification]) -> Finding:
    """See that the addresses of notifications can be read, by us alone, and are not empty."""
    problems, count = [], 0
    for each in notifications:
        count += 1
        problem = trouble_with_secret(each.url_file)
        if problem is None and not each.url_file.read_text("utf-8", "replace").strip():
            problem = f"{each.url_file} is empty; write the address into it."
        if problem:
            problems.append(f"{each.name}: {problem}")
    if problems:
        return bad("notifications", " ".join(problems))
    return good(
        "notifications", f"{count} receivers" if count else "nobody is told anything: the policy file names none"
    )


def clouds_file(inventory: Path, environment: Mapping[str, str], project_dir: Path) -> Path | None:
    """Return the clouds.yaml that the inventory reads; None when none is found."""
    if named := _source(inventory).get("clouds_yaml"):
        return (inventory if inventory.is_dir() else inventory.parent) / Path(str(named)).expanduser()
    if environment.get("OS_CLIENT_CONFIG_FILE"):
        return Path(environment["OS_CLIENT_CONFIG_FILE"])
    home = Path(environment.get("HOME") or "/")
    places = [project_dir / "clouds.yaml", home / ".config/openstack/clouds.yaml", Path("/etc/openstack/clouds.yaml")]
    return next((each for each in places if each.exists()), None)


def clouds(file: Path | None, inventory: Path) -> Finding:
    """See that clouds.yaml can be read, by us alone, and names clouds; none is needed where no cloud is asked."""
    if not _source(inventory).get("clouds"):
        return good("clouds", f"{inventory} asks none")
    if file is None:
        return bad("clouds", "No clouds.yaml is found; set OS_CLIENT_CONFIG_FILE to it (docs/reference/inventory.md).")
    if problem := trouble_with_secret(file):
        return bad("clouds", problem)
    names = _mapping(file).get("clouds")
    if not isinstance(names, dict) or not names:
        return bad("clouds", f"{file} has no clouds in it; it must begin with `clouds:`.")
    return good("clouds", f"{', '.join(sorted(map(str, names)))} in {file}")


def certificate(certificate_file: Path | None, key_file: Path | None, now: datetime) -> Finding:
    """See that the certificate holds for a while and belongs to the key, which others must not reach."""
    if certificate_file is None or key_file is None:
        return good("certificate", "none: plain HTTP")
    if problem := trouble_with_secret(key_file):
        return bad("certificate", problem)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate_file, key_file)
        ends = x509.load_pem_x509_certificate(certificate_file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        pair = f"{certificate_file} and {key_file}"
        return bad("certificate", f"{pair} cannot be used together ({error}); make the pair anew.")
    if ends <= now:
        return bad(
            "certificate", f"{certificate_file} expired at {ends:%Y-%m-%d %H:%M} UTC; run playbooks/control.yml."
        )
    if ends - now < ENOUGH_NOTICE:
        return bad(
            "certificate", f"{certificate_file} expires at {ends:%Y-%m-%d %H:%M} UTC; run playbooks/control.yml."
        )
    return good("certificate", f"holds until {ends:%Y-%m-%d}")


def _source(inventory: Path) -> dict[str, Any]:
    return _mapping(inventory / "two_sites.yml" if inventory.is_dir() else inventory)


def _mapping(file: Path) -> dict[str, Any]:
    try:
        held = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return held if isinstance(held, dict) else {}
