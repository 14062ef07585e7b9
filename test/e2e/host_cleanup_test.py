"""The operator's part of the cleaning of a machine. Simulated kubelets run no container, so the tests say in its place
what the pod that hands over left as it ended, and what the machine reported. Real machines: test/host_cleanup."""

import json
from pathlib import Path

import pytest
import roles
from api import ApiError
from objects import deployment, node_removal
from operator_requests import OperatorRequests
from oracle import OPERATOR
from removal import Removal, traces_on
from waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
COMPONENT = REPOSITORY / "manifests/components/host-cleanup"
HOST = "noderemoval-host"
FLAGS = (f"--host-cleanup-namespace={HOST}", "--host-cleanup-image=test.invalid/noderemoval:1")
START, REPORT = "noderemoval.dev/host-cleanup-start", "noderemoval.dev/host-cleanup-report"
FIRST_MINOR_WITH_RULES = 25
FIRST_MINOR_WITH_POD_SECURITY = 25
BY_HAND = "run on it: noderemoval host-cleanup"


@pytest.fixture(scope="module")
def rights(cluster):
    """Namespace and rights of the pods that hand over; taken away at the end."""
    for name in ("namespace.yaml", "rbac.yaml"):
        cluster.kubectl("apply", "-f", COMPONENT / name)
    wait_until(lambda: cluster.api.get("ServiceAccount", "default", HOST), 30, f"namespace {HOST} is complete")
    yield
    cluster.kubectl("delete", "-f", COMPONENT / "rbac.yaml", "-f", COMPONENT / "namespace.yaml")
    wait_until(lambda: cluster.api.get("Namespace", HOST) is None, 60, f"namespace {HOST} is gone")


def cleaning(sandbox, node, **fields):
    return Removal(sandbox, node, hostCleanup={"enabled": True, **fields})


def hand_over_pods(sandbox):
    return sandbox.api.list("Pod", HOST)


def wait_pod(sandbox, removal):
    uid = removal.get()["metadata"]["uid"]
    return wait_until(lambda: sandbox.api.get("Pod", f"host-cleanup-{uid}", HOST), 30,
                      f"the pod of {removal.name} that hands over is made", seen=removal.status)


def pod_ends(sandbox, removal, pod_phase, **report):
    """As the kubelet says it when the container has ended."""
    pod = wait_pod(sandbox, removal)
    uid = removal.get()["metadata"]["uid"]
    ended = {"exitCode": 0 if pod_phase == "Succeeded" else 1, "message": json.dumps({"uid": uid, **report})}
    container = {"name": "hand-over", "image": "x", "imageID": "", "ready": False, "restartCount": 0,
                 "state": {"terminated": ended}}
    status = {"phase": pod_phase, "containerStatuses": [container]}
    sandbox.api.patch("Pod", pod["metadata"]["name"], {"status": status}, HOST, "status")
    return pod


def wait_started(sandbox, removal):
    uid = removal.get()["metadata"]["uid"]
    wait_until(lambda: annotations_of(sandbox, removal.node).get(START) == uid, 30, "the machine may begin",
               seen=removal.status)


def machine_reports(sandbox, removal, phase, *steps):
    uid = removal.get()["metadata"]["uid"]
    report = {"uid": uid, "phase": phase,
              "steps": [{"name": name, "result": result, "detail": detail} for name, result, detail in steps]}
    sandbox.api.patch("Node", removal.node, {"metadata": {"annotations": {REPORT: json.dumps(report)}}})


def annotations_of(sandbox, node):
    return sandbox.get("Node", node)["metadata"].get("annotations", {})


@pytest.mark.usefixtures("rights")
def test_the_machine_is_cleaned_after_the_drain_and_before_its_node_is_deleted(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", grace=1))
    requests, audit = OperatorRequests(sandbox), sandbox.audit()
    start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson, steps=["IPVS", "CNI"])
    pod = pod_ends(sandbox, removal, "Succeeded", phase="HandedOver",
                   steps=[{"name": "CNI", "result": "Scheduled", "detail": ""}])
    assert removal.condition("Drained")["status"] == "True"
    assert pod["spec"]["nodeName"] == jetson
    assert "--steps=CNI,IPVS" in pod["spec"]["containers"][0]["args"]

    wait_started(sandbox, removal)
    removal.wait_reason("Cleaning")
    cluster.freeze_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    assert removal.condition("Succeeded")["reason"] == "Cleaning"
    assert requests.node_deletes() == []

    machine_reports(sandbox, removal, "Succeeded", ("Kubelet", "Done", "stopped, disabled"), ("CNI", "Done", "cni0"))
    assert removal.wait_end() == ("True", "NodeRemoved")
    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("True", "Cleaned")
    assert cleaned["message"] == "Kubelet Done (stopped, disabled), CNI Done (cni0)"
    assert {("Normal", "HostCleanupStarted"), ("Normal", "HostCleaned")} <= removal.events()
    assert hand_over_pods(sandbox) == []
    assert sandbox.get("Node", jetson) is None
    rights = roles.of_the_operator(roles.HOST_CLEANUP)
    sent = audit.requests(user=OPERATOR, resource="pods")
    assert rights - set().union(*(roles.taken_by(request, rights) for request in sent)) == set()


