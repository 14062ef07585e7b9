"""Makes machines for tests, and removes them with all that the tests left of them in the cluster."""

import contextlib
import itertools

import foreign
from host import Host
from membership import pods_on

PROGRAM = "/usr/local/bin/noderemoval"


class Machines:
    """`program` is put on each of them."""

    def __init__(self, cluster, program):
        self._cluster = cluster
        self._program = program
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def open(self):
        """A machine that belongs to no cluster, with what administrators have on theirs."""
        host = Host(self._cluster, f"jetson-{next(self._numbers)}")
        try:
            self._cluster.add_machine(host.name)
            self._cluster.copy_to(host.name, self._program, PROGRAM)
            foreign.install(host)
            host.foreign = foreign.seen_on(host)
            yield host
        finally:
            self._cluster.remove_node(host.name)
            for pod in pods_on(host):
                namespace, _, name = pod.partition("/")
                self._cluster.api.delete("Pod", name, namespace, grace=0)
