"""The end of the operator's process. What becomes of its removals is in crash_test.py."""

import signal

from removal import Removal
from waiting import wait_until


def test_while_a_drain_is_blocked_it_ends_soon_and_the_removal_goes_on_after_a_restart(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_blocked_by(pod["metadata"]["name"], "PodDisruptionBudget")

    assert operator.terminate(timeout=10) == 0
    assert operator.log_text().rstrip().endswith("stopped")

    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    operator.start()
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_a_running_request_is_cancelled_after_the_shutdown_timeout(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    operator = start_operator("--shutdown-timeout=1")
    _block_and_freeze(cluster, sandbox, operator, jetson)
    assert operator.terminate(timeout=10) == 0
    assert "cancels what did not end in time" in operator.log_text()


def test_a_second_signal_ends_it_at_once(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    operator = start_operator("--shutdown-timeout=3600")
    _block_and_freeze(cluster, sandbox, operator, jetson)
    operator.ask_to_end()
    wait_until(lambda: "stopping" in operator.log_text(), 10, "the operator stops", seen=operator.log_text)
    assert operator.terminate(timeout=10) == 128 + signal.SIGTERM


def test_it_ends_although_whoever_started_it_had_blocked_the_signal(start_operator):
    block = ("import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); "
             "os.execv(sys.argv[1], sys.argv[1:])")
    operator = start_operator(through=("/usr/bin/python3", "-c", block))
    operator.address("health")
    assert operator.terminate(timeout=10) == 0


def _block_and_freeze(cluster, sandbox, operator, node):
    """Until the operator waits for an answer of the API server that does not come."""
    removal = Removal(sandbox, node)
    removal.wait_reason("DrainBlocked")
    cluster.freeze("kube-apiserver")
    wait_until(lambda: operator.metrics()['controller_runtime_active_workers{controller="noderemoval"}'] == 1, 30,
               "a worker waits for an answer", seen=operator.log_text)
