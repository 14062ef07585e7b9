"""A machine in namespaces of its own: a network, mounts and processes that the real one does not see.

It has the tools of the real machine for networks. What starts and stops services, runs pods and resets kubeadm is
played by the programs in fake_tools, which write down what they were asked for.
"""

import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FAKE_TOOLS = Path(__file__).resolve().parent / "fake_tools"

# What a test may change of the file system lives in memory. /proc and /sys show the new network and processes.
SET_UP = """
set -e
tools=$1
program=$2
# First, for what comes from outside may lie where the next mounts hide it.
mount -t tmpfs tmpfs /run && cp -r "$tools" /run/tools && mkdir /run/outside && cp "$program" /run/outside
for folder in /var/lib /usr/local /opt; do mount -t tmpfs tmpfs $folder; done
mkdir -p /run/overlay/upper /run/overlay/work /run/fake/pods /usr/local/sbin /run/systemd/system
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/overlay/upper,workdir=/run/overlay/work /etc
rm -rf /etc/cni /etc/kubernetes
mount -t proc proc /proc
mount -t sysfs sysfs /sys
cp /run/tools/* /usr/local/sbin/
ip link set lo up
mkfifo /run/fake/manager
exec 3<>/run/fake/manager
echo ready
# In the role of systemd: starts what systemd-run asks for, with all rights, and ends with the machine.
while read -r -u 3 line; do
    setsid bash -c "$line" </dev/null >/dev/null 2>&1 3>&- &
    echo $! >/run/fake/started
done
"""


class Machine:
    """Lives until the end of the with block."""

    def __init__(self, program):
        self.program = f"/run/outside/{program.name}"
        self.outside = program
        self.holder = None
        self.others = []

    def __enter__(self):
        command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                   "bash", "-c", SET_UP, "set-up", FAKE_TOOLS, self.outside]
        self.holder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            self.__exit__()
            raise RuntimeError("the machine cannot be set up: the messages of unshare and mount are above")
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text(encoding="ascii")
        self.first = int(children.split()[0])
        return self

    def __exit__(self, *_):
        for process in (*self.others, self.holder):
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()

    def command(self, *arguments):
        return ["nsenter", "--target", str(self.first), "--net", "--mount", "--pid", "--", *map(str, arguments)]

    def start(self, *arguments, **options):
        process = subprocess.Popen(self.command(*arguments), text=True, **options)
        self.others.append(process)
        return process

    def run(self, *arguments, check=True, stdin=""):
        done = subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True, check=False,
                              timeout=60)
        if check and done.returncode:
            raise RuntimeError(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def sh(self, script, check=True):
        return self.run("bash", "-c", script, check=check).stdout

    def clean(self, *arguments, ask=False, check=None):
        """Runs noderemoval host-cleanup. `check`: the exit code that it must have."""
        yes = [] if ask or "--dry-run" in arguments else ["--yes"]
        done = self.run(self.program, "host-cleanup", *yes, *arguments, check=False)
        result = Cleaning(done)
        if check is not None and done.returncode != check:
            raise AssertionError(f"exit code {done.returncode} instead of {check}:\n{done.stdout}{done.stderr}")
        return result

    # By programs on the machine: seen from outside, a link would lead to the files of the real one.

    def write(self, path, text="x\n"):
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "write", path, stdin=text)

    def read(self, path):
        return self.run("cat", path).stdout

    def remove(self, path):
        self.run("rm", path)

    def exists(self, path):
        return self.run("sh", "-c", '[ -e "$1" ] || [ -L "$1" ]', "exists", path, check=False).returncode == 0

    def kill(self, name):
        """All processes of that name, and waits for their end."""
        self.sh(f"""
            named() {{ grep -lx {name} /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3 | grep -vx 1; }}
            for process in $(named); do kill -9 $process; done
            for i in $(seq 100); do
                for process in $(named); do
                    grep -q '^State:.Z' /proc/$process/status 2>/dev/null || continue 2
                done
                exit 0
            done""")

    def wait_for(self, script):
        """Until it succeeds on the machine; at most about 20 seconds."""
        self.sh(f"for i in $(seq 2000); do ({script}) && exit 0; sleep 0.01; done; exit 1")

    def hide(self, *tools):
        """Nobody on the machine finds these programs any more."""
        for tool in tools:
            for folder in ("/usr/sbin", "/usr/bin"):
                if self.exists(f"{folder}/{tool}"):
                    self.run("mount", "--bind", "/dev/null", os.path.realpath(f"{folder}/{tool}"))

    def only_these_iptables(self, *tools):
        """/usr/sbin without all iptables tools but those."""
        self.sh("mkdir /run/sbin-upper /run/sbin-work && mount -t overlay overlay -o "
                "lowerdir=/usr/sbin,upperdir=/run/sbin-upper,workdir=/run/sbin-work /usr/sbin && "
                "cd /usr/sbin && rm -f iptables* ip6tables*")
        for tool in tools:
            multi = "xtables-legacy-multi" if "legacy" in tool else "xtables-nft-multi"
            self.sh(f"ln -s {multi} /usr/sbin/{tool}")

    # What the fake tools play.

    def add_kubelet(self, *flags, file_state="enabled"):
        """A kubelet that runs, as a unit."""
        self.sh("cp /bin/bash /run/fake/kubelet && mkfifo /run/fake/fifo")
        self.start("/run/fake/kubelet", "-c", "exec 3<>/run/fake/fifo; read -r -u 3", "kubelet",
                   "--container-runtime-endpoint=unix:///run/containerd/containerd.sock", *flags)
        self.wait_for("grep -qx kubelet /proc/[0-9]*/comm")
        self.write("/run/fake/unit/active", "active\n")
        self.write("/run/fake/unit/file", file_state + "\n")

    def add_runtime(self, *pods):
        script = ("import socket; s = socket.socket(socket.AF_UNIX); "
                  "s.bind('/run/containerd/containerd.sock')")
        self.sh(f"mkdir -p /run/containerd && /usr/bin/python3 -c \"{script}\"")
        for pod in pods:
            self.write(f"/run/fake/pods/{pod}")

    def add_kubeadm_files(self):
        for file in ("/etc/kubernetes/kubelet.conf", "/etc/kubernetes/pki/ca.crt", "/var/lib/kubelet/config.yaml",
                     "/var/lib/kubelet/pki/kubelet-client-current.pem"):
            self.write(file)

    def calls(self):
        """What the fake tools were asked for, in order."""
        return self.sh("cat /run/fake/calls 2>/dev/null || true").splitlines()

    def rules(self, tool):
        return self.run(f"{tool}-save").stdout

    def load(self, tool, save):
        self.run(f"{tool}-restore", stdin=save)


class Cleaning:
    """What one run said."""

    def __init__(self, done):
        self.code = done.returncode
        self.text = done.stdout
        self.errors = done.stderr
        lines = [line.split(None, 2) for line in done.stdout.splitlines() if line[:1].isupper()]
        self.steps = {words[0]: words[1] for words in lines if len(words) > 1}
        self.details = {words[0]: words[2] if len(words) > 2 else "" for words in lines}
