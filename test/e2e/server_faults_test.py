"""An API server that stops, an etcd behind it that stops or forgets, and a network that takes everything away."""

import re
import secrets
import subprocess
from contextlib import contextmanager

import pytest
from fault_proxy import FaultProxy
from objects import STAYS_ON_DEAD_NODES, deployment, using_whole_grace
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal
from replicas import FLAGS, NAMESPACE, RENEW_SECONDS
from unanswering_server import UnansweringServer
from waiting import wait_until

GRACE_SECONDS = 600
NO_ANSWER = r"no (complete answer|end of the TLS handshake) within"
# Deadlines of the client: of peers that are silent or gone.
LONGER_THAN_A_SILENT_WATCH_SECONDS = 100
DETECTION_SECONDS = 35  # TCP_USER_TIMEOUT is 30 s


class WaitingRemoval:
    """A removal under way: of three evicted pods two have left, and one takes its whole grace period."""

    def __init__(self, sandbox, operator, hook):
        self.sandbox = sandbox
        self.operator = operator
        self.jetson, self.spare = sandbox.add_nodes(2)
        # While the API server is away, the nodes may be taken for dead.
        stays = {"tolerations": STAYS_ON_DEAD_NODES}
        sandbox.create_on(self.jetson, deployment("web", replicas=2, **stays),
                          deployment("slow", grace=GRACE_SECONDS, pre_stop=hook, **stays))
        self.uid = sandbox.get("Node", self.jetson)["metadata"]["uid"]
        self.leaving = {pod["metadata"]["uid"] for pod in sandbox.pods()}
        [self._slow] = sandbox.pods("slow")
        self.requests = OperatorRequests(sandbox)
        self.removal = Removal(sandbox, self.jetson)
        wait_until(lambda: [pod["metadata"]["uid"] for pod in sandbox.pods(node=self.jetson)] ==
                   [self._slow["metadata"]["uid"]], 60, "the other pods have left", seen=self.removal.status)
        wait_until(lambda: "deletionTimestamp" in sandbox.get("Pod", self._slow["metadata"]["name"])["metadata"], 30,
                   "the last pod is told to leave")

    def let_go(self):
        self.sandbox.api.delete("Pod", self._slow["metadata"]["name"], self.sandbox.namespace, grace=0)

    def assert_removed(self, timeout=60):
        assert self.removal.wait_end(timeout) == ("True", "NodeRemoved")
        assert self.sandbox.get("Node", self.jetson) is None
        assert self.operator.alive()
        assert {uid_of(each) for each in self.requests.evictions()} == self.leaving
        assert len([each for each in self.requests.evictions() if succeeded(each)]) == len(self.leaving)
        assert self.requests.pod_deletes() == []
        assert {uid_of(each) for each in self.requests.node_deletes(self.jetson) if succeeded(each)} == {
            self.uid}
        self.sandbox.wait_ready("Deployment", "web")


@pytest.fixture
def start_waiting(sandbox):
    """Starts a removal that the given operator can not finish before its let_go()."""
    with UnansweringServer() as server:
        yield lambda operator: WaitingRemoval(sandbox, operator, using_whole_grace(server.port))


@contextmanager
def frozen(cluster, name):
    cluster.freeze(name)
    try:
        yield
    finally:
        cluster.thaw(name)


def wait_api_server(cluster):
    wait_until(lambda: cluster.api.request("GET", "/readyz"), 60, "the API server is ready")


def wait_logged(operator, text, timeout):
    wait_until(lambda: re.search(text, operator.log_text()), timeout, f'the operator logs "{text}"',
               seen=operator.log_text)


def test_a_removal_ends_when_the_api_server_was_killed_during_the_wait(cluster, start_operator, start_waiting):
    waiting = start_waiting(start_operator())
    waiting.let_go()
    cluster.kill("kube-apiserver")
    cluster.restart("kube-apiserver")
    waiting.assert_removed()


@pytest.mark.parametrize("program", ["kube-apiserver", "etcd"])
def test_a_removal_ends_when_a_program_of_the_control_plane_stood_still(
        cluster, sandbox, start_operator, start_waiting, program):
    operator = start_operator("--max-concurrent-removals=0")
    waiting = start_waiting(operator)
    third = sandbox.add_node()
    # The operator hears of the second removal when nobody answers its requests any more, or, when the API server
    # stood still before it had told, notices that its watches are silent.
    operator.freeze()
    late = Removal(sandbox, third)
    with frozen(cluster, program):
        operator.thaw()
        wait_logged(operator, NO_ANSWER, LONGER_THAN_A_SILENT_WATCH_SECONDS)
    wait_api_server(cluster)
    waiting.let_go()
    waiting.assert_removed()
    assert late.wait_end() == ("True", "NodeRemoved")


def test_a_removal_ends_when_etcd_was_killed_under_the_api_server(cluster, start_operator, start_waiting):
    waiting = start_waiting(start_operator())
    cluster.kill("etcd")
    cluster.restart("etcd")
    wait_api_server(cluster)
    waiting.let_go()
    waiting.assert_removed()


