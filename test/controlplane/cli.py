#!/usr/bin/python3
"""Starts and stops a Kubernetes control plane with simulated or real nodes on this machine; see controlplane.py and
real_cluster.py."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from controlplane import ControlPlane
from real_cluster import RealCluster
from temporary_folder import temporary_base

DEFAULT_NODE_COUNT = 3


def main():
    options = parse_arguments()
    try:
        options.run(options)
    except (RuntimeError, AssertionError) as error:
        sys.exit(f"{options.command}: {error}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=temporary_base() / f"controlplane-{os.getuid()}",
                        help="where the control plane keeps its files (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("start", help="start a control plane that runs until stop")
    command.add_argument("--kubernetes", choices=("1.36", "1.20"), help="version (default: 1.36)")
    nodes = command.add_mutually_exclusive_group()
    nodes.add_argument("--nodes", type=int, default=DEFAULT_NODE_COUNT, help="simulated ones (default: %(default)s)")
    nodes.add_argument("--real-nodes", type=int, metavar="NODES",
                       help="with containerd and kubelet instead; needs root")
    command.add_argument("--image", type=Path, action="append", default=[], metavar="TAR",
                         help="a container image for the real nodes, may be repeated")
    command.set_defaults(run=start)

    for name, run, text in (
            ("stop", lambda options: attach(options).stop(), "end all its processes and remove its files"),
            ("status", show_status, "show its processes and nodes"),
            ("env", lambda options: show_environment(attach(options)),
             "print the shell commands that make kubectl use it"),
            ("kubeconfig", lambda options: print(attach(options).kubeconfig),
             "print the path of an administrator's kubeconfig"),
            ("operator-kubeconfig", lambda options: print(attach(options).operator_kubeconfig()),
             "install CRD and RBAC and print the path of the kubeconfig of the operator's ServiceAccount")):
        commands.add_parser(name, help=text).set_defaults(run=run)

    command = commands.add_parser("add-node", help="start another node and wait for it")
    command.add_argument("name")
    command.add_argument("--label", action="append", default=[], metavar="KEY=VALUE")
    command.add_argument("--taint", action="append", default=[], metavar="KEY=VALUE:EFFECT")
    command.set_defaults(run=add_node)

    for action, text in (("freeze", "stop the kubelet for a while; the node becomes NotReady"),
                         ("thaw", "let a frozen kubelet go on"),
                         ("kill", "kill the kubelet; the node becomes NotReady"),
                         ("restart", "start the kubelet again"),
                         ("remove", "end the kubelet and delete the Node")):
        command = commands.add_parser(f"{action}-node", help=text)
        command.add_argument("name")
        command.set_defaults(run=lambda options, action=action: getattr(
            attach(options), f"{action}_node")(options.name))
    return parser.parse_args()


def start(options):
    if options.image and not options.real_nodes:
        raise RuntimeError("simulated nodes run any image; --image needs --real-nodes")
    kind = RealCluster if options.real_nodes else ControlPlane
    control_plane = kind(options.kubernetes, folder=options.folder, outlives_us=True)
    control_plane.start()
    for image in options.image:
        control_plane.load_image(image)
    names = [f"worker-{number}" for number in range(1, (options.real_nodes or options.nodes) + 1)]
    for name in names:
        control_plane.add_node(name, wait=False)
    for name in names:
        control_plane.wait_ready(name)
    show_environment(control_plane)


def show_environment(control_plane):
    print(f"export KUBECONFIG={shlex.quote(str(control_plane.kubeconfig))}")
    print(f"export PATH={shlex.quote(str(control_plane.kubectl_program.parent))}:$PATH")


def show_status(options):
    control_plane = attach(options)
    for name, process in control_plane.status().items():
        megabytes = process["resident_bytes"] >> 20
        state = f"pid {process['pid']}, {megabytes} MB" if process["pid"] else "does not run"
        print(f"{name:24} {state:22} {process['log']}")
    print(control_plane.kubectl("get", "nodes"), end="")


def add_node(options):
    labels = dict(label.partition("=")[::2] for label in options.label)
    attach(options).add_node(options.name, labels, options.taint)


def attach(options):
    attached = ControlPlane.attach(options.folder)
    return RealCluster.attach(options.folder) if "fabric" in attached.status() else attached


if __name__ == "__main__":
    main()
