from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.runner.evidence.archive import NAMES, Archive, make_key


@pytest.fixture
def archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Archive:
    """Three sealed folders."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "signers").write_text(f'understudy namespaces="understudy-evidence" {make_key(keys / "ours")}')
    made = Archive(tmp_path / "evidence", keys, capsys)
    for name in NAMES:
        made.write(name)
        assert made.seal(name)[0] == 0
    return made
