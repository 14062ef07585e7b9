"""What a FaultProxy can do to a request. A fault is a function of one Exchange."""

import collections
import itertools
import json
import threading
import time

from fault_proxy import pieces_of

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


def drop(exchange):
    """The connection is reset before the API server hears of the request."""
    exchange.reset()


def commit_then_drop(exchange):
    """The API server does it, and the answer is lost."""
    exchange.ask().read()
    exchange.reset()


def duplicate(exchange):
    """The API server gets it twice, and the client sees the second answer."""
    exchange.ask().read()
    exchange.pass_on(exchange.ask())


def blackhole(exchange):
    """No answer ever."""
    exchange.wait_closed()


def delay(seconds):
    def fault(exchange):
        time.sleep(seconds)
        exchange.pass_on(exchange.ask())
    return fault


def reply(status, body, headers=None):
    """An answer that the API server did not give; a body that is no text is sent as JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    given = headers or (HTML if isinstance(body, str) else JSON)

    def fault(exchange):
        exchange.reply(status, given, text.encode())
    return fault


def commit_then_reply(status, body, headers=None):
    """The API server does it, and the client hears something else."""
    other = reply(status, body, headers)

    def fault(exchange):
        exchange.ask().read()
        other(exchange)
    return fault


def rewrite(change):
    """The answer after `change` was done to the parsed body."""
    def fault(exchange):
        answer = exchange.ask()
        body = json.loads(answer.read())
        change(body)
        exchange.reply(answer.status, dict(answer.getheaders()), json.dumps(body).encode())
    return fault


def truncate(exchange):
    """The first half of the answer, then a reset."""
    answer = exchange.ask()
    body = answer.read()
    exchange.head(answer.status, dict(answer.getheaders()), len(body))
    exchange.send(body[:len(body) // 2])
    exchange.reset()


def drip(bytes_per_second):
    """A byte at a time."""
    def fault(exchange):
        answer = exchange.ask()
        body = answer.read()
        exchange.head(answer.status, dict(answer.getheaders()), len(body))
        for position in range(len(body)):
            exchange.send(body[position:position + 1])
            time.sleep(1 / bytes_per_second)
    return fault


def in_turn(*faults):
    """The n-th of these for the n-th request."""
    left = list(faults)

    def fault(exchange):
        left.pop(0)(exchange)
    return fault


def rechunk(exchange):
    """A watch in chunks of one byte."""
    answer = exchange.ask()
    exchange.head(answer.status, dict(answer.getheaders()))
    for piece in pieces_of(answer):
        for position in range(len(piece)):
            exchange.chunk(piece[position:position + 1])
    exchange.chunk(b"")


def cut_inside_event(exchange):
    """A watch of which the first event comes by half; then the connection is reset."""
    answer = exchange.ask()
    exchange.head(answer.status, dict(answer.getheaders()))
    first = next(pieces_of(answer), b"")
    exchange.chunk(first[:len(first) // 2])
    exchange.reset()


def error_event(status):
    """A watch whose only event is this Status."""
    def fault(exchange):
        exchange.head(200, JSON)
        exchange.chunk(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
        exchange.chunk(b"")
    return fault


def held_while_closed(gate):
    """A watch whose bytes wait while this threading.Event is not set."""
    def fault(exchange):
        answer = exchange.ask()
        exchange.head(answer.status, dict(answer.getheaders()))
        for piece in pieces_of(answer):
            gate.wait()
            exchange.chunk(piece)
        exchange.chunk(b"")
    return fault


def silent(exchange):
    """A watch that is open and never says anything."""
    exchange.head(200, JSON)
    exchange.wait_closed()


def end_at_once(exchange):
    """A watch that ends in order before its first event."""
    exchange.head(200, JSON)
    exchange.chunk(b"")


def every_other(*wrong):
    """For every path the first, third, fifth ... request gets one of these, each time the next one; the others pass."""
    lock = threading.Lock()
    asked = collections.Counter()
    turn = itertools.cycle(wrong)

    def fault(exchange):
        with lock:
            asked[exchange.path] += 1
            chosen = next(turn) if asked[exchange.path] % 2 else None
        if chosen:
            chosen(exchange)
        else:
            exchange.pass_on(exchange.ask())
    return fault
