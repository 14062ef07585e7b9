"""Two operators, of which one leads."""

from objects import naked_pod
from oracle import OPERATOR
from removal import Removal
from request import READS
from waiting import wait_until

NAMESPACE = "noderemoval-system"
# The proportions of the defaults (15, 10 and 2 s), so that a takeover does not take long.
LEASE_SECONDS, RENEW_SECONDS = 6, 4
FLAGS = (f"--leader-elect-lease-duration={LEASE_SECONDS}", f"--leader-elect-renew-deadline={RENEW_SECONDS}",
         "--leader-elect-retry-period=1")
TAKEOVER_SECONDS = LEASE_SECONDS + 2 * 2.2 + 5


class Replicas:
    """Two operators, the first of which leads, and a removal that waits for a pod. `leader` and `other` are what
    start_operator is told of each."""

    def __init__(self, sandbox, start_operator, leader=None, other=None):
        self.sandbox = sandbox
        self.lease_name = "noderemoval-controller"  # the only one that the operator has rights to
        self._start = start_operator
        sandbox.api.delete("Lease", self.lease_name, NAMESPACE)
        self.leader = self._start_one(leader)
        self.wait_leads(self.leader)
        self.other = self._start_one(other)
        wait_until(lambda: "waiting for the lease" in self.other.log_text(), 30, "the other one waits",
                   seen=self.other.log_text)
        self.node, _ = sandbox.add_nodes(2)
        sandbox.create(naked_pod("single", node=self.node))
        self.removal = Removal(sandbox, self.node)
        self.removal.wait_reason("DrainBlocked")
        self._audit = sandbox.audit()

    def _start_one(self, told):
        return self._start("--leader-elect=true", *FLAGS, **(told or {}))

    def lease(self):
        return self.sandbox.api.get("Lease", self.lease_name, NAMESPACE)

    def edit_lease(self, **spec):
        self.sandbox.api.patch("Lease", self.lease_name, {"spec": spec}, NAMESPACE)

    def wait_leads(self, operator, timeout=RENEW_SECONDS + TAKEOVER_SECONDS):
        wait_until(lambda: "lease acquired" in operator.log_text(), timeout, "the replica leads",
                   seen=operator.log_text)

    def let_go(self):
        """Takes away what the removal waits for."""
        self.sandbox.api.delete("Pod", "single", self.sandbox.namespace, grace=0)

    def wait_removed(self):
        assert self.removal.wait_end() == ("True", "NodeRemoved")

    def writes(self, operator):
        """What this replica sent but renewals of the Lease."""
        return [request for request in self._audit.requests(user=OPERATOR)
                if request["verb"] not in READS and identity(operator) in request.get("userAgent", "")
                and request["objectRef"]["resource"] != "leases"]


def identity(operator):
    [line] = [line for line in operator.log_text().splitlines() if "lease acquired" in line][-1:] or [""]
    return line.partition('identity="')[2].rstrip('"') or "nobody"