@pytest.mark.usefixtures("rights")
def test_a_start_and_a_report_that_somebody_else_wrote_count_for_nothing(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    removal = cleaning(sandbox, jetson, timeoutSeconds=3)
    uid = removal.get()["metadata"]["uid"]
    sandbox.api.patch("Node", jetson, {"metadata": {"annotations": {START: uid}}})
    machine_reports(sandbox, removal, "Succeeded", ("Kubelet", "Done", "stopped"))
    start_operator(*FLAGS)

    wait_pod(sandbox, removal)
    assert removal.wait_end() == ("False", "HostCleanupFailed")
    assert removal.condition("HostCleaned")["status"] == "False"
    assert sandbox.get("Node", jetson), "the Node stays"


@pytest.mark.usefixtures("rights")
@pytest.mark.parametrize(("on_failure", "end"), [("Fail", ("False", "HostCleanupFailed")),
                                                 ("Continue", ("True", "NodeRemoved"))])
def test_a_machine_that_refuses_is_named_and_the_removal_goes_on_as_the_user_wants(
        sandbox, start_operator, on_failure, end):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson, onFailure=on_failure)
    pod_ends(sandbox, removal, "Failed", phase="Failed", reason="UnsupportedHost", message="no systemd")
    assert removal.wait_end() == end
    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("False", "HandOverFailed")
    assert "UnsupportedHost: no systemd" in cleaned["message"]
    assert hand_over_pods(sandbox) == []
    assert ("Warning", "HostNotCleaned") in removal.events()
    if on_failure == "Fail":
        assert traces_on(sandbox.get("Node", jetson)) == []
        assert START not in annotations_of(sandbox, jetson)


@pytest.mark.usefixtures("rights")
def test_a_dead_machine_is_not_cleaned_and_the_message_gives_the_command(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS)
    cluster.kill_node(jetson)
    cluster.wait_ready(jetson, ready=False)
    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 1},
                      hostCleanup={"enabled": True, "onFailure": "Continue", "extraPaths": ["/opt/cni"]})
    assert removal.wait_end() == ("True", "NodeRemoved")
    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("False", "HostUnreachable")
    assert cleaned["message"].endswith(f"{BY_HAND} --extra-path=/opt/cni")


@pytest.mark.usefixtures("rights")
def test_a_node_that_dies_after_the_start_without_a_report_is_given_up_in_time(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson, timeoutSeconds=8)
    pod_ends(sandbox, removal, "Succeeded", phase="HandedOver")
    wait_started(sandbox, removal)
    cluster.kill_node(jetson)
    assert removal.wait_end() == ("False", "HostCleanupFailed")
    cleaned = removal.condition("HostCleaned")
    assert (cleaned["status"], cleaned["reason"]) == ("False", "NoReport")
    assert "result.json" in cleaned["message"] and BY_HAND in cleaned["message"]
    assert hand_over_pods(sandbox) == []
    node = sandbox.get("Node", jetson)
    assert node["spec"]["unschedulable"] and traces_on(node) == []


@pytest.mark.usefixtures("rights")
def test_a_pod_that_never_ends_is_given_up_in_time_and_nothing_is_left_of_it(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson, timeoutSeconds=3)
    wait_pod(sandbox, removal)
    assert removal.wait_end() == ("False", "HostCleanupFailed")
    assert removal.condition("HostCleaned")["reason"] in ("TimedOut", "HandOverFailed")
    assert hand_over_pods(sandbox) == []
    node = sandbox.get("Node", jetson)
    assert traces_on(node) == [] and not node["spec"].get("unschedulable")


@pytest.mark.usefixtures("rights")
def test_a_cancel_before_the_start_leaves_the_machine_and_the_node_as_they_were(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson)
    wait_pod(sandbox, removal)
    removal.cancel()
    removal.wait_gone()
    wait_until(lambda: hand_over_pods(sandbox) == [], 10, "the pod that hands over is gone",
               seen=lambda: hand_over_pods(sandbox))
    node = sandbox.get("Node", jetson)
    assert traces_on(node) == [] and not node["spec"].get("unschedulable")
    assert START not in annotations_of(sandbox, jetson)


