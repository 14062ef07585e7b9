"""Two API servers, of which one does not hear from etcd any more: what it shows is the past."""

import time

import pytest
from end_state import done_more_often
from etcd_proxy import EtcdProxy
from objects import deployment, volume_attachment
from operator_requests import OperatorRequests, received, time_text
from removal import Removal, traces_on
from small_removals import outcome
from waiting import wait_until

STALE = "kube-apiserver-stale"
FINALIZER = "example.com/disk"
READ_HOLDS_SECONDS = 5  # kCheckHolds


class StaleServer:
    """The second API server, and the means to stop its clock."""

    def __init__(self, cluster, etcd):
        self._etcd = etcd
        self.url, self._api = cluster.add_api_server(STALE, etcd.port)

    def freeze(self):
        for kind in ("NodeRemoval", "Node", "Pod"):
            self._cached(kind)  # else it would remember nothing of them
        self._etcd.freeze()

    def thaw(self):
        self._etcd.thaw()

    def remembered(self, removal):
        """The NodeRemoval in its cache."""
        [found] = [each for each in self._cached("NodeRemoval") if each["metadata"]["name"] == removal.name]
        return found

    def _cached(self, kind):
        return self._api.request("GET", f"{self._api.path(kind)}?resourceVersion=0")["items"]


@pytest.fixture
def stale(cluster):
    with EtcdProxy(cluster.etcd_port) as etcd:
        try:
            yield StaleServer(cluster, etcd)
        finally:
            etcd.thaw()
            cluster.remove_api_server(STALE)


class Draining:
    """A budget keeps the pod."""
    reason = "DrainBlocked"

    def __init__(self, sandbox, jetson, _):
        self._sandbox = sandbox
        sandbox.create_guarded_on(jetson, "web")

    def let_go(self):
        self._sandbox.api.delete("PodDisruptionBudget", "web", self._sandbox.namespace)


class Migrating:
    """The pod that takes over finds no node."""
    reason = "WaitingForMigration"

    def __init__(self, sandbox, jetson, spare):
        self._sandbox, self._spare = sandbox, spare
        self._labels = {"pool": sandbox.name("pool")}
        self._label(jetson)
        sandbox.create_on(jetson, deployment("web", node_selector=self._labels))

    def let_go(self):
        self._label(self._spare)

    def _label(self, node):
        self._sandbox.api.patch("Node", node, {"metadata": {"labels": self._labels}})


class Detaching:
    """A volume is attached."""
    reason = "WaitingForVolumes"

    def __init__(self, sandbox, jetson, _):
        self._sandbox = sandbox
        self._attachment = sandbox.name("attachment")
        sandbox.create_on(jetson, deployment("web"))
        sandbox.create(volume_attachment(self._attachment, jetson, "disk"))

    def let_go(self):
        self._sandbox.api.delete("VolumeAttachment", self._attachment)


class Deleting:
    """Somebody's finalizer keeps the Node."""
    reason = "WaitingForFinalizers"

    def __init__(self, sandbox, jetson, _):
        self._sandbox, self._jetson = sandbox, jetson
        sandbox.create_on(jetson, deployment("web"))
        self._set([FINALIZER])

    def let_go(self):
        self._set(None)

    def _set(self, finalizers):
        self._sandbox.api.patch("Node", self._jetson, {"metadata": {"finalizers": finalizers}})


