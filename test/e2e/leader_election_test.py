"""Several replicas, of which one acts at a time."""

import json
import time

import faults
import pytest
from operator_requests import received, time_text
from replicas import LEASE_SECONDS, NAMESPACE, RENEW_SECONDS, Replicas, identity
from waiting import wait_until


@pytest.fixture
def replicas(sandbox, start_operator):
    return Replicas(sandbox, start_operator)


def test_another_replica_goes_on_when_the_leader_crashes(replicas):
    replicas.leader.kill()
    replicas.wait_leads(replicas.other)
    replicas.let_go()
    replicas.wait_removed()
    assert replicas.writes(replicas.leader) == []
    assert replicas.writes(replicas.other)
    assert replicas.lease()["spec"]["leaseTransitions"] == 1


def test_each_replica_is_ready_and_says_whether_it_leads(replicas):
    series = 'leader_election_master_status{name="noderemoval-controller"}'
    assert replicas.leader.metrics()[series] == 1
    assert replicas.other.metrics()[series] == 0
    for replica in (replicas.leader, replicas.other):
        assert replica.ask("health", "/readyz") == (200, "ok\n")
    # It does not wait for work that it does not have.
    assert replicas.other.terminate(timeout=10) == 0


def test_a_leader_that_is_told_to_end_hands_over_at_once(replicas):
    assert replicas.leader.terminate() == 0
    lease = replicas.lease()["spec"]
    replicas.wait_leads(replicas.other, timeout=LEASE_SECONDS)
    assert "lease released" in replicas.leader.log_text()
    assert lease["holderIdentity"] != identity(replicas.leader)
    replicas.let_go()
    replicas.wait_removed()


def test_a_leader_that_was_stopped_for_longer_than_its_lease_sends_nothing_when_it_is_continued(replicas):
    replicas.leader.freeze()
    replicas.let_go()  # what it sees first when it wakes up is that the pod is gone
    replicas.wait_leads(replicas.other)
    continued = time.time()
    replicas.leader.thaw()
    wait_until(lambda: not replicas.leader.alive(), 10, "the former leader ends", seen=replicas.leader.log_text)
    assert "another replica may act now" in replicas.leader.log_text()
    replicas.wait_removed()
    late = [request for request in replicas.writes(replicas.leader) if received(request) > time_text(continued)]
    assert late == [] and replicas.writes(replicas.other)


def test_a_leader_whose_lease_cannot_be_reached_stops_before_another_starts(replicas, fenced_leases):
    wait_until(lambda: not replicas.leader.alive(), RENEW_SECONDS + 10, "the leader ends",
               seen=replicas.leader.log_text)
    ended = time.time()
    fenced_leases()
    replicas.wait_leads(replicas.other)
    replicas.let_go()
    replicas.wait_removed()
    assert [request for request in replicas.writes(replicas.leader) if received(request) > time_text(ended)] == []


def test_a_leader_whose_renewals_alone_are_never_answered_stops_before_another_starts(
        proxy, sandbox, start_operator, operator_kubeconfig):
    replicas = Replicas(sandbox, start_operator, leader={"kubeconfig": proxy.kubeconfig(operator_kubeconfig)})
    silent = proxy.on(".*", ".*/leases/.*", faults.blackhole, times=None)
    wait_until(lambda: not replicas.leader.alive(), RENEW_SECONDS + 10, "the leader ends",
               seen=replicas.leader.log_text)
    ended = time.time()
    assert silent.hits
    replicas.wait_leads(replicas.other)
    replicas.let_go()
    replicas.wait_removed()
    assert [request for request in replicas.writes(replicas.leader) if received(request) > time_text(ended)] == []


@pytest.mark.parametrize("change", [
    {"holderIdentity": "somebody"}, {"holderIdentity": None}, {"leaseDurationSeconds": 1, "holderIdentity": "x"},
    {"renewTime": None, "acquireTime": None, "leaseTransitions": 0, "holderIdentity": "x"}], ids=json.dumps)
def test_a_lease_that_a_user_edits_makes_the_leader_end_before_another_acts(replicas, change):
    replicas.edit_lease(**change)
    wait_until(lambda: not replicas.leader.alive(), RENEW_SECONDS + 5, "the leader ends",
               seen=replicas.leader.log_text)
    ended = time.time()
    replicas.wait_leads(replicas.other)
    replicas.let_go()
    replicas.wait_removed()
    first = min(map(received, replicas.writes(replicas.other)))
    assert first > time_text(ended)


def test_a_lease_that_a_user_deletes_is_made_again_by_its_holder(replicas):
    uid = replicas.lease()["metadata"]["uid"]
    replicas.sandbox.api.delete("Lease", replicas.lease_name, NAMESPACE)
    wait_until(lambda: (replicas.lease() or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid, 10,
               "there is a Lease again", seen=replicas.lease)
    assert replicas.lease()["spec"]["holderIdentity"] == identity(replicas.leader)
    replicas.let_go()
    replicas.wait_removed()
    assert replicas.leader.alive() and replicas.other.alive()
    assert "lease acquired" not in replicas.other.log_text()


@pytest.fixture
def fenced_leases(cluster, sandbox, replicas):
    """Takes the right to Leases from the operator, which to it is a Lease that cannot be reached; the returned
    function gives it back."""
    name = "noderemoval-controller"
    role = sandbox.api.request("GET", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/{name}")
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/{name}"

    def set_rules(rules):
        sandbox.api.request("PATCH", path, {"rules": rules}, content_type="application/merge-patch+json")

    set_rules([rule for rule in role["rules"] if "leases" not in rule["resources"]])
    yield lambda: set_rules(role["rules"])
    set_rules(role["rules"])
