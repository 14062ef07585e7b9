"""Evictions that the API server refuses for other reasons than one budget."""

import pytest
from admission_webhook import AdmissionWebhook
from api import ApiError
from objects import deployment, pod_disruption_budget
from operator_requests import OperatorRequests, succeeded
from removal import Removal
from waiting import wait_until

FIRST_MINOR_WITH_POLICIES = 30


@pytest.fixture
def web(sandbox):
    """A node with one pod, and another node."""
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web"))
    return jetson, sandbox.pods("web")[0]


def test_two_budgets_for_one_pod_are_named_and_the_drain_goes_on_with_one(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    pod = sandbox.create_guarded_on(jetson, "web")
    sandbox.create(pod_disruption_budget("again", app="web", maxUnavailable=1))
    sandbox.wait_counted("again", healthy=1)
    start_operator()
    removal = Removal(sandbox, jetson)
    blocker = removal.wait_blocked_by(pod["metadata"]["name"], "MultiplePodDisruptionBudgets")
    assert "change their selectors so that only one does" in blocker["message"]
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_a_pod_of_a_namespace_that_is_being_deleted_is_waited_for(cluster, sandbox, start_operator, web):
    jetson, pod = web
    namespace = sandbox.namespace
    cluster.freeze("kube-controller-manager")  # or it would delete the pod before anybody could look
    sandbox.api.delete("Namespace", namespace)
    requests = OperatorRequests(sandbox)
    start_operator()
    removal = Removal(sandbox, jetson)
    blocker = removal.wait_blocked_by(pod["metadata"]["name"], "NamespaceTerminating")
    assert "its namespace is being deleted" in blocker["message"]
    assert requests.pod_deletes() == []
    cluster.thaw("kube-controller-manager")
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_what_an_admission_webhook_says_is_passed_on(sandbox, start_operator, tmp_path, web):
    jetson, pod = web
    _label_namespace(sandbox)
    requests = OperatorRequests(sandbox)
    with AdmissionWebhook(sandbox, tmp_path, message="not before the backup is done") as webhook:
        _wait_refused(sandbox, pod)
        start_operator()
        removal = Removal(sandbox, jetson)
        blocker = removal.wait_blocked_by(pod["metadata"]["name"], "EvictionRefused")
        assert "not before the backup is done" in blocker["message"]
        assert not any(map(succeeded, requests.evictions())) and requests.pod_deletes() == []
        webhook.remove()
        assert removal.wait_end() == ("True", "NodeRemoved")


def test_an_admission_webhook_that_does_not_answer_is_named(sandbox, start_operator, tmp_path, web):
    jetson, pod = web
    _label_namespace(sandbox)
    with AdmissionWebhook(sandbox, tmp_path, answers=False) as webhook:
        _wait_refused(sandbox, pod)
        start_operator()
        removal = Removal(sandbox, jetson)
        blocker = removal.wait_blocked_by(pod["metadata"]["name"], "EvictionFailed")
        assert "evictions.test.noderemoval.dev" in blocker["message"]
        webhook.remove()
        assert removal.wait_end() == ("True", "NodeRemoved")


def test_what_an_admission_policy_says_is_passed_on(sandbox, start_operator, web):
    jetson, pod = web
    if sandbox.api.minor < FIRST_MINOR_WITH_POLICIES:
        return
    _label_namespace(sandbox)
    name = sandbox.name("policy")
    sandbox.create({"kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                                                "resources": ["pods/eviction"]}]},
        "validations": [{"expression": "false", "reason": "Invalid", "message": "not in the working week"}]}})
    sandbox.create({"kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": {
        "policyName": name, "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"test": sandbox.namespace}}}}})
    _wait_refused(sandbox, pod)
    start_operator()
    removal = Removal(sandbox, jetson)
    blocker = removal.wait_blocked_by(pod["metadata"]["name"], "EvictionRefused")
    assert "not in the working week" in blocker["message"]
    sandbox.api.delete("ValidatingAdmissionPolicyBinding", name)
    assert removal.wait_end() == ("True", "NodeRemoved")


def _label_namespace(sandbox):
    sandbox.api.patch("Namespace", sandbox.namespace, {"metadata": {"labels": {"test": sandbox.namespace}}})


def _wait_refused(sandbox, pod):
    """What refuses holds some time after it was created."""
    def refused():
        try:
            sandbox.api.evict(pod, dry_run=True)
        except ApiError:
            return True
        return False

    wait_until(refused, 30, "evictions are refused")
