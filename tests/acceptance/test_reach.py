"""Every host of both sites answers Ansible through one merged inventory."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.acceptance.conftest import OPERATOR, ROOT, Lab, run

STANDING = {
    "colo-gw1", "colo-was1", "colo-was2", "colo-db1", "colo-ops1", "witness1", "cloud-gw1", "cloud-was1", "cloud-ops1",
}  # fmt: skip


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
    assert len(set(releases.values())) == 1, releases
    assert set(releases.values()) <= {"trixie", "bookworm"}


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


def test_a_second_site_run_changes_nothing(lab: Lab) -> None:
    # The demonstration leaves its own release in service.
    released = json.loads(lab.on("colo-was1", "sudo understudy-was status").out)["current"]
    words = ["-e", f"booking_version={released}"]
    done = run(["ansible-playbook", "playbooks/site.yml", *words], seconds=900)
    assert done.ok, done.out[-3000:] + done.err
    changed = dict(re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", done.out, re.MULTILINE))
    assert set(changed) == STANDING | {"localhost"}
    assert set(changed.values()) == {"0"}, done.out[-3000:]


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
