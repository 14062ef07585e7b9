"""What the operator says of itself to the kubelet, and in its log."""

import json

from waiting import wait_until


def test_it_is_ready_only_when_it_has_read_the_removals(cluster, sandbox, start_operator):
    cluster.freeze("kube-apiserver")
    operator = start_operator()
    assert operator.ask("health", "/healthz") == (200, "ok\n"), "it lives, whatever the API server does"
    status, text = operator.ask("health", "/readyz")
    assert status == 503
    assert "NodeRemovals have not been read yet" in text

    cluster.thaw("kube-apiserver")
    wait_until(lambda: operator.ask("health", "/readyz") == (200, "ok\n"), 60, "the operator is ready",
               seen=operator.log_text)


def test_a_port_in_use_is_a_clear_error(sandbox, start_operator):
    for what, option in (("health", "--health-address"), ("metrics", "--metrics-address")):
        address = start_operator().address(what)
        second = start_operator(option, address)
        assert second.wait_end() == 1
        assert f"{option}: cannot listen on {address}: Address already in use" in second.log_text()


def test_the_log_is_one_json_object_per_line(sandbox, start_operator):
    operator = start_operator("--log-format=json")
    wait_until(lambda: "serves metrics" in operator.log_text(), 10, "the operator runs", seen=operator.log_text)
    assert operator.terminate() == 0
    lines = [json.loads(line) for line in operator.log_text().splitlines()]
    assert [lines[0]["message"], lines[-1]["message"]] == ["noderemoval starts", "stopped"]
    for line in lines:
        assert {"time", "level", "message"} <= set(line) <= {"time", "level", "message", "fields"}
