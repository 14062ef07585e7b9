"""The operator itself ends in the middle of a removal, and starts again."""

import os
import random
import time

import pytest
from objects import deployment, naked_pod, stateful_set
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal

KILLS = 6
LONGEST_LIFE_SECONDS = 1.5


@pytest.fixture
def crash():
    """Kills and restarts an operator several times, at random moments."""
    seed = int(os.environ.get("NODEREMOVAL_TEST_SEED", random.randrange(1 << 32)))
    print(f"to repeat: NODEREMOVAL_TEST_SEED={seed}")
    generator = random.Random(seed)

    def again_and_again(operator):
        for _ in range(KILLS):
            time.sleep(generator.uniform(0, LONGEST_LIFE_SECONDS))
            operator.restart()

    return again_and_again


def test_a_removal_ends_the_same_when_the_operator_is_killed_at_random_moments(
        sandbox, start_operator, crash):
    jetson, other, _ = sandbox.add_nodes(3)
    sandbox.create_on(other, deployment("stays"))
    sandbox.create_on(jetson, deployment("web", replicas=4), stateful_set("db"))
    node = sandbox.get("Node", jetson)
    leaving = {pod["metadata"]["uid"] for pod in sandbox.pods(node=jetson)}
    requests = OperatorRequests(sandbox)
    operator = start_operator()

    removal = Removal(sandbox, jetson)
    crash(operator)
    assert removal.wait_end() == ("True", "NodeRemoved")
    for kind, name in (("Deployment", "web"), ("StatefulSet", "db"), ("Deployment", "stays")):
        sandbox.wait_ready(kind, name)
    assert sandbox.get("Node", jetson) is None
    assert sandbox.pods(node=jetson) == []
    assert {uid_of(each) for each in requests.evictions()} == leaving
    assert {uid_of(each) for each in requests.writes("nodes")} == {node["metadata"]["uid"]}
    assert requests.pod_deletes() == []
    assert_deleted_once(requests)


def test_the_removal_of_a_dead_node_ends_the_same_when_the_operator_is_killed_at_random_moments(
        cluster, sandbox, start_operator, crash):
    jetson, other, _ = sandbox.add_nodes(3)
    sandbox.create_on(other, deployment("stays"))
    sandbox.create_on(jetson, deployment("web", replicas=2, grace=1), stateful_set("db", grace=1))
    leaving = {pod["metadata"]["uid"] for pod in sandbox.pods(node=jetson)}
    requests = OperatorRequests(sandbox)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    operator = start_operator("--overdue-margin=1")

    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1, "fenced": True})
    crash(operator)
    assert removal.wait_end() == ("True", "NodeRemoved")
    for kind, name in (("Deployment", "web"), ("StatefulSet", "db"), ("Deployment", "stays")):
        sandbox.wait_ready(kind, name)
    assert sandbox.get("Node", jetson) is None
    assert sandbox.pods(node=jetson) == []
    assert requests.evictions() == []
    assert {uid_of(each) for each in requests.pod_deletes()} == leaving


def test_an_operator_that_is_told_to_end_does_so_and_its_successor_goes_on(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(naked_pod("single", node=jetson))
    operator = start_operator()

    removal = Removal(sandbox, jetson)
    removal.wait_blocked_by("single", "UnmanagedPod")
    assert operator.terminate() == 0
    sandbox.api.delete("Pod", "single", sandbox.namespace, grace=0)
    operator.start()
    assert removal.wait_end() == ("True", "NodeRemoved")


def assert_deleted_once(requests):
    """The audit log does not tell how a request ended whose sender died meanwhile."""
    assert requests.node_deletes()
    assert len([each for each in requests.node_deletes() if succeeded(each)]) <= 1
