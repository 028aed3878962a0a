"""Which figures expressions ask for, and which exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.content import alert_rules, project

if TYPE_CHECKING:
    from collections.abc import Iterable

BOOKING = project.ROOT / "booking/src/booking/web/metrics.py"
RUNNER = project.ROOT / "docs/reference/api.md"  # generated from the runner's metrics, and a test keeps it fresh
BACKUPS = project.ROOT / "plugins/module_utils/backup_judgement.py"
ARCHIVE = project.ROOT / "roles/backup/files/usr/local/sbin/understudy_backup_watch.py"
TEXTFILES = sorted((project.ROOT / "roles").glob("*/templates/var/lib/prometheus/node-exporter/*.prom.j2"))
CERTIFICATES = project.ROOT / "roles/certificates/files/usr/local/sbin/understudy-certificate-expiry"

# Of programs that are not ours. Molecule's scenario monitoring asks for those of its hosts; the lab has them all.
OTHERS = {
    "ALERTS",
    "up",
    "prometheus_config_last_reload_successful",
    "prometheus_notifications_dropped_total",
    "prometheus_rule_evaluation_failures_total",
    "process_resident_memory_bytes",
    "alertmanager_cluster_members",
    "alertmanager_notifications_failed_total",
    "alertmanager_notifications_total",
    "probe_duration_seconds",
    "probe_ssl_earliest_cert_expiry",
    "probe_success",
    "node_cpu_seconds_total",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
    "node_network_receive_bytes_total",
    "node_network_transmit_bytes_total",
    "node_pressure_cpu_waiting_seconds_total",
    "node_time_seconds",
    "pg_database_size_bytes",
    "pg_settings_max_connections",
    "pg_stat_activity_count",
    "pg_stat_database_xact_commit",
    "pg_stat_database_xact_rollback",
    "pg_up",
    "patroni_postgres_running",
    "patroni_primary",
    "patroni_replica",
    "patroni_xlog_location",
    "patroni_xlog_replayed_location",
    "etcd_disk_wal_fsync_duration_seconds_bucket",
    "etcd_server_has_leader",
    "etcd_server_leader_changes_seen_total",
    "haproxy_backend_active_servers",
    "haproxy_backend_backup_servers",
    "haproxy_backend_current_queue",
    "haproxy_frontend_http_requests_total",
    "haproxy_frontend_http_responses_total",
    "haproxy_server_status",
}

_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
_SUFFIXES = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("_bucket", "_sum", "_count")}


def names(expressions: Iterable[str]) -> set[str]:
    """Return the metrics that expressions name: every word that is no label, function, keyword or number."""
    found: set[str] = set()
    for expression in expressions:
        text = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
        text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
        text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text)
        text = re.sub(r"\b\w+\s*(?=\()", " ", text)
        found |= {word for word in re.findall(r"(?<![\w.])[A-Za-z_:][\w:]*", text) if word.lower() not in _WORDS}
    return found


def ours() -> set[str]:
    """Return the metrics that this project's own programs and rules make."""
    made = re.findall(r'(Counter|Gauge|Histogram)\(\s*"(\w+)"', BOOKING.read_text(encoding="utf-8"))
    found = {name + suffix for kind, name in made for suffix in _SUFFIXES[kind]}
    found |= set(re.findall(r"^\| `(understudy_runner_\w+)` ", RUNNER.read_text(encoding="utf-8"), re.MULTILINE))
    found |= set(re.findall(r"^# Metric: (\w+)", CERTIFICATES.read_text(encoding="utf-8"), re.MULTILINE))
    for path in (BACKUPS, ARCHIVE):
        found |= set(re.findall(r'"(understudy_backup_\w+)"', path.read_text(encoding="utf-8")))
    for path in TEXTFILES:
        found |= set(re.findall(r"^# TYPE (\w+) gauge$", path.read_text(encoding="utf-8"), re.MULTILINE))
    return found | {rule["record"] for rule in alert_rules.rules() if "record" in rule}


def unknown(expressions: Iterable[str]) -> set[str]:
    """Return the metrics that nothing makes."""
    return names(expressions) - ours() - OTHERS
