from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.runner.cli.desk import TOKEN, Desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    return Desk(file, capsys)
