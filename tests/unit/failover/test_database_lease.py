"""What etcd's JSON gateway says of Patroni's keys, read."""

from __future__ import annotations

import base64
import json
from typing import Any

from plugins.modules.database_lease import question, read


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def answer(**keys: str) -> dict[str, Any]:
    return {"kvs": [{"key": coded(f"/service/understudy/{key}"), "value": coded(value)} for key, value in keys.items()]}


def test_the_holder_and_who_confirms_are_read_from_one_answer() -> None:
    told = read(answer(leader="colo-db1", sync='{"leader":"colo-db1","sync_standby":"cloud-db1"}'), "understudy")
    assert (told["quorum"], told["holder"], told["synchronous"]) == (True, "colo-db1", ["cloud-db1"])


def test_a_key_that_is_gone_is_a_lapsed_lease() -> None:
    told = read(answer(sync='{"leader":"colo-db1","sync_standby":null}', status="{}"), "understudy")
    assert (told["quorum"], told["holder"], told["synchronous"]) == (True, "", [])


def test_an_answer_without_keys_is_a_cluster_that_never_was() -> None:
    assert read({"header": {"revision": "1"}}, "understudy")["holder"] == ""


def test_the_question_is_one_that_only_a_majority_can_answer() -> None:
    asked = json.loads(question("understudy"))
    assert asked["serializable"] is False
    first, last = (base64.b64decode(asked[each]).decode() for each in ("key", "range_end"))
    assert all(first <= f"/service/understudy/{key}" < last for key in ("leader", "sync"))
