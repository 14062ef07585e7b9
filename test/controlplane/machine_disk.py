"""The disk of a machine with systemd, as it is before the machine joins a cluster: what the packages containerd and
kubeadm install, and nothing of the services of this machine."""

import os
import secrets
import stat
import textwrap
from pathlib import Path

import node_programs

UNITS = "etc/systemd/system"
TARGET = "multi-user.target"
# Where folders of this machine would show: the new one has only what it gets here.
EMPTY = (UNITS, "etc/kubernetes", "etc/cni", "etc/containerd", "var/lib/kubelet", "var/lib/cni", "var/lib/noderemoval",
         "var/log", "root", "usr/lib/systemd/system-generators")
NETWORK = "etc/cni/net.d/10-pods.conflist"

CONTAINERD_UNIT = """\
    [Unit]
    Description=containerd container runtime
    After=network.target
    [Service]
    Type=notify
    ExecStart=/usr/bin/containerd
    Delegate=yes
    KillMode=process
    Restart=always
    RestartSec=5
    [Install]
    WantedBy=multi-user.target
    """
KUBELET_UNIT = """\
    [Unit]
    Description=kubelet: The Kubernetes Node Agent
    Wants=network-online.target
    After=network-online.target
    [Service]
    ExecStart=/usr/bin/kubelet
    Restart=always
    StartLimitInterval=0
    RestartSec=10
    [Install]
    WantedBy=multi-user.target
    """
KUBELET_OF_KUBEADM = """\
    [Service]
    Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
    Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
    EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
    EnvironmentFile=-/etc/default/kubelet
    ExecStart=
    ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
    """


class Disk:
    """What a machine changes over the root of this machine, in the folder that `machine` takes."""

    def __init__(self, folder):
        self.folder = folder
        self._changes = folder / "changes"

    def install(self, name, programs, kubelet_flags):
        """`programs` are those that are in the path of the machine. kubelet and containerd start when it boots."""
        for path in EMPTY:
            self._hide(path)
        for folder in Path("/usr/lib/systemd/system").glob("*.wants"):
            self._hide(str(folder).lstrip("/"))
        self.write("etc/hostname", f"{name}\n")
        self.write("etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
        self.write("etc/machine-id", f"{secrets.token_hex(16)}\n")
        self.write("etc/containerd/config.toml", node_programs.containerd_config())
        self.write("etc/default/kubelet", f"KUBELET_EXTRA_ARGS={' '.join(kubelet_flags)}\n")
        self.write(f"{UNITS}/containerd.service", textwrap.dedent(CONTAINERD_UNIT))
        self.write(f"{UNITS}/kubelet.service", textwrap.dedent(KUBELET_UNIT))
        self.write(f"{UNITS}/kubelet.service.d/10-kubeadm.conf", textwrap.dedent(KUBELET_OF_KUBEADM))
        for unit in ("containerd.service", "kubelet.service"):
            self._link(f"{UNITS}/{TARGET}.wants/{unit}", f"/{UNITS}/{unit}")
        self._link(f"{UNITS}/default.target", f"/usr/lib/systemd/system/{TARGET}")
        self._link(f"{UNITS}/sysinit.target.wants/systemd-journald.service",
                   "/usr/lib/systemd/system/systemd-journald.service")
        (self._changes / "var/log/journal").mkdir(parents=True)
        for program in programs:
            self._link(f"usr/bin/{program.name}", program)

    def write(self, path, text):
        """Only while the machine is off."""
        file = self._changes / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _link(self, path, target):
        link = self._changes / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)

    def _hide(self, path):
        """In the words of overlayfs: shows an empty folder, whatever lies below."""
        folder = self._changes / path
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(stat.S_IMODE(os.stat(f"/{path}").st_mode) if Path("/", path).is_dir() else 0o755)
        os.setxattr(folder, "trusted.overlay.opaque", b"y")
