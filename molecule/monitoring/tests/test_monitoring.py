"""What operators and runners can observe of monitoring over two sites."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from molecule.conftest import Playbooks
    from molecule.monitoring.tests.conftest import Site

    Sites = dict[str, Site]
    Until = Callable[..., None]

CONVERGE = "molecule/monitoring/converge.yml"
TLS = "/etc/understudy/tls"
SHOWN = f"--cacert {TLS}/ca.crt --cert {TLS}/host.crt --key {TLS}/host.key"
by_site = pytest.mark.parametrize("name", ["colo", "cloud"])


class TestWatching:
    @by_site
    def test_prometheus_is_ready(self, sites: Sites, name: str) -> None:
        assert "Ready" in sites[name].host.check_output("curl --silent http://127.0.0.1:9090/-/ready")

    @by_site
    def test_everything_at_both_sites_is_seen(self, sites: Sites, until: Until, name: str) -> None:
        until(lambda: sites[name].query("up{optional=''} == 0 or probe_success == 0") == [], "nothing is down")
        seen = {(one["metric"]["job"], one["metric"]["site"]) for one in sites[name].query("up")}
        for job in ("alertmanager", "node", "was", "runner", "probe_runner", "probe_edge"):
            assert {(job, "colo"), (job, "cloud")} <= seen
        assert ("postgres", "colo") in seen

    @by_site
    def test_the_empty_place_of_a_burst_server_is_watched_and_its_silence_means_nothing(
        self, sites: Sites, name: str
    ) -> None:
        assert sites[name].value("up{instance='burst1'}") == 0
        assert sites[name].query("understudy:up:judged{instance='burst1'}") == []

    @by_site
    def test_a_host_has_the_figures_that_alerts_need(self, sites: Sites, until: Until, name: str) -> None:
        for metric in (
            "node_filesystem_avail_bytes",
            "node_memory_MemAvailable_bytes",
            "node_time_seconds",
            "understudy_certificate_expiry_timestamp_seconds{file='host.crt'}",
            "pg_stat_activity_count",
            "pg_settings_max_connections",
            "probe_ssl_earliest_cert_expiry",
            "alertmanager_cluster_members",
        ):
            until(lambda metric=metric: bool(sites[name].query(metric)), metric)
        assert sites[name].value("pg_up") == 1

    @by_site
    def test_no_rule_fails_and_every_rule_is_there(self, sites: Sites, until: Until, name: str) -> None:
        groups = sites[name].get("http://127.0.0.1:9090/api/v1/rules")["data"]["groups"]
        assert {group["name"] for group in groups} == {"seen", "customers", "data", "sites", "watch"}
        until(
            lambda: all(
                rule["health"] == "ok"
                for group in sites[name].get("http://127.0.0.1:9090/api/v1/rules")["data"]["groups"]
                for rule in group["rules"]
            ),
            "every rule is evaluated",
        )

    def test_the_account_in_the_database_can_read_figures_and_nothing_else(self, sites: Sites) -> None:
        asked = "su postgres -c \"psql -Atc \\\"SELECT rolsuper, rolcreatedb, rolcreaterole, pg_has_role('prometheus', "
        asked += "'pg_monitor', 'member') FROM pg_roles WHERE rolname = 'prometheus'\\\"\""
        assert sites["colo"].host.check_output(asked) == "f|f|f|t"


class TestReach:
    @by_site
    def test_nothing_listens_wider_than_declared(self, sites: Sites, name: str) -> None:
        site = sites[name]
        declared = {"127.0.0.1:9090", "127.0.0.1:9115", "127.0.0.1:9093"}
        declared |= {f"{site.address}:{port}" for port in (9093, 9094, 9100)}
        declared |= {f"{site.address}:9187"} if name == "colo" else set()
        assert site.listeners() == declared

    def test_alertmanager_refuses_whoever_shows_no_certificate(self, sites: Sites) -> None:
        there = f"https://{sites['cloud'].address}:9093/api/v2/status"
        assert sites["colo"].host.run(f"curl --silent --max-time 5 --cacert {TLS}/ca.crt {there}").failed
        assert sites["colo"].get(there, SHOWN)["cluster"]["status"] == "ready"

    def test_a_host_behind_public_networks_refuses_whoever_shows_no_certificate(self, sites: Sites) -> None:
        there = f"https://{sites['cloud'].address}:9100/metrics"
        assert sites["colo"].host.run(f"curl --silent --max-time 5 --cacert {TLS}/ca.crt {there}").failed
        assert sites["colo"].host.run(f"curl --silent --max-time 5 {SHOWN} {there}").succeeded

    def test_a_peer_without_a_certificate_is_refused(self, sites: Sites) -> None:
        there = f"{sites['cloud'].address}:9094"
        hello = f"openssl s_client -brief -tls1_3 -CAfile {TLS}/ca.crt -connect {there}"
        shown = f"{hello} -cert {TLS}/host.crt -key {TLS}/host.key"
        # With TLS 1.3 the refusal comes after the handshake, as an alert to whoever reads on.
        bare = sites["colo"].host.run(f"sh -c '(sleep 2) | {hello}'")
        assert "certificate required" in bare.stderr
        known = sites["colo"].host.run(f"sh -c '(sleep 2) | {shown}'")
        assert "certificate required" not in known.stderr
        assert "Verification: OK" in known.stderr

    @by_site
    def test_tokens_are_for_their_account_only_and_stand_nowhere_else(self, sites: Sites, name: str) -> None:
        host = sites[name].host
        for file in ("runner-token", "runner-metrics-token"):
            found = host.file(f"/etc/understudy/monitoring/{file}")
            assert (found.user, found.group, found.mode) == ("root", "prometheus", 0o640)
        assert host.file("/etc/understudy/monitoring/alertmanager.yml").mode == 0o640
        elsewhere = "grep -rl 'us_[am].*-of-this-scenario' /etc /run/systemd /var/log /usr/share/understudy"
        assert set(host.run(elsewhere).stdout.split()) == {
            "/etc/understudy/monitoring/runner-token",
            "/etc/understudy/monitoring/runner-metrics-token",
        }
        assert "-of-this-scenario" not in host.check_output("ps -eo args | grep -v standin | grep -v grep")
        assert "-of-this-scenario" not in host.check_output("journalctl --no-pager --unit 'prometheus*'")

    @by_site
    def test_units_are_confined(self, sites: Sites, name: str) -> None:
        for unit in (
            "prometheus",
            "prometheus-alertmanager",
            "prometheus-blackbox-exporter",
            "prometheus-node-exporter",
        ):
            shown = sites[name].host.check_output(
                f"systemctl show {unit} --property ProtectSystem,NoNewPrivileges,User"
            )
            assert set(shown.splitlines()) == {"ProtectSystem=strict", "NoNewPrivileges=yes", "User=prometheus"}


class TestAlerting:
    @by_site
    def test_the_pair_sees_each_other(self, sites: Sites, name: str) -> None:
        status = sites[name].get("https://127.0.0.1:9093/api/v2/status", SHOWN)
        assert {peer["address"] for peer in status["cluster"]["peers"]} == {
            f"{site.address}:9094" for site in sites.values()
        }

    def test_amtool_works_for_an_operator(self, sites: Sites) -> None:
        assert "Watchdog" in sites["colo"].host.check_output("amtool alert query")

    @by_site
    def test_both_runners_hear_the_heartbeats_of_both_sites(self, sites: Sites, until: Until, name: str) -> None:
        until(
            lambda: {told["alert"]["labels"]["site"] for told in sites[name].told("Watchdog")} == {"colo", "cloud"},
            "both heartbeats",
        )
        before = len(sites[name].told("Watchdog"))
        until(lambda: len(sites[name].told("Watchdog")) >= before + 2, "they go on coming")

    def test_a_crowd_is_told_to_both_runners_once_and_within_seconds(
        self, sites: Sites, until: Until, crowd: Callable[[], None]
    ) -> None:
        crowd()
        began = time.monotonic()
        for site in sites.values():
            until(lambda site=site: bool(site.told("BookingSlow")), f"{site.name} is told", 15)
        took = time.monotonic() - began
        told = [site.told("BookingSlow") for site in sites.values()]
        assert all(delivery["known"] and delivery["path"] == "/alerts" for each in told for delivery in each)
        # Both sites' Prometheus say it, with the same labels: it is one alert.
        assert [len({delivery["alert"]["fingerprint"] for delivery in each}) for each in told] == [1, 1]
        labels = told[0][0]["alert"]["labels"]
        assert labels == {"alertname": "BookingSlow", "severity": "critical"}
        assert told[0][0]["alert"]["annotations"]["runbook"] == "docs/runbooks/alerts/BookingSlow.md"
        assert took < 10

    @by_site
    def test_one_alertmanager_alone_tells_both_runners(
        self, sites: Sites, until: Until, crowd: Callable[[], None], name: str
    ) -> None:
        sites[name].host.check_output("systemctl stop prometheus-alertmanager")
        try:
            crowd()
            for site in sites.values():
                until(lambda site=site: bool(site.told("BookingSlow")), f"{site.name} is told", 30)
        finally:
            sites[name].host.check_output("systemctl start prometheus-alertmanager")
            until(lambda: sites[name].value("min(alertmanager_cluster_members)") == 2, "the pair is whole again")

    def test_one_prometheus_alone_still_tells_and_the_other_sites_silence_is_seen(
        self, sites: Sites, until: Until, crowd: Callable[[], None]
    ) -> None:
        sites["colo"].host.check_output("systemctl stop prometheus")
        try:
            crowd()
            for site in sites.values():
                until(lambda site=site: bool(site.told("BookingSlow")), f"{site.name} is told", 30)
            # Alertmanager forgets a heartbeat 40 seconds after its last word.
            silent = "probe_success{job='probe_heartbeat', site='colo'} == 0"
            until(lambda: bool(sites["cloud"].query(silent)), "cloud hears no heartbeat of colo", 90)
        finally:
            sites["colo"].host.check_output("systemctl start prometheus")
        until(lambda: sites["cloud"].query("probe_success{job='probe_heartbeat'} == 0") == [], "it is heard again")

    def test_a_dead_server_is_told_and_no_more_when_it_is_back(self, sites: Sites, until: Until) -> None:
        sites["colo"].host.check_output("systemctl stop prometheus-node-exporter")
        try:
            until(lambda: bool(sites["cloud"].query("understudy:up:judged{job='node'} == 0")), "it is missed")
        finally:
            sites["colo"].host.check_output("systemctl start prometheus-node-exporter")
        until(lambda: sites["cloud"].query("understudy:up:judged{job='node'} == 0") == [], "it is back")


class TestProof:
    def test_it_lets_through_when_all_is_well(self, playbooks: Playbooks) -> None:
        code, said = playbooks.run("molecule/monitoring/prove.yml")
        assert code == 0, said

    def test_it_names_what_is_down(self, sites: Sites, playbooks: Playbooks) -> None:
        sites["cloud"].host.check_output("systemctl stop prometheus-node-exporter")
        try:
            code, said = playbooks.run("molecule/monitoring/prove.yml", "--extra-vars", "monitoring_verify_seconds=5")
        finally:
            sites["cloud"].host.check_output("systemctl start prometheus-node-exporter")
        assert code != 0
        assert "sees these down after 5 s: node mol-monitoring-cloud." in said

    def test_it_names_an_alertmanager_that_is_not_seen(self, sites: Sites, until: Until, playbooks: Playbooks) -> None:
        sites["cloud"].host.check_output("systemctl stop prometheus-alertmanager")
        wanted = '{"monitoring_verify_seconds": 5, "__monitoring_expected": []}'
        try:
            code, said = playbooks.run("molecule/monitoring/prove.yml", "--extra-vars", wanted)
        finally:
            sites["cloud"].host.check_output("systemctl start prometheus-alertmanager")
            until(lambda: sites["colo"].value("min(alertmanager_cluster_members)") == 2, "the pair is whole again")
        assert code != 0
        assert "does not see 10.210.254.151:9094 after 5 s" in said


class TestOperation:
    def test_a_changed_limit_is_taken_over_without_a_restart(self, sites: Sites, playbooks: Playbooks) -> None:
        started = "systemctl show --value --property ActiveEnterTimestampMonotonic prometheus prometheus-alertmanager"
        before = sites["colo"].host.check_output(started)
        code, said = playbooks.run(CONVERGE, "--extra-vars", "monitoring_slow_waiting=7")
        assert code == 0, said
        rules = sites["colo"].get("http://127.0.0.1:9090/api/v1/rules?type=alert")["data"]["groups"]
        slow = next(rule for group in rules for rule in group["rules"] if rule["name"] == "BookingSlow")
        assert "> 7" in slow["query"]
        assert sites["colo"].host.check_output(started) == before
        assert playbooks.run(CONVERGE)[0] == 0

    def test_people_are_told_what_is_for_people(self, sites: Sites, playbooks: Playbooks) -> None:
        wanted = {"monitoring_people": {"webhook_configs": [{"url": "http://127.0.0.1:8080/people?key=of-people"}]}}
        code, said = playbooks.run(CONVERGE, "--extra-vars", json.dumps(wanted))
        assert code == 0, said
        assert "of-people" not in said
        routed = "amtool config routes test --config.file=/etc/understudy/monitoring/alertmanager.yml"
        for labels, receivers in (
            ("alertname=HostDown severity=warning", "people,runners"),
            ("alertname=BookingIdle severity=info", "runners"),
            ("alertname=Watchdog severity=none", "runners"),
        ):
            assert sites["colo"].host.check_output(f"{routed} {labels}") == receivers
        assert playbooks.run(CONVERGE)[0] == 0

    def test_a_broken_rule_never_lands(self, sites: Sites, playbooks: Playbooks) -> None:
        before = sites["colo"].host.file("/etc/prometheus/rules/customers.yml").sha256sum
        code, _ = playbooks.run(CONVERGE, "--extra-vars", "monitoring_slow_for=soon")
        assert code != 0
        assert sites["colo"].host.file("/etc/prometheus/rules/customers.yml").sha256sum == before

    def test_a_host_that_is_no_part_of_the_pair_is_refused(self, playbooks: Playbooks) -> None:
        code, said = playbooks.run(CONVERGE, "--extra-vars", "monitoring_address=192.0.2.1")
        assert code != 0
        assert "and monitoring_address is '192.0.2.1'" in said
