"""The operator is killed with SIGKILL again and again during one removal."""

import os
import random
import time

from objects import deployment, stateful_set
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal

KILLS = 6
LONGEST_LIFE_SECONDS = 1.5


def test_a_removal_ends_the_same_when_the_operator_is_killed_at_random_moments(sandbox, start_operator):
    seed = int(os.environ.get("NODEREMOVAL_TEST_SEED", random.randrange(1 << 32)))
    print(f"repeat with NODEREMOVAL_TEST_SEED={seed}")
    moments = random.Random(seed)
    jetson, other, _ = sandbox.add_nodes(3)
    sandbox.create_on(jetson, deployment("web", replicas=4), stateful_set("db"))
    sandbox.create(deployment("stays", node_selector={"kubernetes.io/hostname": other}))
    sandbox.wait_ready("Deployment", "stays")
    node = sandbox.get("Node", jetson)
    leaving = {pod["metadata"]["uid"] for pod in sandbox.pods(node=jetson)}
    requests = OperatorRequests(sandbox)
    operator = start_operator()

    removal = Removal(sandbox, jetson)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0, LONGEST_LIFE_SECONDS))
        operator.restart()

    assert removal.wait_end() == ("True", "NodeRemoved")
    assert sandbox.get("Node", jetson) is None
    assert sandbox.pods(node=jetson) == []
    for kind, name in (("Deployment", "web"), ("StatefulSet", "db"), ("Deployment", "stays")):
        sandbox.wait_ready(kind, name)
    assert {uid_of(each) for each in requests.evictions()} == leaving
    assert {uid_of(each) for each in requests.writes("nodes")} == {node["metadata"]["uid"]}
    assert requests.pod_deletes() == []
    assert len([each for each in requests.node_deletes() if succeeded(each)]) == 1
