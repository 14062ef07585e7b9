"""The chart, installed as README says: the operator runs with as little as it can."""

import base64
import json

import pytest
import release
from api import ApiError
from objects import naked_pod

pytestmark = pytest.mark.main_flow

USER = "65532"
TOKEN_SECONDS = 3600
# From this version on the API server looks at the label of the namespace.
FIRST_MINOR_WITH_POD_SECURITY = 23


def test_the_chart_makes_an_operator_that_is_ready_in_a_restricted_namespace(cluster, installed):
    pods = installed.pods()
    assert len(pods) == release.REPLICAS
    assert {pod["spec"]["nodeName"] for pod in pods} <= set(cluster.node_names())
    for pod in pods:
        [container] = pod["status"]["containerStatuses"]
        assert (container["ready"], container["restartCount"]) == (True, 0), installed.logs()
    assert installed.wait_leader()["metadata"]["name"] in {pod["metadata"]["name"] for pod in pods}

    if cluster.minor >= FIRST_MINOR_WITH_POD_SECURITY:
        other = naked_pod("unrestricted")
        other["metadata"]["namespace"] = release.NAMESPACE
        with pytest.raises(ApiError, match="violates PodSecurity"):
            cluster.api.create(other)


def test_its_process_has_no_rights_on_the_node(cluster, installed):
    for pod in installed.pods():
        process = Process(cluster, pod)
        status = dict(line.split(":\t", 1) for line in process.read("status").splitlines() if ":\t" in line)
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {USER}
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        # A filter of system calls, and no way to get rights from a program.
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        [root] = [line.split() for line in process.read("mounts").splitlines() if line.split()[1] == "/"]
        assert "ro" in root[3].split(",")


def test_its_token_is_of_this_pod_and_lives_an_hour(cluster, installed):
    for pod in installed.pods():
        token = Process(cluster, pod).read("root/var/run/secrets/kubernetes.io/serviceaccount/token")
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["kubernetes.io"]["pod"]["name"] == pod["metadata"]["name"]
        assert claims["sub"] == f"system:serviceaccount:{release.NAMESPACE}:noderemoval-controller"
        assert claims["exp"] - claims["iat"] == TOKEN_SECONDS


class Process:
    """The first process of a pod's only container, seen from its node."""

    def __init__(self, cluster, pod):
        self._cluster = cluster
        self._node = pod["spec"]["nodeName"]
        [status] = pod["status"]["containerStatuses"]
        container = status["containerID"].rpartition("/")[2]
        tasks = cluster.on_node(self._node, "ctr", "--namespace=k8s.io", "tasks", "list").splitlines()
        [self._pid] = [line.split()[1] for line in tasks if line.startswith(container)]

    def read(self, file):
        return self._cluster.on_node(self._node, "cat", f"/proc/{self._pid}/{file}")
