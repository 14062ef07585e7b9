"""What a removal led to, without what differs from run to run: times, versions and names that are made up."""

from removal import traces_on

RECORD = ("noderemoval-removed-nodes", "noderemoval-system")
# They say how it goes on, and that depends on the time it takes.
REPEATABLE = {("noderemovals/status", "patch"), ("events", "create")}


def end_state(sandbox, removal, **nodes):
    """`nodes` are the names of the nodes by what they are called in the result."""
    aliases = {name: alias for alias, name in nodes.items()}
    status = removal.status()
    record = sandbox.api.get("ConfigMap", *RECORD) or {}
    return {
        "conditions": {each["type"]: (each["status"], each["reason"]) for each in status.get("conditions", [])},
        "blockers": status.get("blockers", []),
        "workloads": sorted((each["kind"], each["name"].partition("-")[0]) for each in status.get("workloads", [])),
        "finalizers": (removal.get() or {"metadata": {}})["metadata"].get("finalizers", []),
        "nodes": {alias: _marks(sandbox.get("Node", name)) for name, alias in aliases.items()},
        "pods": sorted((pod["metadata"]["labels"]["app"], aliases.get(pod["spec"].get("nodeName")))
                       for pod in sandbox.pods() if "deletionTimestamp" not in pod["metadata"]),
        "recorded": sorted(alias for name, alias in aliases.items() if name in record.get("data", {})),
    }


def done_more_often(committed, reference):
    """What one run changed more often than another."""
    return {what: count - reference[what] for what, count in committed.items()
            if count > reference[what] and what not in REPEATABLE}


def _marks(node):
    return node and (node["spec"].get("unschedulable", False), traces_on(node))
