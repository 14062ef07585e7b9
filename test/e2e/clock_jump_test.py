"""A clock on the wall that jumps under a running operator: neither who leads nor any time limit depends on it."""

import time
from datetime import datetime
from pathlib import Path

import pytest
from objects import STAYS_ON_DEAD_NODES, deployment
from operator_requests import OperatorRequests
from removal import Removal
from replicas import LEASE_SECONDS, Replicas, identity
from waiting import wait_until

HALF_AN_HOUR = 1800
JUMPS = {"an hour ahead": "+3600s", "an hour back": "-3600s", "ten years ahead": "+10y", "ten years back": "-10y"}
CASES = [pytest.param(whose, jump, id=f"{whose} {name}",
                      marks=[] if (whose, jump) == ("leader", "+10y") else pytest.mark.long)
         for whose in ("leader", "other") for name, jump in JUMPS.items()]


def library():
    """Of Debian's package libfaketime."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


def seconds_since(text):
    return time.time() - datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class WallClock:
    """Of one process. The clocks that leases are measured with run on."""

    def __init__(self, file):
        self._file = file
        self.jump("+0s")
        self.through = ("env", f"LD_PRELOAD={library()}", f"FAKETIME_TIMESTAMP_FILE={file}", "FAKETIME_NO_CACHE=1",
                        "FAKETIME_DONT_FAKE_MONOTONIC=1")

    def jump(self, offset):
        self._file.write_text(offset, encoding="ascii")


def test_a_node_is_not_taken_for_dead_because_the_clock_jumps(sandbox, start_operator, tmp_path):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", tolerations=STAYS_ON_DEAD_NODES))
    sandbox.cluster.kill_node(jetson)
    sandbox.cluster.wait_ready(jetson, ready=False)
    requests = OperatorRequests(sandbox)
    clock = WallClock(tmp_path / "clock")
    operator = start_operator(through=clock.through)
    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": HALF_AN_HOUR})
    removal.wait_reason("NodeNotReady")

    clock.jump("+3600s")
    removal.change(unreachable={"fenced": True})
    removal.wait_observed()
    assert "the clock was set forward" in operator.log_text()
    assert seconds_since(removal.status()["evidence"]["observedSince"]) <= -HALF_AN_HOUR, "the tolerance begins anew"

    # Also an operator that does not know of the jump waits for the rest of it.
    operator.restart()
    removal.change(unreachable={"fenced": False})
    removal.wait_observed()
    assert removal.condition("Succeeded")["reason"] == "NodeNotReady"
    assert requests.pod_deletes() == []


@pytest.mark.parametrize(("whose", "jump"), CASES)
def test_nobody_takes_over_when_the_clock_jumps(sandbox, start_operator, tmp_path, whose, jump):
    clocks = {each: WallClock(tmp_path / f"clock-of-{each}") for each in ("leader", "other")}
    replicas = Replicas(
        sandbox, start_operator, **{each: {"through": clock.through} for each, clock in clocks.items()})
    before = replicas.lease()["spec"]
    assert before["holderIdentity"] == identity(replicas.leader)

    clocks[whose].jump(jump)
    jumped = time.monotonic()
    renewals = set()

    def renewed_for_longer_than_a_lease():
        renewals.add(replicas.lease()["spec"]["renewTime"])
        return time.monotonic() > jumped + 2 * LEASE_SECONDS

    wait_until(renewed_for_longer_than_a_lease, 3 * LEASE_SECONDS, "two leases are over")
    assert len(renewals) > LEASE_SECONDS
    after = replicas.lease()["spec"]
    assert (after["holderIdentity"], after["leaseTransitions"]) == (
        before["holderIdentity"], before["leaseTransitions"])
    assert (abs(seconds_since(after["renewTime"])) > HALF_AN_HOUR) == (whose == "leader")

    # New connections need a clock by which the certificates are valid.
    clocks[whose].jump("+0s")
    replicas.let_go()
    replicas.wait_removed()
    assert replicas.leader.alive() and replicas.other.alive()
    assert "lease acquired" not in replicas.other.log_text()
    assert replicas.writes(replicas.other) == []
