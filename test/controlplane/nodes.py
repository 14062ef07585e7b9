"""Looks at Node objects."""

from waiting import wait_until


def is_ready(api, name):
    node = api.get("Node", name)
    conditions = node["status"].get("conditions", []) if node else []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def wait_ready(api, name, ready=True, timeout=60):
    """Waits until the Node is Ready, or with `ready=False` until it is not."""
    what = f"node {name} {'is' if ready else 'is not'} Ready"
    wait_until(lambda: is_ready(api, name) is ready, timeout, what, seen=lambda: api.get("Node", name))
