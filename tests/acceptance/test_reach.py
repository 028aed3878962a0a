"""Every host of both sites answers Ansible through one merged inventory."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

from lab import images
from tests.acceptance.conftest import OPERATOR, ROOT, Lab, changed, run

STANDING = {
    "colo-gw1", "colo-was1", "colo-was2", "colo-db1", "colo-ops1", "witness1", "cloud-gw1", "cloud-was1", "cloud-ops1",
}  # fmt: skip
NO_SECRETS = {"known_hosts", "known_hosts.lock", "ca.crt"}  # and public keys


def test_every_host_answers_ansible() -> None:
    done = run(["ansible", "all", "-m", "ping", "--one-line"])
    answered = set(re.findall(r"^(\S+) \| SUCCESS", done.out, re.MULTILINE))
    assert done.ok, done.out + done.err
    assert answered == STANDING


def test_the_groups_are_site_by_function(lab: Lab) -> None:
    inventory = lab.inventory()
    assert set(inventory["cloud"]["hosts"]) == {"cloud-gw1", "cloud-was1", "cloud-ops1"}
    assert set(inventory["was"]["hosts"]) == {"colo-was1", "colo-was2", "cloud-was1"}
    assert set(inventory["gateway"]["hosts"]) == {"colo-gw1", "cloud-gw1"}
    assert inventory["witness"]["hosts"] == ["witness1"]


def test_hosts_and_guests_run_the_release_that_was_asked_for(lab: Lab) -> None:
    releases = {host: lab.on(host, ". /etc/os-release; echo $VERSION_CODENAME").out.strip() for host in lab.addresses}
    asked_for = os.environ.get("LAB_RELEASE") or images.RELEASES[0]
    assert releases == dict.fromkeys(lab.addresses, asked_for)


def test_hosts_are_systems_in_good_health(lab: Lab) -> None:
    for host in lab.addresses:
        state = lab.on(host, "systemctl is-system-running; systemctl --failed --no-legend --plain")
        assert state.out.splitlines()[0] == "running", f"{host}: {state.out}"


def test_no_host_reaches_another_over_the_management_network(lab: Lab) -> None:
    for host, target in (
        ("colo-ops1", "colo-db1"),
        ("colo-was1", "cloud-was1"),
        ("cloud-ops1", "colo-ops1"),
        ("cloud-ops1", "cloud-was1"),
    ):
        assert not lab.pings(host, lab.addresses[target]), f"{host} reached {target} over management"


def test_status_shows_every_host_up(lab: Lab) -> None:
    hosts = {host["name"]: host for host in json.loads(lab("status", "--json").out)["hosts"]}
    assert set(hosts) >= STANDING
    assert all(host["answers"] for host in hosts.values()), hosts


def site_again(lab: Lab, *words: str, env: dict[str, str] | None = None) -> None:
    """Run everything once more, with the release that serves, and demand that it changes nothing on any host."""
    # The demonstration leaves its own release in service.
    released = json.loads(lab.on("colo-was1", "sudo understudy-was status").out)["current"]
    command = ["ansible-playbook", "playbooks/site.yml", "-e", f"booking_version={released}", *words]
    done = run(command, seconds=900, env=env)
    assert done.ok, done.out[-3000:] + done.err
    assert changed(done) == dict.fromkeys(STANDING | {"localhost"}, "0"), done.out[-3000:]


def test_a_second_site_run_changes_nothing(lab: Lab) -> None:
    site_again(lab)


def too_open(folder: Path) -> list[str]:
    """Name the folders that are not 0700, and the files that are not 0600 though they may hold a secret."""
    found = []
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() or not (path.name in NO_SECRETS or path.suffix == ".pub"):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode != (0o700 if path.is_dir() else 0o600):
                found.append(f"{path} has mode {mode:04o}")
    return found


def test_only_the_operator_reads_the_secrets_of_the_lab() -> None:
    secrets = {path.name for path in (OPERATOR / "secrets").iterdir()}
    assert {"authority", "database_superuser", "gateway", "runner_vault"} <= secrets
    assert too_open(OPERATOR) == []


def test_no_secret_of_the_lab_is_in_the_project_folder(tmp_path: Path) -> None:
    keys = [path for path in OPERATOR.glob("*_ed25519") if path.is_file()] + [OPERATOR / "id_ed25519"]
    passwords = [path.read_text(encoding="utf-8").split()[0] for path in (OPERATOR / "secrets").iterdir()]
    secrets = tmp_path / "secrets"
    secrets.write_text(
        "\n".join([key.read_text(encoding="utf-8").splitlines()[3] for key in keys] + passwords), encoding="utf-8"
    )
    search = ["grep", "-rlF", "-f", str(secrets), "--exclude-dir=.venv", "--exclude-dir=.git"]
    assert run([*search, str(ROOT)], 300).out == ""
    assert run([*search, str(OPERATOR)], 300).out != ""  # what is there is found
