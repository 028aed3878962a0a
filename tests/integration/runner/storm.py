"""A storm of alerts over HTTP, playbooks that write down what they do, and the books that must agree afterwards."""

from __future__ import annotations

import collections
import dataclasses
import http.client
import itertools
import json
import queue
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.store.engine import Store
from tests.integration.runner.installations import Installation, read_of
from tests.integration.runner.waiting import until
from tests.integration.runner.worker.workers import unjudged

ACTIONS = {"bake": "bake_image", "guard": "guard_cloud_database", "prepare": "prepare_failover"}
LOCKS = {"bake_image": "image", "guard_cloud_database": "proof", "prepare_failover": "site"}
ONCE_ONLY = "bake_image"  # see Installation.forbid_repeats
KINDS = (*ACTIONS, "nothing")  # of the last no policy speaks
ALERTS_OF_A_TARGET = 200  # a quarter of each kind
# The cool-down lets each target have one job, however many alerts speak of it.
POLICIES = "policies:\n" + "".join(
    f"  - {{name: {kind}, match: ['kind=\"{kind}\"'], action: {action}, target: '{{instance}}', cooldown: 1h}}\n"
    for kind, action in ACTIONS.items()
)
PLAYBOOK = """
- name: Do it, and write down when
  hosts: all
  gather_facts: false
  tasks:
    - name: Begin
      ansible.builtin.shell: echo {action} $UNDERSTUDY_JOB $(basename $TMPDIR) begin >> {journal}
    - name: Take a while
      ansible.builtin.{during}
    - name: End
      ansible.builtin.shell: echo {action} $UNDERSTUDY_JOB $(basename $TMPDIR) end >> {journal}
"""
TICKING = (
    "shell: for n in 1 2 3 4 5; do echo {action} $UNDERSTUDY_JOB $(basename $TMPDIR) tick >> {journal}; sleep 0.1; done"
)
AT_THE_GATE = "until test -e {gate}; do sleep 0.1; done"
ENDED = {"succeeded", "failed"}
BEGAN = "2026-11-25T08:00:00Z"
SENDERS, PATIENCE_SECONDS = 4, 3.0


def install(installation: Installation, journal: Path, during: str) -> Installation:
    """Give an installation the policies of the storm, and playbooks that write into a journal."""
    (installation.folder / "policies.yml").write_text(POLICIES)
    for action in ACTIONS.values():
        text = PLAYBOOK.replace("{during}", during).replace("{action}", action)
        installation.playbook(action, text.replace("{journal}", str(journal)))
    installation.forbid_repeats(ONCE_ONLY)
    return installation


def waiting_at(gate: Path) -> str:
    """Return the task of a playbook that waits in its middle until there is a file."""
    return f"command: sh -c '{AT_THE_GATE.replace('{gate}', str(gate))}'"


def at_the_gate(installation: Installation) -> list[int]:
    """Return the processes that wait there: one of each playbook that came so far."""
    begins = f"sh\0-c\0{AT_THE_GATE.partition('{')[0]}".encode()
    return [pid for pid in installation.processes() if read_of(pid, "cmdline").startswith(begins)]


def name_of(number: int) -> str:
    return f"Storm{number}"


def kind_of(number: int) -> str:
    return KINDS[number % len(KINDS)]


def target_of(number: int) -> str:
    return f"was{number // ALERTS_OF_A_TARGET}"


def body(number: int) -> bytes:
    """Return a delivery of one alert, unlike that of any other number."""
    labels = {"alertname": name_of(number), "kind": kind_of(number), "instance": target_of(number)}
    alert = {"status": "firing", "labels": labels, "startsAt": BEGAN, "fingerprint": f"f{number}"}
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


@dataclasses.dataclass
class Senders:
    """Posts each alert again and again until it is answered 202, as Alertmanager does, and counts the tries.

    `in_doubt`: tries that ended without an answer; each may have been kept or not.
    """

    installation: Installation
    taken: list[str] = dataclasses.field(default_factory=list)
    in_doubt: list[str] = dataclasses.field(default_factory=list)
    _waiting: queue.Queue[int | None] = dataclasses.field(default_factory=queue.Queue)
    _threads: list[threading.Thread] = dataclasses.field(default_factory=list)
    _stopped: threading.Event = dataclasses.field(default_factory=threading.Event)

    def __enter__(self) -> Senders:
        self._threads = [threading.Thread(target=self._send_all, daemon=True) for _ in range(SENDERS)]
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        for _ in self._threads:
            self._waiting.put(None)
        for each in self._threads:
            each.join(PATIENCE_SECONDS + 10)

    def send(self, numbers: Iterable[int]) -> None:
        for each in numbers:
            self._waiting.put(each)

    def _send_all(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.installation.port, timeout=PATIENCE_SECONDS)
        while (number := self._waiting.get()) is not None:
            while not self._stopped.is_set() and not self._taken(connection, number):
                connection.close()
                time.sleep(0.05)
        connection.close()

    def _taken(self, connection: http.client.HTTPConnection, number: int) -> bool:
        head = {"Authorization": f"Bearer {self.installation.token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/alerts", body(number), head)
            response = connection.getresponse()
            text = response.read()
        except ConnectionRefusedError:
            return False
        except (OSError, http.client.HTTPException):
            self.in_doubt.append(name_of(number))
            return False
        if response.status != 202:
            assert response.status == 503, text
            return False
        self.taken.append(name_of(number))
        return True


