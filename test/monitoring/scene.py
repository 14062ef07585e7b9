"""Two replicas of the operator that Prometheus scrapes, and removals of each kind: one that ends well, one that a
budget blocks, one of a dead node, one that waits for a decision, and one that fails."""

import contextlib
import time

from objects import STAYS_ON_DEAD_NODES, deployment, stateful_set
from operator_process import Operator
from prometheus import Prometheus, overlay, scrape_config
from removal import PROTECT, Removal
from repository import OVERLAY
from sandbox import open_sandbox
from waiting import wait_until

SERVER_NAME = "noderemoval-metrics.noderemoval-system.svc"
OVERDUE_MARGIN = "--overdue-margin=1"
READER = "noderemoval-metrics-reader"


class Scene(contextlib.ExitStack):
    """Entered with the programs running; `began` is when Prometheus had seen both replicas."""

    def __init__(self, cluster, program, folder):
        super().__init__()
        self.cluster = cluster
        self.sandbox = None
        self.operators = []
        self.prometheus = None
        self._program = program
        self._folder = folder

    def __enter__(self):
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def _open(self):
        kubeconfig = self.cluster.operator_kubeconfig()
        tls = self.cluster.issue_server("metrics", [f"DNS:{SERVER_NAME}"])
        self.sandbox = self.enter_context(open_sandbox(self.cluster))
        self.operators = [self._start_operator(kubeconfig, tls, number) for number in range(2)]
        self.prometheus = Prometheus(self._folder, self._scrape_config())
        self.callback(self.prometheus.stop)
        self.prometheus.start()
        wait_until(lambda: [health for health, _ in self.prometheus.targets()] == ["up", "up"], 60,
                   "both replicas are scraped", seen=self.prometheus.targets)
        wait_until(lambda: self.prometheus.now("sum(leader_election_master_status) == 1"), 60, "one replica leads")
        # That none led or could be scraped before.
        self.wait_no_alert()
        self.began = time.time()

    def _start_operator(self, kubeconfig, tls, number):
        certificate, key = tls
        operator = Operator(self._program, kubeconfig, self._folder / f"operator-{number}.log", (
            OVERDUE_MARGIN, f"--metrics-tls-cert-file={certificate}", f"--metrics-tls-key-file={key}"))
        self.callback(operator.kill)
        operator.start()
        return operator

    def _scrape_config(self):
        token_file = self._folder / "token"
        token_file.write_text(self._token_of_prometheus(), encoding="utf-8")
        return scrape_config(overlay("service_monitor.yaml", "ServiceMonitor"),
                             overlay("metrics_service.yaml", "Service"), token_file, self.cluster.ca,
                             [operator.address("metrics") for operator in self.operators])

    def _token_of_prometheus(self):
        """Of a ServiceAccount that has the rights of the ClusterRole and no others."""
        kubectl, namespace = self.cluster.kubectl, self.sandbox.namespace
        kubectl("apply", "-f", "-", stdin=(OVERLAY / "metrics_service.yaml").read_text(encoding="utf-8"))
        kubectl("create", "serviceaccount", "prometheus", "-n", namespace)
        kubectl("create", "clusterrolebinding", READER, f"--clusterrole={READER}",
                f"--serviceaccount={namespace}:prometheus")
        self.callback(kubectl, "delete", "clusterrolebinding", READER)
        return kubectl("create", "token", "prometheus", "-n", namespace).strip()

    def begin(self):
        """Leaves four of the removals stuck, each for its reason; the fifth has ended well."""
        sandbox = self.sandbox
        good, blocked, failing, protected, dead, _ = sandbox.add_nodes(6)
        sandbox.create_on(good, deployment("web", replicas=3))
        sandbox.create_on(dead, stateful_set("db", tolerations=STAYS_ON_DEAD_NODES))
        sandbox.create_guarded_on(blocked, "shop")
        sandbox.create_guarded_on(failing, "cart")
        sandbox.api.patch("Node", protected, {"metadata": {"annotations": {PROTECT: "true"}}})
        self.cluster.kill_node(dead)

        self.failing = Removal(sandbox, failing, drain={"timeoutSeconds": 5})
        self.blocked = Removal(sandbox, blocked)
        self.protected = Removal(sandbox, protected)
        self.good = Removal(sandbox, good)
        self.cluster.wait_ready(dead, ready=False)
        self.dead = Removal(sandbox, dead, unreachable={"toleranceSeconds": 12})
        assert self.good.wait_end() == ("True", "NodeRemoved")
        assert self.failing.wait_end() == ("False", "DrainTimedOut")
        self.blocked.wait_reason("DrainBlocked")
        self.protected.wait_reason("NodeProtected")

    def wait_fencing(self):
        self.dead.wait_reason("NeedsFencing", timeout=60)

    def end(self):
        """Does what each of them waits for."""
        self.dead.change(unreachable={"fenced": True})
        self.blocked.cancel()
        self.failing.cancel()
        self.sandbox.api.patch("Node", self.protected.node, {"metadata": {"annotations": {PROTECT: None}}})
        self.blocked.wait_gone()
        self.failing.wait_gone()
        assert self.dead.wait_end() == ("True", "NodeRemoved")
        assert self.protected.wait_end() == ("True", "NodeRemoved")
        self.ended = time.time()

    def wait_alert(self, alert, timeout=60, **labels):
        """Until this alert fires with these labels."""
        def fires():
            return any(name == alert and labels.items() <= found.items() for name, found in self.prometheus.alerts())

        wait_until(fires, timeout, f"{alert} fires with {labels}", seen=self.prometheus.alerts)

    def wait_no_alert(self, timeout=60):
        wait_until(lambda: not self.prometheus.alerts(), timeout, "no alert fires", seen=self.prometheus.alerts)

