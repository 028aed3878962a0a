"""What a runner's host gets: one archive of project, inventory, collections and wheels, named after its content."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def build(out: Path, inventory: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "runner/build.sh"), str(out), "3.13", str(inventory)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built")


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "inventories/production", tmp_path / "production"))


def test_the_archive_holds_all_that_a_host_needs_and_has_the_same_name_again(out: Path, inventory: Path) -> None:
    made = build(out, inventory)
    assert made.returncode == 0, made.stderr
    name = made.stdout.strip()
    assert (out / "RELEASE").read_text().strip() == name
    with tarfile.open(out / f"{name}.tar") as archive:
        held = {member.removeprefix("./") for member in archive.getnames()}
    assert held >= {
        "requirements.txt", "project/ansible.cfg", "project/playbooks/site.yml", "project/roles/was/tasks/main.yml",
        "project/plugins/inventory/two_sites.py", "project/inventories/production/two_sites.yml",
        "project/runner/execute/callback/understudy_lease.py", "project/runner/cli/main.py",
        "collections/openstack/cloud/MANIFEST.json",
    }  # fmt: skip
    assert {each.split("-")[0] for each in held if each.endswith(".whl")} >= {
        "wheels/uv",
        "wheels/ansible_core",
        "wheels/dbos",
    }
    assert [each for each in held if "__pycache__" in each] == []
    assert build(out, inventory).stdout.strip() == name


def test_another_content_is_another_release(out: Path, inventory: Path) -> None:
    before = build(out, inventory).stdout.strip()
    (inventory / "policies.yml").write_text("policies: []\n")
    after = build(out, inventory).stdout.strip()
    assert after != before
    assert [each.name for each in out.glob("*.tar")] == [f"{after}.tar"]


def test_a_folder_that_is_no_inventory_is_refused_with_its_name(out: Path, tmp_path: Path) -> None:
    refused = build(out, tmp_path)
    assert refused.returncode == 1
    assert f"there is no two_sites.yml in '{tmp_path}'" in refused.stderr
