"""Who can open the sealed keys of the backups, and who cannot."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molecule.backup.tests.conftest import Stage


PLACE = "/etc/understudy/backup"
SEALED = f"{PLACE}/repositories.age"


def opened(stage: Stage, identity: str) -> str:
    """Return the key of the backups that an identity opens."""
    said = stage.store.run(f"age --decrypt --identity {identity} {SEALED}")
    assert said.succeeded, said.stderr
    (repository,) = json.loads(said.stdout)
    assert repository["endpoint"] == "s3.understudy.test"
    assert repository["key_secret"] == "test-only-storage"  # noqa: S105 - of this scenario alone
    return str(repository["cipher_pass"])


def test_the_keys_open_on_their_host_and_for_those_who_recover_and_for_nobody_else(stage: Stage) -> None:
    for path in (f"{PLACE}/identity", SEALED):
        assert stage.store.file(path).mode == 0o600
        assert stage.store.file(path).user == "root"
    assert opened(stage, f"{PLACE}/identity") == "test-only-cipher-pass-phrase"
    key = (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "id_ed25519").read_text()
    stage.store.check_output(f"install --mode=0600 /dev/null /root/recovery; echo {shlex.quote(key)} > /root/recovery")
    assert opened(stage, "/root/recovery") == "test-only-cipher-pass-phrase"
    stage.store.check_output("rm -f /root/recovery /root/stranger; age-keygen --output /root/stranger 2>/dev/null")
    stranger = stage.store.run(f"age --decrypt --identity /root/stranger {SEALED}")
    assert stranger.failed
    assert "no identity matched any of the recipients" in stranger.stderr
    assert stage.store.run("grep -rqs test-only-cipher-pass-phrase /etc /root /tmp /var/lib /var/log").failed


def test_a_run_without_the_keys_opens_them_and_says_nothing_of_them(stage: Stage) -> None:
    code, said = stage.playbooks.run("molecule/backup/open.yml")
    assert code == 0, said
    assert "What was opened is what was sealed." in said
    assert "test-only" not in said


def test_a_host_whose_identity_was_taken_away_says_what_to_do(stage: Stage) -> None:
    stage.store.check_output(f"mv {PLACE}/identity {PLACE}/taken")
    code, said = stage.playbooks.run("molecule/backup/open.yml")
    stage.store.check_output(f"mv {PLACE}/taken {PLACE}/identity")
    words = " ".join(said.split())
    assert code != 0
    assert f"{PLACE}/identity does not exist: it was taken away, or never made." in words
    assert "without a vault a recovery identity opens them (docs/runbooks/backup.md)" in words
