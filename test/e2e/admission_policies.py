"""The ValidatingAdmissionPolicies of manifests/overlays/admission on a control plane, and who meets them."""

import json

import yaml
from api import Api, ApiError
from operator_account import REPOSITORY
from removal import CLAIM, REMOVING
from waiting import wait_until

OVERLAY = REPOSITORY / "manifests/overlays/admission"
# Without it the operator may create no pod at all, and no policy would be asked.
HOST_CLEANUP = [f"--filename={REPOSITORY / 'manifests/components/host-cleanup' / name}.yaml"
                for name in ("namespace", "rbac")]
HOST_NAMESPACE = "noderemoval-host"
REMOVAL_UID = "noderemoval.dev/removal-uid"
KIND = "ValidatingAdmissionPolicy"
FIRST_MINOR = 30
DRY_RUN = "?dryRun=All"


class Account:
    """The operator's account, used by hand: what somebody can do who has its token. Only `store` stores something."""

    def __init__(self, cluster, kubeconfig):
        [user] = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["users"]
        self._api = Api(cluster.server, cluster.ca, token=user["user"]["token"])

    def create(self, thing):
        namespace = {key: thing["metadata"][key] for key in ("namespace",) if key in thing["metadata"]}
        return self._send("POST", thing["kind"], {"metadata": namespace}, self._api._versioned(thing))

    def store(self, thing):
        return self._api.create(thing)

    def may_create(self, thing):
        """Whether it has the right, whatever the policies say."""
        try:
            self.create(thing)
        except AssertionError:
            return False
        return True

    def patch(self, thing, change):
        return self._send("PATCH", thing["kind"], thing, change, content_type="application/merge-patch+json")

    def delete(self, thing, uid=True, **options):
        return self._send("DELETE", thing["kind"], thing, {**options, **_of(thing, uid), "dryRun": ["All"]})

    def evict(self, pod, uid=True, **options):
        metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
        return self._send("POST", "Pod", pod, {
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata,
            "deleteOptions": {**options, **_of(pod, uid), "dryRun": ["All"]}}, subresource="eviction")

    def _send(self, method, kind, thing=None, body=None, subresource=None, **how):
        """None, or why the server refused."""
        metadata = thing["metadata"] if thing else {}
        path = self._api.path(kind, metadata.get("namespace"), metadata.get("name"), subresource)
        try:
            self._api.request(method, path + DRY_RUN, body, **how)
        except ApiError as error:
            assert error.status == 403 and KIND in str(error), error
            return str(error)
        return None


class Policies:
    def __init__(self, cluster, account):
        self._cluster = cluster
        self._account = account

    def install(self):
        """Returns when each of them refuses what it should, which takes the API server a moment."""
        self._cluster.kubectl("apply", *HOST_CLEANUP)
        self._cluster.kubectl("apply", "-k", str(OVERLAY))
        api = self._cluster.api
        wait_until(lambda: api.get("ServiceAccount", "default", HOST_NAMESPACE), 30, "pods can be created there")
        node = api.create({"kind": "Node", "metadata": {"name": "admission-probe"}})
        pod = api.create({"kind": "Pod", "metadata": {"name": "admission-probe", "namespace": "default"}, "spec": {
            "nodeName": "admission-probe", "containers": [{"name": "main", "image": "test.invalid/none"}]}})
        removal = {"kind": "NodeRemoval", "metadata": {"name": "admission-probe"}, "spec": {
            "nodeName": "nobody", "allowControlPlane": True}}
        probes = {
            "operator-deletes-nodes": lambda: self._account.delete(node),
            "operator-changes-nodes": lambda: self._account.patch(node, {"metadata": {"labels": {"a": "b"}}}),
            "operator-deletes-pods": lambda: self._account.delete(pod, uid=False),
            "operator-evicts-pods": lambda: self._account.evict(pod, uid=False),
            "operator-creates-pods": lambda: self._account.create(cleanup_pod("u", image="test.invalid/none")),
            "host-pods": lambda: refusal(self._cluster, "create", "-f", "-", thing=cleanup_pod("u")),
            "operator-writes-removals": lambda: self._account.create(removal),
            "users": lambda: refusal(self._cluster, "create", "-f", "-", thing=removal)}
        try:
            for policy, ask in probes.items():
                wait_until(lambda: f"'noderemoval-{policy}'" in (ask() or ""), 30, f"{policy} refuses", seen=ask)
        finally:
            api.delete("Pod", "admission-probe", "default", grace=0)
            api.delete("Node", "admission-probe")

    def remove(self):
        self._cluster.kubectl("delete", "--ignore-not-found", "-k", str(OVERLAY))
        self._cluster.kubectl("delete", "--ignore-not-found", *reversed(HOST_CLEANUP))

    def warnings(self):
        """What the server finds wrong with their expressions, by policy."""
        def checked():
            found = self._cluster.api.list(KIND)
            return found if all(each.get("status", {}).get("observedGeneration") == each["metadata"]["generation"]
                                for each in found) else None

        return {each["metadata"]["name"]: each["status"]["typeChecking"].get("expressionWarnings")
                for each in wait_until(checked, 30, "the server has checked the expressions")}


def refusal(cluster, *command, user=None, thing=None):
    """Why kubectl is refused this for the user (None: an administrator); None when it is not. Nothing is stored."""
    text = json.dumps({"apiVersion": "noderemoval.dev/v1alpha1", **thing}) if thing else None
    try:
        cluster.kubectl(*command, "--dry-run=server", *([f"--as={user}"] if user else []), stdin=text)
    except RuntimeError as error:
        return str(error)
    return None


def claimed(cordoned=True, annotations=None):
    """What a Node looks like that the operator has made ready for its removal."""
    return {"metadata": {"annotations": {CLAIM: '{"removal":"r"}', **(annotations or {})}},
            "spec": {"unschedulable": cordoned, "taints": [{"key": REMOVING, "effect": "NoSchedule"}]}}


def cleanup_pod(uid, node="nobody", removal="r", namespace=HOST_NAMESPACE, image="noderemoval:0.1.0"):
    """The pod that hands the cleaning of the machine over to it, for the NodeRemoval of this UID."""
    owner = {"apiVersion": "noderemoval.dev/v1alpha1", "kind": "NodeRemoval", "name": removal, "uid": uid,
             "controller": True}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": f"host-cleanup-{uid}", "namespace": namespace, "labels": {REMOVAL_UID: uid},
        "ownerReferences": [owner]}, "spec": {
            "nodeName": node, "hostPID": True, "hostNetwork": True, "restartPolicy": "Never",
            "automountServiceAccountToken": False, "tolerations": [{"operator": "Exists"}],
            "containers": [{
                "name": "host-cleanup", "image": image,
                "args": ["host-cleanup", "--hand-over", f"--removal-uid={uid}", f"--node-name={node}",
                         "--node-uid=n", "--timeout=600"],
                "securityContext": {"runAsUser": 0, "readOnlyRootFilesystem": True, "capabilities": {
                    "drop": ["ALL"], "add": ["SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "DAC_OVERRIDE"]}}}]}}


def _of(thing, uid):
    return {"preconditions": {"uid": thing["metadata"]["uid"]}} if uid else {}
