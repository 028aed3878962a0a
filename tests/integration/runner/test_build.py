"""What a runner's host gets: one archive of project, inventory, collections and wheels, named after its content."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(ROOT / "inventories/production", folder / "production"))


def build(out: Path, inventory: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "runner/build.sh"), str(out), "3.13", str(inventory)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="module")
def release(out: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of what was built first."""
    made = build(out, copied(tmp_path_factory.mktemp("inventory")))
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_the_archive_holds_all_that_a_host_needs_and_has_the_same_name_again(
    out: Path, release: str, tmp_path: Path
) -> None:
    assert (out / "RELEASE").read_text().strip() == release
    with tarfile.open(out / f"{release}.tar") as archive:
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
    assert build(out, copied(tmp_path)).stdout.strip() == release


def test_another_content_is_another_release(out: Path, release: str, tmp_path: Path) -> None:
    inventory = copied(tmp_path)
    (inventory / "policies.yml").write_text("policies: []\n")
    after = build(out, inventory).stdout.strip()
    assert after != release
    assert [each.name for each in out.glob("*.tar")] == [f"{after}.tar"]


def test_a_folder_that_is_no_inventory_is_refused_with_its_name(out: Path, tmp_path: Path) -> None:
    refused = build(out, tmp_path)
    assert refused.returncode == 1
    assert f"there is no two_sites.yml in '{tmp_path}'" in refused.stderr
