"""What customers and operators see of an edge with two servers of its own site and one of another."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from molecule.balancer.tests.conftest import Site

    Operate = Callable[..., tuple[int, str]]
    Unready = Callable[..., None]

KEY = {"Idempotency-Key": "0123456789abcdef"}
GREEDY = """
import ssl, urllib.error, urllib.request
for _ in range(60):
    try:
        any_certificate = ssl._create_unverified_context()
        print(urllib.request.urlopen("https://10.210.254.80/who", context=any_certificate, timeout=5).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""


def insecure(**settings: object) -> ssl.SSLContext:
    """Accept any certificate: these tests ask for something else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in settings.items():
        setattr(context, name, value)
    return context


class TestEntry:
    def test_customers_are_served_over_http_2(self, site: Site) -> None:
        context = insecure()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with site.connect(context) as connection:
            assert connection.selected_alpn_protocol() == "h2"
            assert connection.version() == "TLSv1.3"

    def test_old_tls_is_refused(self, site: Site) -> None:
        context = insecure(minimum_version=ssl.TLSVersion.TLSv1_1, maximum_version=ssl.TLSVersion.TLSv1_1)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
            site.connect(context)

    def test_tls_1_2_is_still_accepted(self, site: Site) -> None:
        with site.connect(insecure(maximum_version=ssl.TLSVersion.TLSv1_2)) as connection:
            assert connection.version() == "TLSv1.2"

    def test_who_comes_in_clear_is_sent_to_tls(self, site: Site) -> None:
        clear = http.client.HTTPConnection(site.address, 80, timeout=5)
        answer = site.ask("/films?date=today", headers={"Host": "tickets.example.test"}, connection=clear)
        assert answer.status == 301
        assert answer.headers["location"] == "https://tickets.example.test/films?date=today"

    def test_browsers_are_told_to_come_back_over_tls(self, site: Site) -> None:
        assert site.ask().headers["strict-transport-security"] == "max-age=31536000"

    def test_a_client_cannot_claim_another_address(self, site: Site) -> None:
        answer = site.ask(headers={"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "http"})
        headers = json.loads(answer.text)["headers"]
        assert headers["x-forwarded-for"] == "10.210.254.1"
        assert headers["x-forwarded-proto"] == "https"

    def test_the_applications_metrics_are_not_for_customers(self, site: Site) -> None:
        assert site.ask("/metrics").status == 404

    def test_a_greedy_client_is_told_to_wait_and_others_are_not(self, site: Site) -> None:
        said = site.farm.run(f"python3 - <<'END'\n{GREEDY}\nEND")
        statuses = said.stdout.split()
        assert 40 <= statuses.count("200") < 55, said  # on a slow machine the first of them are forgotten meanwhile
        assert statuses.count("200") + statuses.count("429") == 60
        assert site.ask().status == 200

    def test_metrics_of_the_edge_are_served_inside(self, site: Site) -> None:
        inside = http.client.HTTPConnection(site.address, 8404, timeout=5)
        answer = site.ask("/metrics", connection=inside)
        assert "haproxy_server_status{" in answer.text

    def test_a_new_certificate_is_taken_over_by_itself(self, site: Site) -> None:
        def served() -> bytes | None:
            with site.connect(insecure()) as connection:
                return connection.getpeercert(binary_form=True)

        before = served()
        site.edge.check_output("cp /etc/understudy/tls/edge.pem /root/before.pem")
        site.edge.check_output("cp /root/next.pem /etc/understudy/tls/edge.pem")
        site.wait_until(lambda: served() != before, "the next certificate is served", 75)
        site.edge.check_output("cp /root/before.pem /etc/understudy/tls/edge.pem")
        site.edge.check_output("systemctl start understudy-balancer-certificate.service")
        site.wait_until(lambda: served() == before, "the certificate is as before")


class TestChoice:
    def test_servers_of_the_own_site_come_first(self, site: Site) -> None:
        assert site.who_answers() == {"near1", "near2"}

    def test_one_server_of_the_own_site_is_enough(self, site: Site, unready: Unready) -> None:
        unready("near1")
        assert site.who_answers() == {"near2"}

    def test_the_other_site_stands_in_when_the_own_has_none(self, site: Site, unready: Unready) -> None:
        unready("near1", "near2")
        assert site.who_answers() == {"far1"}

    def test_without_any_server_people_get_a_page_and_programs_json(self, site: Site, unready: Unready) -> None:
        unready("near1", "near2", "far1")
        page, program = site.ask(), site.ask("/api/v1/films")
        assert (page.status, page.headers["retry-after"]) == (503, "2")
        assert "nothing was charged" in page.text
        assert "결제되지 않았습니다" in page.text
        assert page.headers["strict-transport-security"]
        assert (program.status, program.headers["retry-after"]) == (503, "2")
        assert json.loads(program.text)["error"]["code"] == "unavailable"


class TestRetry:
    def test_a_question_that_one_server_drops_is_answered_by_another(self, site: Site) -> None:
        assert {site.ask("/fragile/question").server for _ in range(10)} == {"near2"}

    def test_a_purchase_with_its_key_is_answered_by_another(self, site: Site) -> None:
        answers = [site.ask("/fragile/keyed", "POST", KEY) for _ in range(10)]
        assert {answer.server for answer in answers} == {"near2"}

    def test_a_post_without_a_key_is_sent_once(self, site: Site) -> None:
        path = f"/cut/{uuid.uuid4()}"
        answer = site.ask(path, "POST")
        assert answer.status == 502
        assert site.counts(path) == 1
        assert "look up your booking" in answer.text

    def test_any_other_method_is_sent_once_even_with_a_key(self, site: Site) -> None:
        path = f"/cut/{uuid.uuid4()}"
        assert site.ask(path, "DELETE", KEY).status == 502
        assert site.counts(path) == 1

    def test_a_post_with_a_key_is_tried_three_times(self, site: Site) -> None:
        path = f"/cut/{uuid.uuid4()}"
        assert site.ask(path, "POST", KEY).status == 502
        assert site.counts(path) == 3

    def test_a_server_that_refuses_connections_costs_nobody_a_request(self, site: Site) -> None:
        with site.crowd() as crowd:
            site.farm.check_output("systemctl stop server@8081")
            site.wait_until(lambda: "near1 down" in site.show(), "near1 is seen down")
            assert set(crowd.since_now()) == {"near2"}
            site.farm.check_output("systemctl start server@8081")
            site.wait_until(lambda: "near1 up" in site.show(), "near1 is seen up")
        assert crowd.failures == []


class TestOperation:
    def test_a_reload_drops_nothing(self, site: Site) -> None:
        with site.crowd() as crowd:
            for _ in range(5):
                site.edge.check_output("systemctl reload haproxy")
                crowd.since_now()
        assert crowd.failures == []

    def test_a_drained_server_gets_nothing_and_its_requests_are_finished(self, site: Site, operate: Operate) -> None:
        answers: list[int] = []
        slow = threading.Thread(target=lambda: answers.append(site.ask("/slow").status))
        with site.crowd() as crowd:
            slow.start()
            code, said = operate("drain", "near1")
            assert code == 0, said
            assert set(crowd.since_now()) == {"near2"}
            assert "near1 drained requests=0" in site.show()
            code, said = operate("enrol", "near1")
            assert code == 0, said
            assert set(crowd.since_now()) == {"near1", "near2"}
        slow.join()
        assert crowd.failures == []
        assert answers == [200]

    def test_draining_and_enrolling_twice_changes_nothing(self, operate: Operate) -> None:
        for verb in ("drain", "enrol"):
            _, first = operate(verb, "near1")
            _, second = operate(verb, "near1")
            assert "changed=1" in first
            assert "changed=0" in second

    def test_check_mode_tells_and_does_nothing(self, site: Site, operate: Operate) -> None:
        code, said = operate("drain", "near1", "--check")
        assert code == 0, said
        assert "changed=1" in said
        assert "drained" not in site.show()

    def test_a_drained_server_stays_drained_over_a_reload_and_a_restart(self, site: Site, operate: Operate) -> None:
        operate("drain", "near1")
        for verb in ("reload", "restart"):
            site.edge.check_output(f"systemctl {verb} haproxy")
            site.wait_until(lambda: "near2 up" in site.show(), "the edge is back")
            assert "near1 drained" in site.show()
            assert "near1" not in site.who_answers()

    def test_an_unknown_server_is_named(self, operate: Operate) -> None:
        code, said = operate("drain", "nobody")
        assert code != 0
        assert "knows no server 'nobody'; it knows far1, near1, near2" in said

    def test_the_last_usable_server_is_not_drained_by_accident(
        self, site: Site, operate: Operate, unready: Unready
    ) -> None:
        unready("near2", "far1")
        code, said = operate("drain", "near1")
        assert code != 0
        assert "near1 is the only usable server" in said
        assert site.who_answers() == {"near1"}
        assert operate("drain", "near1", "-e", "balancer_drain_last=true")[0] == 0

    def test_a_server_that_does_not_become_ready_is_told(self, operate: Operate, unready: Unready) -> None:
        unready("near1")
        code, said = operate("enrol", "near1", "-e", "balancer_enrol_seconds=2")
        assert code != 0
        assert "near1 is enrolled at mol-balancer-edge but not ready after 2 s" in said
        assert "L7STS 503" in said

    def test_an_edge_that_cannot_be_reached_stops_the_run_unless_it_is_left_out(self, operate: Operate) -> None:
        edges = '{"balancer_edges": ["mol-balancer-dark", "mol-balancer-edge"]}'
        code, said = operate("drain", "near1", "-e", edges)
        assert code != 0
        assert "mol-balancer-dark cannot be reached" in said
        code, said = operate("drain", "near1", "-e", edges, "-e", "balancer_skip_unreachable_edges=true")
        assert code == 0, said
        assert "was left out" in said

    def test_an_edge_that_was_found_dark_is_not_waited_for_and_is_told(self, operate: Operate) -> None:
        edges = (
            '{"balancer_edges": ["mol-balancer-dark", "mol-balancer-edge"], "balancer_skip_unreachable_edges": true}'
        )
        dark = '{"balancer_known_dark": ["mol-balancer-dark"]}'
        code, said = operate("enrol", "near1", "-e", edges, "-e", dark)
        assert code == 0, said
        assert "UNREACHABLE" not in said
        assert "mol-balancer-dark cannot be reached and was left out" in said
        code, said = operate("enrol", "near1", "-e", edges, "-e", dark.replace("]", ', "mol-balancer-edge"]'))
        assert code != 0
        assert "at least one edge must answer" in said
