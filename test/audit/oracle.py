#!/usr/bin/python3
"""Checks that what the operator did, by the audit log of an API server, was allowed.

    test/audit/oracle.py LOG                 prints what was not, and exits with 1 if there was something

The API server has to log nodes, pods, their evictions, noderemovals, Leases and VolumeAttachments with the bodies of
requests and answers, as the policy in test/controlplane/components.py does.
"""

import argparse
import sys

from rules import RULES
from request import read_events
from seen import Seen

OPERATOR = "system:serviceaccount:noderemoval-system:noderemoval-controller"
PROGRAM = "noderemoval/"
# The operator's default of the option of this name.
MIN_HEALTHY_PERCENT = 45


class Oracle:
    """Reads a log that grows; it has to see it from its begin. It judges what this user sent with the operator's
    user agent, and not what tests or humans do in its name."""

    def __init__(self, log, operator=OPERATOR, rules=RULES):
        self._log = log
        self._operator = operator
        self._rules = rules
        self._offset = 0
        self._seen = Seen(MIN_HEALTHY_PERCENT)
        self.writes = 0

    def expect_min_healthy(self, percent):
        """What --min-healthy says to the operator that runs from now on."""
        self._seen.min_healthy_percent = percent

    def begin_anew(self):
        """The cluster was restored from a backup: what was seen until now does not hold any more."""
        self._seen.begin_anew()

    def violations(self):
        """Those in what was logged since the last call, as texts."""
        requests, self._offset = read_events(self._log, self._offset)
        for request in requests:
            self._seen.learn_states(request)
        found = [text for request in requests if self._is_ours(request) for text in self._judge(request)]
        self._seen.forget_old()
        return found

    def _is_ours(self, request):
        return request.user == self._operator and request.agent.startswith(PROGRAM)

    def _judge(self, request):
        found = []
        if request.is_write:
            self.writes += 1
            read = self._seen.reads[request.agent]
            found = [f"{problem}\n    {request.describe()}"
                     for rule in self._rules for problem in rule(request, self._seen, read)]
        self._seen.learn(request)
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", metavar="LOG")
    parser.add_argument("--user", default=OPERATOR, help="of the operator (default: %(default)s)")
    parser.add_argument("--min-healthy", type=int, default=MIN_HEALTHY_PERCENT,
                        help="as it was given to the operator (default: %(default)s)")
    options = parser.parse_args()
    oracle = Oracle(options.log, options.user)
    oracle.expect_min_healthy(options.min_healthy)
    found = oracle.violations()
    for text in found:
        print(text)
    print(f"{oracle.writes} writes of the operator, {len(found)} violations")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
