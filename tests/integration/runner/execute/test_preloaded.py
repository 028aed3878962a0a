"""The preloaded process is fast, and nothing depends on it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from runner.execute.lease import Lease
from runner.execute.preloaded import Preloaded, fingerprint
from runner.execute.run import Executor
from runner.model import Ending
from tests.integration.runner.execute.project import Stage, environment, make_project, now, tasks, until

INVENTORY = """
import os, pathlib
from ansible.plugins.inventory import BaseInventoryPlugin
class InventoryModule(BaseInventoryPlugin):
    NAME = "asking"
    @staticmethod
    def preload():
        pathlib.Path(__file__).with_name("preloaded_by").write_text(str(os.getpid()))
        raise RuntimeError("this is not what stops a run")
"""
PLUGIN = "class FilterModule:\n    def filters(self): return {'word': lambda value: '%s'}\n"
SAY = tasks('    - ansible.builtin.set_stats: {data: {said: "{{ 1 | word }}"}}\n')


def preloaded(stage: Stage) -> Preloaded:
    assert stage.executor._preloaded is not None
    return stage.executor._preloaded


def make_stage(root: Path) -> Stage:
    project = make_project(root / "project")
    executor = Executor(root / "state", now, environment(root), warm_project=project)
    assert executor.ready(30)
    return Stage(project, root / "state", Lease(root / "state/lease"), executor)


def test_what_an_inventory_imports_late_is_imported_before_the_first_run(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    (project / "inventory_plugins").mkdir()
    (project / "inventory_plugins/asking.py").write_text(INVENTORY)
    settings = (project / "ansible.cfg").read_text()
    settings = settings.replace("[defaults]\n", "[defaults]\ninventory_plugins = inventory_plugins\n")
    settings = settings.replace("enable_plugins = yaml", "enable_plugins = yaml, asking, none_such")
    (project / "ansible.cfg").write_text(settings)
    executor = Executor(tmp_path / "state", now, environment(tmp_path), warm_project=project)
    assert executor.ready(30)
    stage = Stage(project, tmp_path / "state", Lease(tmp_path / "state/lease"), executor)
    process = preloaded(stage).process_id()
    assert (project / "inventory_plugins/preloaded_by").read_text() == str(process)
    assert stage.play(tasks("    - ansible.builtin.ping:\n"))[0].ending is Ending.SUCCEEDED
    assert preloaded(stage).process_id() == process
    executor.close()


def test_a_changed_plugin_counts_in_the_next_run(tmp_path: Path) -> None:
    stage = make_stage(tmp_path)
    plugins = stage.project / "filter_plugins"
    plugins.mkdir()
    for word in ("one", "two"):
        before = preloaded(stage).process_id()
        (plugins / "word.py").write_text(PLUGIN % word)
        outcome, _ = stage.play(SAY)
        assert (outcome.ending, outcome.results) == (Ending.SUCCEEDED, {"said": word})
        assert preloaded(stage).process_id() != before
        assert stage.executor.ready(30)
    stage.executor.close()


def test_runs_go_on_when_the_preloaded_process_dies(tmp_path: Path) -> None:
    stage = make_stage(tmp_path)
    process = preloaded(stage).process_id()
    assert process is not None
    os.kill(process, signal.SIGKILL)
    assert stage.play(tasks("    - ansible.builtin.ping:\n"))[0].ending is Ending.SUCCEEDED
    until(lambda: stage.executor.ready(0))
    assert preloaded(stage).process_id() != process
    stage.executor.close()


def test_it_ends_with_its_owner(tmp_path: Path) -> None:
    stage = make_stage(tmp_path)
    process = preloaded(stage).process_id()
    stage.executor.close()
    assert preloaded(stage).process_id() is None
    assert not Path(f"/proc/{process}").exists()


def test_another_project_is_run_the_ordinary_way(tmp_path: Path) -> None:
    stage = make_stage(tmp_path)
    assert preloaded(stage).address(tmp_path) == "-"
    assert preloaded(stage).address(stage.project) != "-"
    stage.executor.close()


def test_settings_and_plugins_are_its_fingerprint(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    before = fingerprint(project)
    (project / "play.yml").write_text("[]")
    assert fingerprint(project) == before
    (project / "plugins/filter").mkdir(parents=True)
    (project / "plugins/filter/x.py").write_text("")
    assert fingerprint(project) != before
