"""Builders of Kubernetes objects. The client adds the API version, the sandbox adds the namespace."""

# Simulated nodes run anything; real ones have this image, which does nothing until it is told to end.
IMAGE = "test.invalid/pause:1"
# Tolerations of a pod that Kubernetes itself does not delete when its node is not Ready.
STAYS_ON_DEAD_NODES = [{"operator": "Exists", "effect": "NoExecute"}]
# Of one that is scheduled to cordoned nodes as well.
TOLERATES_EVERYTHING = [{"operator": "Exists"}]


def deployment(name, replicas=1, **pod):
    return _workload("Deployment", name, pod, replicas=replicas)


def stateful_set(name, replicas=1, **pod):
    return _workload("StatefulSet", name, pod, replicas=replicas, serviceName=name)


def replication_controller(name, replicas=1, **pod):
    return {"kind": "ReplicationController", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"app": name}, "template": _template(name, pod)}}


def daemon_set(name, **pod):
    return _workload("DaemonSet", name, pod)


def job(name, **pod):
    return {"kind": "Job", "metadata": {"name": name}, "spec": {"template": _template(name, pod)}}


def naked_pod(name, **pod):
    """A pod that no controller owns."""
    return {"kind": "Pod", **_template(name, pod, name=name)}


def pod_disruption_budget(name, app=None, **limit):
    """For the pods of the workload `app`; `limit` is minAvailable or maxUnavailable."""
    return {"kind": "PodDisruptionBudget", "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": app or name}}, **limit}}


def volume_claim(name, access_mode):
    """A PersistentVolumeClaim that no volume is bound to."""
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": [access_mode], "storageClassName": "none",
                     "resources": {"requests": {"storage": "1Mi"}}}}


def volume_attachment(name, node, volume):
    return {"kind": "VolumeAttachment", "metadata": {"name": name},
            "spec": {"attacher": "test.noderemoval.dev", "nodeName": node,
                     "source": {"persistentVolumeName": volume}}}


def node_removal(name, node=None, **spec):
    """`spec` holds the other fields by their API names, such as drain={"force": True}."""
    return {"kind": "NodeRemoval", "metadata": {"name": name},
            "spec": {**({"nodeName": node} if node else {}), **spec}}


def using_whole_grace(port):
    """A preStop hook that calls a server which never answers (UnansweringServer), so that the container ends
    only when its grace period is over."""
    return {"httpGet": {"host": "127.0.0.1", "port": port, "path": "/"}}


def _workload(kind, name, pod, **spec):
    return {"kind": kind, "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": _template(name, pod), **spec}}


def _template(app, options, name=None):
    return _pod(app, name, **options)


def _pod(app, name, *, node=None, node_selector=None, labels=None, annotations=None, finalizers=None,
         grace=None, empty_dir=False, claim=None, tolerations=None, pre_stop=None, restart_policy=None,
         priority_class=None, spread=False, host_port=None):
    """`node` binds to that node without the scheduler; a Deployment should use `node_selector` instead.
    `spread` puts at most one pod of the workload on a node."""
    container = {"name": "main", "image": IMAGE}
    if pre_stop:
        container["lifecycle"] = {"preStop": pre_stop}
    if host_port:
        container["ports"] = [{"containerPort": 80, "hostPort": host_port}]
    volumes = []
    if empty_dir:
        volumes.append({"name": "scratch", "emptyDir": {}})
    if claim:
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
    metadata = {"name": name, "labels": {"app": app, **(labels or {})}, "annotations": annotations,
                "finalizers": finalizers}
    spec = {"containers": [container], "volumes": volumes, "nodeName": node, "nodeSelector": node_selector,
            "terminationGracePeriodSeconds": grace, "tolerations": tolerations,
            "restartPolicy": restart_policy, "priorityClassName": priority_class, "affinity": _one_per_node(app) if spread else None}
    return {"metadata": _without_nothing(metadata), "spec": _without_nothing(spec)}


def _one_per_node(app):
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": app}}}]}}


def _without_nothing(fields):
    return {key: value for key, value in fields.items() if value not in (None, [], {})}
