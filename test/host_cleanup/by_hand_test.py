"""Somebody runs the program on a machine, without a cluster's help."""

import json

import foreign
from hand_over import results
from host import BACKENDS

CLEAN = ("noderemoval", "host-cleanup", "--yes")
USAGE_ERROR = 2


def test_the_program_alone_cleans_a_machine_and_then_finds_nothing_to_do(host, foreign_before):
    first = host.attempt(*CLEAN)

    assert first.returncode == 0, first.stdout + first.stderr
    assert host.leftovers() == {}
    assert foreign.seen_on(host) == foreign_before
    assert "KubeadmReset" in first.stdout

    second = host.attempt(*CLEAN)

    assert second.returncode == 0, second.stdout + second.stderr
    done = results(by_hand_result(host))
    assert done.pop("ExtraPaths") == "Skipped"
    assert set(done.values()) == {"NothingToDo"}, second.stdout
    assert foreign.seen_on(host) == foreign_before


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(shared_host):
    before = shared_host.state()

    done = shared_host.attempt("noderemoval", "host-cleanup", "--dry-run", "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert shared_host.state() == before
    assert "Planned" in done.stdout
    assert "cni0" in done.stdout


def test_without_a_terminal_and_without_yes_it_does_nothing(shared_host):
    before = shared_host.state()

    done = shared_host.attempt("noderemoval", "host-cleanup")

    assert done.returncode == USAGE_ERROR, done.stdout
    assert "--yes" in done.stderr
    assert shared_host.state() == before


def test_the_steps_that_are_not_asked_for_are_left_out(host):
    before = {backend: host.chains_of_kubernetes(backend) for backend in BACKENDS}
    done = host.attempt(*CLEAN, "--steps=CNI")

    assert done.returncode == 0, done.stdout + done.stderr
    found = results(by_hand_result(host))
    assert (found["Kubelet"], found["Pods"], found["CNI"]) == ("Done", "Done", "Done")
    assert (found["KubeadmReset"], found["Iptables"], found["IPVS"]) == ("Skipped", "Skipped", "Skipped")
    assert not host.has_link("cni0")
    assert host.exists("/etc/kubernetes/kubelet.conf")
    assert before["iptables-legacy"] == host.chains_of_kubernetes("iptables-legacy")


def by_hand_result(host):
    return json.loads(host.read("/var/lib/noderemoval/by-hand/result.json"))