def test_a_removal_ends_when_the_place_of_its_watches_was_forgotten(cluster, start_operator, start_waiting):
    operator = start_operator()
    waiting = start_waiting(operator)
    operator.freeze()
    waiting.let_go()
    cluster.compact()
    cluster.restart("kube-apiserver")
    wait_api_server(cluster)
    operator.thaw()
    waiting.assert_removed()


@pytest.mark.long
@pytest.mark.parametrize("program", ["kube-apiserver", "etcd"])
def test_a_removal_ends_when_a_program_stood_still_for_longer_than_a_watch_may_be_silent(
        cluster, start_operator, start_waiting, program):
    waiting = start_waiting(start_operator())
    with frozen(cluster, program):
        wait_logged(waiting.operator, "the watch was silent", LONGER_THAN_A_SILENT_WATCH_SECONDS)
    wait_api_server(cluster)
    waiting.let_go()
    waiting.assert_removed(timeout=120)


def test_an_operator_that_can_write_nothing_ends_and_goes_on_when_there_is_space(
        cluster, sandbox, start_operator, start_waiting):
    sandbox.api.delete("Lease", "noderemoval-controller", NAMESPACE)
    operator = start_operator("--leader-elect=true", *FLAGS)
    waiting = start_waiting(operator)
    with cluster.out_of_space():
        wait_until(lambda: not operator.alive(), RENEW_SECONDS + 10, "the operator ends, because it loses its Lease",
                   seen=operator.log_text)
    operator.start()
    waiting.let_go()
    waiting.assert_removed()


def test_a_removal_that_a_restored_backup_brings_back_is_carried_out_again(
        cluster, oracle, start_operator, start_waiting):
    waiting = start_waiting(start_operator())
    wait_until(lambda: waiting.removal.status()["pods"]["remaining"] == 1, 30, "the status says so",
               seen=waiting.removal.status)
    cluster.back_up_etcd()
    waiting.let_go()
    assert waiting.removal.wait_end() == ("True", "NodeRemoved")

    assert oracle.violations() == []
    oracle.begin_anew()
    cluster.restore_etcd()
    assert waiting.removal.status()["pods"]["remaining"] == 1
    waiting.let_go()
    # The watches say nothing, and are not told of it.
    assert waiting.removal.wait_end(LONGER_THAN_A_SILENT_WATCH_SECONDS + 60) == ("True", "NodeRemoved")
    assert waiting.sandbox.get("Node", waiting.jetson) is None
    assert waiting.operator.alive()


class Network:
    """A network namespace for the operator, and a cable between it and this one."""

    def __init__(self):
        self.name = f"nr{secrets.token_hex(3)}"
        self._end, other_end = f"{self.name}a", f"{self.name}b"
        # Of the block for tests of devices (RFC 2544); a random part of it, for tests that run side by side.
        prefix = f"198.18.{secrets.randbelow(256)}"
        self.address = f"{prefix}.1"
        for command in (f"netns add {self.name}",
                        f"link add {self._end} type veth peer name {other_end} netns {self.name}",
                        f"address add {self.address}/30 dev {self._end}",
                        f"link set {self._end} up",
                        f"-n {self.name} address add {prefix}.2/30 dev {other_end}",
                        f"-n {self.name} link set lo up",
                        f"-n {self.name} link set {other_end} up"):
            ip(*command.split())
        self.through = ("ip", "netns", "exec", self.name)

    def allow_ports(self, first, last):
        """For connections that begin in it."""
        ip("netns", "exec", self.name, "sh", "-c", f"echo {first} {last} > /proc/sys/net/ipv4/ip_local_port_range")

    def pull_the_plug(self):
        ip("link", "set", self._end, "down")

    def plug_in(self):
        ip("link", "set", self._end, "up")

    def remove(self):
        ip("netns", "delete", self.name)


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")


@pytest.fixture
def network():
    made = Network()
    yield made
    made.remove()


def test_a_removal_ends_with_few_ports_for_connections(
        cluster, start_operator, start_waiting, operator_kubeconfig, network):
    # Two that it listens on, three watches, and two for requests.
    network.allow_ports(40000, 40006)
    with FaultProxy(cluster, network.address) as proxy:
        operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig), through=network.through)
        waiting = start_waiting(operator)
        waiting.let_go()
        waiting.assert_removed()
        assert "cannot assign requested address" in operator.log_text()


def test_a_removal_ends_when_the_network_was_away(
        cluster, start_operator, start_waiting, operator_kubeconfig, network):
    with FaultProxy(cluster, network.address) as proxy:
        operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig), through=network.through)
        waiting = start_waiting(operator)
        network.pull_the_plug()
        # Nothing tells the watches but that their keepalives are not answered.
        wait_logged(operator, "watch ended", DETECTION_SECONDS)
        waiting.let_go()
        network.plug_in()
        waiting.assert_removed()
