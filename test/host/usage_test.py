"""What the command refuses, and extra paths."""

import os
import pty
import subprocess

import pytest


@pytest.mark.parametrize(("arguments", "words"), [
    (["--steps=KubeadmReset,Nonsense"], '"Nonsense" is no step'),
    (["--cni-interfaces=cni0,a/b"], '"a/b" must consist of'),
    (["--cni-interfaces=cni0;reboot"], "must consist of"),
    (["--cni-interfaces=sixteen-letters0"], "1 to 15 characters"),
    (["--cni-interfaces=eth0"], "is an interface of the machine itself"),
    (["--extra-path=/etc"], "two levels"),
    (["--extra-path=/usr/bin/x"], "belongs to the system"),
    (["--extra-path=/opt/../etc/passwd"], ".."),
    (["--nonsense"], "--nonsense"),
    (["--hand-over"], "--removal-uid"),
    (["--run=relative"], "full path"),
    (["--node-uid=u"], "--hand-over"),
])
def test_wrong_usage_is_explained_and_changes_nothing(machine, arguments, words):
    done = machine.clean(*arguments, check=2)
    assert words in done.errors
    assert not machine.exists("/var/lib/noderemoval")


def test_nobody_to_ask_is_wrong_usage(machine):
    done = machine.clean(ask=True, check=2)
    assert "give --yes" in done.errors and not machine.exists("/var/lib/noderemoval")


def test_only_root_may_clean(machine):
    done = machine.run("setpriv", "--reuid=65534", "--clear-groups", machine.program,
                       "host-cleanup", "--yes", check=False)
    assert (done.returncode, "root" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0)])
def test_at_a_terminal_the_plan_is_shown_and_asked_for(machine, answer, code):
    machine.write("/opt/cni/bin/bridge")
    ours, theirs = pty.openpty()
    process = machine.start(machine.program, "host-cleanup", "--extra-path=/opt/cni", stdin=theirs,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.write(ours, f"{answer}\n".encode())
    text, _ = process.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code, text
    assert "would delete /opt/cni" in text and "[y/N]" in text
    assert machine.exists("/opt/cni") == (code != 0)


def test_extra_paths_go_without_following_links_or_crossing_mounts(machine):
    machine.sh("""
        mkdir -p /opt/cni/bin /opt/target /opt/kept/inner && echo x >/opt/target/file && echo x >/opt/cni/bin/bridge
        ln -s /opt/target /opt/cni/link && ln -s /opt/target /opt/alias
        mkdir -p /opt/kept/mounted && mount -t tmpfs tmpfs /opt/kept/mounted && echo precious >/opt/kept/mounted/file
        mkdir -p /opt/bound/here && mount --bind /opt/target /opt/bound/here
    """)
    cleaning = machine.clean("--extra-path=/opt/cni", "--extra-path=/opt/kept", "--extra-path=/opt/bound",
                             "--extra-path=/opt/alias", "--extra-path=/opt/none", check=1)
    assert "something is mounted at" in cleaning.details["ExtraPaths"] and "PathRefused" in cleaning.errors
    assert machine.sh("find /opt -type f | sort").split() == \
        ["/opt/bound/here/file", "/opt/kept/mounted/file", "/opt/target/file"]
    assert not machine.exists("/opt/cni") and not machine.exists("/opt/alias")


def test_an_extra_path_that_leads_into_the_system_by_a_link_is_refused(machine):
    machine.sh("ln -s /usr /opt/innocent")
    cleaning = machine.clean("--extra-path=/opt/innocent/bin/env", check=1)
    assert "leads to /usr/bin/env" in cleaning.details["ExtraPaths"]
    assert machine.exists("/usr/bin/env")


def test_the_folder_of_the_cleaning_itself_is_no_extra_path(machine):
    cleaning = machine.clean("--extra-path=/var/lib/noderemoval/by-hand", check=1)
    assert "is where this cleaning is kept" in cleaning.details["ExtraPaths"]


def test_extra_paths_can_be_given_twice(machine):
    machine.write("/var/run/calico/x")
    assert machine.clean("--extra-path=/var/run/calico", check=0).steps["ExtraPaths"] == "Done"
    assert machine.clean("--extra-path=/var/run/calico", check=0).steps["ExtraPaths"] == "NothingToDo"
