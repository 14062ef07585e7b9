"""What kstatus (Flux, kpt, Config Sync) says of an object of a kind that it does not know, by the rules of
sigs.k8s.io/cli-utils/pkg/kstatus/status/generic.go."""


def kstatus(thing):
    if "deletionTimestamp" in thing["metadata"]:
        return "Terminating"
    status = thing.get("status", {})
    if status.get("observedGeneration", thing["metadata"]["generation"]) != thing["metadata"]["generation"]:
        return "InProgress"
    conditions = status.get("conditions", [])
    for each in conditions:
        if (each["type"], each["status"]) == ("Reconciling", "True"):
            return "InProgress"
        if (each["type"], each["status"]) == ("Stalled", "True"):
            return "Failed"
    ready = [each["status"] for each in conditions if each["type"] == "Ready"]
    return "InProgress" if ready and ready[0] != "True" else "Current"