@dataclasses.dataclass(frozen=True)
class Line:
    """What a playbook wrote into the journal."""

    action: str
    job: str
    attempt: int
    what: str

    @property
    def attempt_of_job(self) -> tuple[str, int]:
        return self.job, self.attempt


def read(journal: Path) -> list[Line]:
    words = [line.split() for line in journal.read_text().splitlines()] if journal.exists() else []
    return [Line(action, job, int(attempt), what) for action, job, attempt, what in words]


def of_job(journal: Path, job: str) -> list[tuple[int, str]]:
    return [(each.attempt, each.what) for each in read(journal) if each.job == job]


def under_way(journal: Path) -> set[tuple[str, int]]:
    """Return the attempts that began and did not end."""
    lines = read(journal)
    return {each.attempt_of_job for each in lines} - {each.attempt_of_job for each in lines if each.what == "end"}


def settled(installation: Installation, store: Store, senders: Sequence[Senders], alerts: int) -> None:
    """Wait until every alert is taken and judged and every job has ended."""
    until(lambda: all(len(each.taken) == alerts for each in senders), 180, "every alert is answered 202")
    until(lambda: unjudged(store) == 0, 180, "every delivery is judged")
    until(lambda: {each["state"] for each in installation.jobs()} <= ENDED, 300, "every job ended")


def check_ledger(installation: Installation, store: Store, senders: Sequence[Senders]) -> None:
    """See that the ledger counts each kept delivery once: all that was answered 202, and nothing that was not sent."""
    told: collections.Counter[str] = collections.Counter()
    for line in installation.ledger():
        told[line["name"]] += 1 + line["repeats"]
    taken = collections.Counter(itertools.chain.from_iterable(each.taken for each in senders))
    in_doubt = collections.Counter(itertools.chain.from_iterable(each.in_doubt for each in senders))
    with store.read() as connection:
        bodies = [bytes(row[0]) for row in connection.exec_driver_sql("SELECT body FROM deliveries")]
    kept = collections.Counter(json.loads(each)["alerts"][0]["labels"]["alertname"] for each in bodies)
    assert told == kept
    assert {name for name in taken if told[name] < taken[name]} == set()
    assert {name for name in told if told[name] > taken[name] + in_doubt[name]} == set()


def check_runs(installation: Installation, journal: Path, alerts: int) -> int:
    """See that each target has its one job, which did its work once; return how many attempts were interrupted."""
    jobs = {each["id"]: each for each in installation.jobs()}
    wanted = {(ACTIONS[kind_of(number)], target_of(number)) for number in range(alerts) if kind_of(number) in ACTIONS}
    assert sorted((each["action"], each["target"]) for each in jobs.values()) == sorted(wanted)
    lines = read(journal)
    assert {each.job for each in lines} <= set(jobs)
    interrupted = 0
    for name, job in jobs.items():
        begun = [each.attempt for each in lines if each.job == name and each.what == "begin"]
        ended = [each.attempt for each in lines if each.job == name and each.what == "end"]
        assert len(begun) == len(set(begun))
        assert len(ended) == len(set(ended))
        if job["state"] == "succeeded":
            assert job["attempt"] in begun
            assert job["attempt"] in ended
            interrupted += job["attempt"] - 1
        else:
            assert (job["action"], job["attempt"]) == (ONCE_ONLY, 1), job
            assert "may not repeat" in job["outcome"] or "lost its lease" in job["outcome"], job
            interrupted += 1
        assert job["action"] != ONCE_ONLY or len(begun) <= 1
    check_one_at_a_time(lines)
    return interrupted


def check_one_at_a_time(lines: Sequence[Line]) -> None:
    """See that nothing of an attempt was written after another attempt or job of its lock had begun to write."""
    for action in LOCKS:
        of_lock = [each.attempt_of_job for each in lines if each.action == action]
        turns = [turn for turn, _ in itertools.groupby(of_lock)]
        assert len(turns) == len(set(turns)), f"{action}: two ran at once, or one ran twice: {turns}"
