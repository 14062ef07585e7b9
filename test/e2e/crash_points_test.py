"""The operator dies before and after each of its writes, and the removal ends as if it had not."""

import os
import random

import pytest
from crash_points import AFTER, BEFORE, CrashPoints
from end_state import REPEATABLE, done_more_often
from fault_proxy import FaultProxy
from small_removals import SMALL_REMOVALS, outcome

SAMPLE_POINTS = 3
SAMPLE_PAIRS = 12
# More than a run without a crash has. A removal that waits could go on for ever to report that it waits.
MOST_WRITES = 30


class Run:
    """One removal with these crash points; afterwards what it led to."""

    def __init__(self, scenario, cluster, sandbox, start_operator, kubeconfig, points):
        begun = scenario(sandbox)
        audit = sandbox.audit()
        with FaultProxy(cluster) as proxy:
            crashing = CrashPoints(proxy, points)
            operator = start_operator(*scenario.flags, kubeconfig=proxy.kubeconfig(kubeconfig))
            begun.begin()
            crashing.wait_until(operator, begun.ended, 120, f"the removal ends with {points}", seen=begun.removal.get)
            operator.kill()
        self.writes = crashing.writes
        self.crashes = crashing.crashes
        self.end, self.committed = outcome(begun, audit)


@pytest.fixture
def run(cluster, sandbox, start_operator, operator_kubeconfig):
    def run_once(scenario, points):
        return Run(scenario, cluster, sandbox, start_operator, operator_kubeconfig, points)

    return run_once


@pytest.fixture
def generator():
    seed = int(os.environ.get("NODEREMOVAL_TEST_SEED", random.randrange(1 << 32)))
    print(f"to repeat: NODEREMOVAL_TEST_SEED={seed}")
    return random.Random(seed)


def assert_same(scenario, run, reference, points):
    """The end is that of the run without a crash, and what is done once is done once."""
    crashed = run(scenario, points)
    assert crashed.end == reference.end, points
    assert done_more_often(crashed.committed, reference.committed) == {}, points
    return crashed


@pytest.mark.long
@pytest.mark.parametrize("scenario", SMALL_REMOVALS)
def test_it_ends_the_same_when_the_operator_dies_after_every_write(run, scenario):
    reference = run(scenario, {})
    assert reference.writes < MOST_WRITES
    crashed = assert_same(scenario, run, reference, {number: AFTER for number in range(1, MOST_WRITES)})
    assert crashed.crashes > reference.writes / 2


@pytest.mark.long
@pytest.mark.parametrize("scenario", SMALL_REMOVALS)
def test_it_ends_the_same_when_the_operator_dies_at_one_of_some_points(run, scenario, generator):
    reference = run(scenario, {})
    every = [(number, side) for number in range(1, reference.writes + 1) for side in (BEFORE, AFTER)]
    for number, side in generator.sample(every, SAMPLE_POINTS):
        assert_same(scenario, run, reference, {number: side})


@pytest.mark.long
@pytest.mark.parametrize("side", [BEFORE, AFTER])
@pytest.mark.parametrize("scenario", SMALL_REMOVALS)
def test_it_ends_the_same_when_the_operator_dies_at_any_one_point(run, scenario, side):
    reference = run(scenario, {})
    number, crashes = 0, 1
    while crashes:
        number += 1
        crashes = assert_same(scenario, run, reference, {number: side}).crashes
    assert number > sum(count for what, count in reference.committed.items() if what not in REPEATABLE)


@pytest.mark.long
@pytest.mark.parametrize("scenario", SMALL_REMOVALS)
def test_it_ends_the_same_when_the_operator_dies_at_two_points(run, scenario, generator):
    reference = run(scenario, {})
    for _ in range(SAMPLE_PAIRS):
        numbers = generator.sample(range(1, reference.writes + 1), 2)
        assert_same(scenario, run, reference, {number: generator.choice([BEFORE, AFTER]) for number in numbers})
