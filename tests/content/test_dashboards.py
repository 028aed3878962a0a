"""Dashboards can be imported, and ask for figures that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.content import alert_rules, metric_names, project, promtool

FOLDER = alert_rules.ROLE / "files/usr/share/understudy/dashboards"
FILES = sorted(FOLDER.glob("*.json"))
by_dashboard = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def expressions(path: Path) -> list[str]:
    board = read(path)
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return asked + [each["expr"] for each in board["annotations"]["list"]]


def test_the_role_brings_all_of_them() -> None:
    tasks = (alert_rules.ROLE / "tasks/main.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"source: usr/share/understudy/dashboards/(\w+)\.json", tasks)) == {p.stem for p in FILES}
    assert {path.stem for path in FILES} == {"service", "capacity", "database", "sites"}


@by_dashboard
def test_it_is_a_dashboard_that_grafana_imports(path: Path) -> None:
    board = read(path)
    assert board["schemaVersion"] >= 39
    assert board["uid"] == f"understudy-{path.stem}"
    assert board["title"].startswith("Understudy: ")
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["title"]
        assert panel["description"].endswith(".")
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0


@by_dashboard
def test_its_panels_do_not_cover_each_other_or_leave_the_screen(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in read(path)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert all(0 <= x < 24 for x, _ in cells), panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


@by_dashboard
def test_it_asks_the_prometheus_that_is_chosen(path: Path) -> None:
    board = read(path)
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource"]
    sources = [part["datasource"] for panel in board["panels"] for part in (panel, *panel["targets"])]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


def test_every_question_is_understood(tmp_path: Path) -> None:
    rules = [{"record": "asked", "expr": expression} for path in FILES for expression in expressions(path)]
    (tmp_path / "asked.yml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    code, said = promtool.run("check", "rules", "--lint=none", "asked.yml", folder=tmp_path)
    assert code == 0, said


@by_dashboard
def test_it_asks_for_figures_that_exist(path: Path) -> None:
    assert metric_names.unknown(expressions(path)) == set()


def test_alerts_stand_on_figures_that_exist() -> None:
    assert metric_names.unknown(alert_rules.expressions()) == set()


def test_a_figure_that_does_not_exist_is_found() -> None:
    assert metric_names.unknown(["sum(booking_smiles_total) > up"]) == {"booking_smiles_total"}


def test_the_list_of_others_figures_has_none_that_nobody_asks_for() -> None:
    asked = metric_names.names(alert_rules.expressions() + [each for path in FILES for each in expressions(path)])
    assert metric_names.OTHERS - asked == set()


def test_ours_are_where_they_are_made() -> None:
    assert {"booking_requests_total", "understudy_runner_jobs", "understudy:up:judged"} <= metric_names.ours()
    assert project.relative(metric_names.BOOKING) == "booking/src/booking/web/metrics.py"
