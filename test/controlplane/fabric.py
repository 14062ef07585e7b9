"""The network that connects real nodes with each other and with this machine."""

import subprocess
from pathlib import Path

# For tests of networks (RFC 2544), so nothing else on this machine has addresses in it.
NETWORK = "198.18"
ROUTER = 254
FIRST_NODE = 10
POD_NETWORK = "10.244.0.0/16"


class Fabric:
    """A bridge in a network namespace, which a process holds: with it goes all that is made here.

    This machine has the link noderemoval<number> to it and the address 198.18.<number>.1.
    """

    def __init__(self, number, pid):
        self._number = number
        self._pid = pid

    @classmethod
    def create(cls, pid):
        """Makes the network in the namespace of this process. Several can exist beside each other."""
        for number in range(256):
            link = f"noderemoval{number}"
            if not Path("/sys/class/net", link).exists() and _ip(
                    f"link add {link} type veth peer name host netns {pid}", may_fail=True):
                break
        else:
            raise RuntimeError("no network is free: the links noderemoval0 to noderemoval255 exist; "
                               "remove what was left with: ip link delete NAME")
        _ip(f"address add {NETWORK}.{number}.1/24 dev {link}", f"link set {link} up")
        _ip("link set lo up", "link add nodes type bridge", f"address add {NETWORK}.{number}.{ROUTER}/24 dev nodes",
            "link set nodes up", "link set host master nodes up", inside=pid)
        forward_packets(pid)
        return cls(number, pid)

    @classmethod
    def of(cls, address, pid):
        """The one in which this machine has that address."""
        return cls(int(address.split(".")[2]), pid)

    @property
    def address(self):
        """The address of this machine."""
        return f"{NETWORK}.{self._number}.1"

    def node_address(self, node_number):
        return f"{NETWORK}.{self._number}.{FIRST_NODE + node_number}"

    def connect(self, node_number, pid):
        """Gives a machine, whose first process this is, its address and the way to all pods. The default route is the
        last that it gets."""
        address, link = self.node_address(node_number), f"node{node_number}"
        # The one of a machine that was killed goes a moment later than that.
        _ip(f"link delete {link}", inside=self._pid, may_fail=True)
        _ip(f"link add eth0 netns {pid} type veth peer name {link} netns {self._pid}")
        _ip(f"link set {link} master nodes up", inside=self._pid)
        self.route(pod_subnet(node_number), node_number)
        _ip("link set lo up", f"address add {address}/24 dev eth0", "link set eth0 up",
            f"route add default via {NETWORK}.{self._number}.{ROUTER}", inside=pid)

    def route(self, subnet, node_number):
        """Lets all find the pods of this subnet on that node."""
        _ip(f"route replace {subnet} via {self.node_address(node_number)}", inside=self._pid)


def pod_subnet(node_number):
    return f"10.244.{node_number}.0/24"


def forward_packets(pid):
    """In the network namespace of this process."""
    subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "tee", "/proc/sys/net/ipv4/ip_forward"], input="1",
                   stdout=subprocess.DEVNULL, text=True, check=True)


def _ip(*commands, inside=None, may_fail=False):
    """Runs these commands of ip(8), in the network namespace of a process if one is given; returns success."""
    namespace = ["nsenter", f"--net=/proc/{inside}/ns/net"] if inside else []
    done = subprocess.run([*namespace, "ip", "-batch", "-"], input="\n".join(commands), capture_output=True,
                          text=True, check=False)
    if done.returncode and not may_fail:
        raise RuntimeError(f"ip {'; '.join(commands)} failed: {done.stderr.strip()}")
    return done.returncode == 0
