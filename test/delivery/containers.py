"""Containers, as pods tell of them."""


def ids(pods):
    """Of the containers that run in these pods."""
    return {container["containerID"].rpartition("/")[2]
            for pod in pods for container in pod["status"].get("containerStatuses", [])
            if "running" in container["state"]}
