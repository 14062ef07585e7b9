"""A NodeRemoval that only says what it would do."""

from objects import daemon_set, deployment, naked_pod, pod_disruption_budget
from operator_requests import OperatorRequests, succeeded
from removal import PROTECT, Removal, traces_on


def test_a_dry_run_plans_for_each_pod_and_touches_nothing(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(daemon_set("agent"))
    sandbox.wait_ready("DaemonSet", "agent")
    sandbox.create_on(jetson, deployment("web"), deployment("free"), deployment("cache", empty_dir=True))
    sandbox.create(pod_disruption_budget("web", minAvailable=1))
    sandbox.create(naked_pod("single", node=jetson))
    sandbox.wait_running("single")
    sandbox.wait_counted("web", healthy=1)
    before = sandbox.pods(node=jetson)
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson, dryRun=True)
    assert removal.wait_end() == ("True", "Planned")

    assert plan_of(removal) == {
        "agent": ("Keep", "DaemonSetPod"), "web": ("Blocked", "PodDisruptionBudget"),
        "free": ("Evict", "Running"), "cache": ("Blocked", "EmptyDirData"),
        "single": ("Blocked", "UnmanagedPod")}
    assert traces_on(sandbox.get("Node", jetson)) == []
    assert not sandbox.get("Node", jetson)["spec"].get("unschedulable")
    assert [pod["metadata"]["uid"] for pod in sandbox.pods(node=jetson)] == [
        pod["metadata"]["uid"] for pod in before]
    assert removal.get()["metadata"].get("finalizers", []) == []
    assert requests.writes("nodes") == requests.writes("pods") == requests.writes("noderemovals") == []
    allowed = [each["objectRef"]["name"] for each in requests.evictions() if succeeded(each)]
    assert allowed == [pod["metadata"]["name"] for pod in sandbox.pods("free")]
    for eviction in requests.evictions():
        assert eviction["requestObject"]["deleteOptions"]["dryRun"] == ["All"]


def test_a_dry_run_says_which_guard_would_refuse(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.cluster.kubectl("annotate", "node", jetson, f"{PROTECT}=true")
    start_operator()
    removal = Removal(sandbox, jetson, dryRun=True)
    assert removal.wait_end() == ("True", "Planned")
    assert "NodeProtected" in removal.condition("Succeeded")["message"]


def test_a_removal_writes_its_plan_before_it_evicts(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    start_operator()
    removal = Removal(sandbox, jetson)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert plan_of(removal) == {"web": ("Evict", "Running")}


def plan_of(removal):
    """Action and first word of the reason, by the name of the workload."""
    return {each["pod"].partition("/")[2].split("-")[0]: (each["action"], each["reason"].split(":")[0])
            for each in removal.status()["plan"]}