class Traveller:
    """A removal that stands still in a phase, and an operator that can be led from one API server to the other."""

    def __init__(self, phase, cluster, sandbox, start_operator, kubeconfig, proxy):
        self.cluster, self.sandbox, self.proxy = cluster, sandbox, proxy
        self.jetson, self.spare = sandbox.add_nodes(2)
        self.phase = phase(sandbox, self.jetson, self.spare)
        self.audit = sandbox.audit()
        self.operator = start_operator(kubeconfig=proxy.kubeconfig(kubeconfig))
        self.removal = Removal(sandbox, self.jetson)
        self.removal.wait_reason(phase.reason)

    def go_on(self):
        """Until the end, of which the outcome is returned."""
        assert self.removal.wait_end(120) == ("True", "NodeRemoved")
        self.operator.kill()
        return outcome(self, self.audit)

    def stay_until_it_is_past(self, stale):
        """The server stops while the operator listens to it."""
        before = self._watches()
        self.proxy.lead_to(stale.url)
        wait_until(lambda: self._watches() > before, 60, "the operator watches the other server")
        stale.freeze()

    def move_to_the_past(self, stale):
        stale.freeze()
        self.proxy.lead_to(stale.url)

    def wait_asked(self):
        """Until it wants to know something that the stale server cannot tell."""
        before = len(self.proxy.passed)
        wait_until(lambda: len(self.proxy.passed) > before, 60, "the operator asks something",
                   seen=self.operator.log_text)

    def wait_lost(self):
        """Until what it had read before the past does not count any more, and an eviction needs a new read, which gets
        no answer. Returns when that was, as the audit log writes it."""
        time.sleep(READ_HOLDS_SECONDS + 1)
        return time_text(time.time())

    def _watches(self):
        return self.proxy.count("WATCH", ".*/noderemovals")


@pytest.fixture
def travel(cluster, sandbox, start_operator, operator_kubeconfig, proxy):
    return lambda phase: Traveller(phase, cluster, sandbox, start_operator, operator_kubeconfig, proxy)


TO_THE_PAST = {"stays until it is past": Traveller.stay_until_it_is_past, "moves there": Traveller.move_to_the_past}


@pytest.fixture(params=TO_THE_PAST.values(), ids=TO_THE_PAST.keys())
def to_the_past(request):
    return request.param


@pytest.mark.long
@pytest.mark.parametrize("phase", [Draining, Migrating, Detaching, Deleting])
def test_a_removal_ends_the_same_when_the_operator_was_led_into_the_past(travel, stale, phase, to_the_past):
    untroubled = travel(phase)
    untroubled.phase.let_go()
    end, done = untroubled.go_on()

    traveller = travel(phase)
    to_the_past(traveller, stale)
    traveller.phase.let_go()
    traveller.wait_asked()
    traveller.proxy.lead_to(traveller.cluster.server)
    other_end, done_then = traveller.go_on()
    assert other_end == end
    assert done_more_often(done_then, done) == {}


@pytest.mark.long
@pytest.mark.parametrize("present", ["thawed", "left"])
def test_a_cancel_that_the_past_does_not_show_is_obeyed(travel, stale, to_the_past, present):
    traveller = travel(Draining)
    to_the_past(traveller, stale)
    lost = traveller.wait_lost()
    requests = OperatorRequests(traveller.sandbox)
    traveller.removal.cancel()
    traveller.phase.let_go()
    traveller.wait_asked()
    assert "deletionTimestamp" not in stale.remembered(traveller.removal)["metadata"]
    come_back(traveller, stale, present)
    traveller.removal.wait_gone(90)
    node = traveller.sandbox.get("Node", traveller.jetson)
    assert not node["spec"].get("unschedulable") and traces_on(node) == []
    assert [each for each in requests.evictions() if received(each) > lost] == requests.node_deletes() == []


@pytest.mark.long
@pytest.mark.parametrize("present", ["thawed", "left"])
def test_a_node_that_joined_again_while_the_operator_saw_the_past_is_left_alone(travel, stale, to_the_past, present):
    traveller = travel(Draining)
    to_the_past(traveller, stale)
    lost = traveller.wait_lost()
    requests = OperatorRequests(traveller.sandbox)
    traveller.cluster.remove_node(traveller.jetson)
    traveller.cluster.add_node(traveller.jetson)
    traveller.phase.let_go()
    traveller.wait_asked()
    come_back(traveller, stale, present)
    traveller.removal.wait_end(120)
    successor = traveller.sandbox.get("Node", traveller.jetson)
    assert not successor["spec"].get("unschedulable") and traces_on(successor) == []
    assert [each for each in requests.evictions() if received(each) > lost] == []
    assert requests.node_deletes() == requests.node_patches() == []


def come_back(traveller, stale, present):
    if present == "thawed":
        stale.thaw()
    else:
        traveller.proxy.lead_to(traveller.cluster.server)
