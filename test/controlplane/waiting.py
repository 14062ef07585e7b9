"""Waiting for something to become true, without sleeping longer than it takes."""

import http.client
import json
import time

from api import ApiError

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5


def wait_until(predicate, timeout, what, seen=None):
    """Polls `predicate` until it returns something true, and returns that.

    After `timeout` seconds it raises an AssertionError that says `what` did not happen and shows what
    `seen()` returns, or what the predicate returned last. An API server that does not answer counts as "not
    yet".
    """
    deadline = time.monotonic() + timeout
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            last = predicate()
            if last:
                return last
        except (OSError, http.client.HTTPException) as error:
            last = repr(error)
        except ApiError as error:
            if error.status < 500 and error.status != 429:
                raise
            last = str(error)
        if time.monotonic() >= deadline:
            break
        time.sleep(min(pause, max(0, deadline - time.monotonic())))
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    raise AssertionError(f"not within {timeout} s: {what}\nlast seen: {_readable(seen() if seen else last)}")


def _readable(state):
    return state if isinstance(state, str) else json.dumps(state, indent=2, default=str)
