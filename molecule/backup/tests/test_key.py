"""Who can open the sealed key of the backups, and who cannot."""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molecule.backup.tests.conftest import Stage


def test_the_key_opens_on_its_host_and_for_those_who_recover_and_for_nobody_else(stage: Stage) -> None:
    place, opened = "/etc/understudy/backup", hashlib.sha256(b"test-only-cipher-pass-phrase").hexdigest()
    digest = "| sha256sum | cut -c1-64; test ${PIPESTATUS[0]} = 0"
    for name in ("identity", "cipher-pass.age"):
        assert stage.store.file(f"{place}/{name}").mode == 0o600
        assert stage.store.file(f"{place}/{name}").user == "root"
    here = stage.store.run(f"bash -c 'age --decrypt --identity {place}/identity {place}/cipher-pass.age {digest}'")
    assert here.stdout.strip() == opened, here.stderr
    key = (Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "id_ed25519").read_text()
    stage.store.check_output(f"install --mode=0600 /dev/null /root/recovery; echo {shlex.quote(key)} > /root/recovery")
    recovered = stage.store.run(f"bash -c 'age --decrypt --identity /root/recovery {place}/cipher-pass.age {digest}'")
    assert recovered.stdout.strip() == opened, recovered.stderr
    stage.store.check_output("rm -f /root/recovery /root/stranger; age-keygen --output /root/stranger 2>/dev/null")
    stranger = stage.store.run(f"age --decrypt --identity /root/stranger {place}/cipher-pass.age")
    assert stranger.failed
    assert "no identity matched any of the recipients" in stranger.stderr
    assert stage.store.run("grep -rqs test-only-cipher-pass-phrase /etc /root /tmp /var/lib /var/log").failed
