"""An operator that is short of file descriptors, of memory, or of a reader of its log."""

import base64
import fcntl
import os
import re
import tempfile
from pathlib import Path

import faults
import pytest
from node_to_remove import NodeToRemove
from removal import Removal
from waiting import wait_until

MEBIBYTE = 1 << 20
LIMIT = 64 * MEBIBYTE


def test_a_removal_ends_with_few_file_descriptors(sandbox, start_operator):
    case = NodeToRemove(sandbox, replicas=4)
    operator = start_operator(through=("prlimit", "--nofile=14"))
    case.assert_removed(case.remove())
    assert operator.alive()


def test_an_operator_that_can_not_start_says_what_it_lacks(start_operator):
    operator = start_operator(through=("prlimit", "--nofile=4"))
    wait_until(lambda: not operator.alive(), 20, "the operator ends", seen=operator.log_text)
    assert operator.exit_code() == 1
    assert "Too many open files" in operator.log_text()


def test_an_operator_that_may_start_no_thread_says_so(start_operator, operator_kubeconfig):
    # The limit does not hold for root; nobody else reads what is root's.
    with tempfile.TemporaryDirectory() as folder:
        readable = Path(folder) / "kubeconfig"
        text = operator_kubeconfig.read_text(encoding="utf-8")
        [authority] = re.findall(r"certificate-authority: (\S+)", text)
        data = base64.b64encode(Path(authority).read_bytes()).decode()
        readable.write_text(text.replace(f"certificate-authority: {authority}", f"certificate-authority-data: {data}"),
                            encoding="utf-8")
        os.chmod(folder, 0o755)
        operator = start_operator(kubeconfig=readable,
                                  through=("setpriv", "--reuid=65532", "--clear-groups", "prlimit", "--nproc=1"))
        wait_until(lambda: not operator.alive(), 20, "the operator ends", seen=operator.log_text)
    assert operator.exit_code() == 1
    assert "cannot start the thread that writes the log" in operator.log_text()


def test_an_operator_without_a_file_descriptor_left_says_so_and_goes_on_when_it_has_some(
        sandbox, start_operator):
    case = NodeToRemove(sandbox, replicas=4)
    operator = start_operator()
    Removal(sandbox, case.jetson, dryRun=True).wait_end()
    operator.limit(f"--nofile={operator.open_files()}:64")
    removal = case.remove()
    wait_until(lambda: "too many open files" in operator.log_text(), 20, "the operator says what it lacks",
               seen=operator.log_text)
    assert operator.alive()
    operator.limit("--nofile=64")
    case.assert_removed(removal)


def test_a_removal_ends_in_64_mebibytes(sandbox, start_operator):
    case = NodeToRemove(sandbox, replicas=4)
    operator = start_operator(through=("prlimit", f"--as={LIMIT}"))
    case.assert_removed(case.remove())
    assert operator.alive()


def test_an_operator_that_runs_out_of_memory_leaves_a_removal_that_it_can_go_on_with(
        proxy, sandbox, start_operator, operator_kubeconfig):
    case = NodeToRemove(sandbox, replicas=4)
    # Twice the limit when it is parsed.
    many = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[' + ",".join(
        ["{}"] * (8 * MEBIBYTE)) + "]}"
    large = proxy.on("GET", "/api/v1/pods", faults.reply(200, many, faults.JSON))
    operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig),
                              through=("prlimit", f"--as={LIMIT}"))
    removal = case.remove()
    wait_until(lambda: large.hits == 1, 30, "the long list was asked for")
    wait_until(lambda: not operator.alive() or removal.status().get("completionTime"), 60,
               "the operator has ended, or the removal", seen=operator.log_text)
    if not operator.alive():
        assert operator.exit_code() == 1, operator.log_text()
        operator.start()
    case.assert_removed(removal)


@pytest.fixture
def full_pipe(tmp_path):
    """A pipe that nobody reads and that is full."""
    path = tmp_path / "full.pipe"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    os.write(pipe, b"x" * 4096)
    yield path, pipe
    os.close(pipe)


def test_a_removal_ends_while_nobody_reads_the_log(sandbox, start_operator, full_pipe):
    path, _ = full_pipe
    case = NodeToRemove(sandbox, replicas=4)
    operator = start_operator("--log-level=debug", log=path)
    removal = case.remove()
    wait_until(lambda: removal.status().get("conditions"), 20, "the operator has looked at the removal")
    case.assert_removed(removal)
    assert operator.terminate() == 0