@pytest.mark.usefixtures("rights")
def test_an_operator_that_is_killed_at_every_step_of_the_cleaning_makes_one_pod_and_starts_once(
        sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    requests = OperatorRequests(sandbox)
    operator = start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson)
    wait_pod(sandbox, removal)
    operator.kill()
    operator.start()
    pod_ends(sandbox, removal, "Succeeded", phase="HandedOver")
    wait_started(sandbox, removal)
    operator.kill()
    machine_reports(sandbox, removal, "Succeeded", ("Kubelet", "NothingToDo", ""))
    operator.start()
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert removal.condition("HostCleaned")["reason"] == "NothingToDo"
    starts = [request for request in requests.node_patches()
              if START in request["requestObject"]["metadata"].get("annotations", {})]
    assert len(starts) == 1


@pytest.mark.usefixtures("rights")
def test_a_node_that_is_replaced_during_the_cleaning_is_left_alone(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson)
    pod_ends(sandbox, removal, "Succeeded", phase="HandedOver")
    wait_started(sandbox, removal)
    bound = removal.status()["nodeUID"]
    sandbox.api.delete("Node", jetson)
    cluster.restart_node(jetson)
    cluster.wait_ready(jetson)
    removal.wait_end()
    node = sandbox.get("Node", jetson)
    assert node["metadata"]["uid"] != bound
    assert traces_on(node) == [] and not node["spec"].get("unschedulable")


def test_a_namespace_that_is_missing_is_named_and_given_up_in_time(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS)
    removal = cleaning(sandbox, jetson, timeoutSeconds=3)
    assert removal.wait_end() == ("False", "HostCleanupFailed")
    assert HOST in removal.condition("HostCleaned")["message"]


@pytest.mark.usefixtures("rights")
def test_a_namespace_that_admits_no_such_pod_is_named_and_given_up_in_time(cluster, sandbox, start_operator):
    if cluster.minor < FIRST_MINOR_WITH_POD_SECURITY:
        pytest.skip("this server has no Pod Security admission")
    jetson, _ = sandbox.add_nodes(2)
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
    sandbox.api.patch("Namespace", HOST, label)
    try:
        start_operator(*FLAGS)
        removal = cleaning(sandbox, jetson, timeoutSeconds=3)
        assert removal.wait_end() == ("False", "HostCleanupFailed")
        assert "baseline" in removal.condition("HostCleaned")["message"]
    finally:
        cluster.kubectl("apply", "-f", COMPONENT / "namespace.yaml")


def test_an_operator_without_the_right_to_clean_refuses_and_touches_nothing(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    requests = OperatorRequests(sandbox)
    start_operator()
    removal = cleaning(sandbox, jetson)
    assert removal.wait_end() == ("False", "InvalidSpec")
    assert removal.condition("Accepted")["reason"] == "HostCleanupDisabled"
    assert requests.touched() == set()


@pytest.mark.usefixtures("rights")
def test_an_image_that_nobody_allowed_is_refused(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator(*FLAGS, "--host-cleanup-allow-image=test.invalid/good:1")
    refused = cleaning(sandbox, jetson, image="test.invalid/evil:1")
    assert refused.wait_end() == ("False", "InvalidSpec")
    assert refused.condition("Accepted")["reason"] == "ImageNotAllowed"
    allowed = cleaning(sandbox, jetson, image="test.invalid/good:1")
    assert wait_pod(sandbox, allowed)["spec"]["containers"][0]["image"] == "test.invalid/good:1"


@pytest.mark.parametrize(("fields", "named"), [
    ({"steps": ["Reboot"]}, "Reboot"), ({"steps": []}, "steps"), ({"cniInterfaces": ["a/b"]}, "cniInterfaces"),
    ({"cniInterfaces": ["x" * 300]}, "cniInterfaces"), ({"cniInterfaces": ["eth0"]}, "cniInterfaces"),
    ({"extraPaths": ["/etc"]}, "extraPaths"), ({"extraPaths": ["/etc/../x"]}, "extraPaths"),
    ({"timeoutSeconds": 0}, "timeoutSeconds"), ({"onFailure": "Explode"}, "onFailure")])
def test_a_cleaning_that_cannot_be_meant_is_refused_with_a_message_that_names_the_field(
        sandbox, start_operator, fields, named):
    name = sandbox.name("bad")
    try:
        sandbox.create(node_removal(name, "nowhere", hostCleanup={"enabled": True, **fields}))
    except ApiError as refusal:
        assert refusal.status == 422
        assert named in str(refusal)
        return
    assert sandbox.api.minor < FIRST_MINOR_WITH_RULES, "the API server let it pass"
    start_operator(*FLAGS)
    removal = Removal(sandbox, "nowhere", name, exists=True)
    assert removal.wait_end() == ("False", "InvalidSpec")
    assert named in removal.condition("Succeeded")["message"]


def test_a_path_of_the_system_is_refused_by_the_operator(sandbox, start_operator):
    start_operator(*FLAGS)
    removal = cleaning(sandbox, "nowhere", extraPaths=["/usr/bin"])
    assert removal.wait_end() == ("False", "InvalidSpec")
    assert "belongs to the system" in removal.condition("Succeeded")["message"]
