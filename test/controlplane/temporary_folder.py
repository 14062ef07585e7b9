"""Folders for what a control plane writes."""

import json
import os
import shutil
import tempfile
from pathlib import Path

from processes import start_time

SHARED_MEMORY = Path("/dev/shm")
NEEDED_MEMORY_BYTES = 1 << 30
PREFIX = "noderemoval-"


def create(owner_pid):
    """A new folder. When the process `owner_pid` is gone, the next call removes it."""
    base = temporary_base()
    _remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    owner = {"pid": owner_pid, "start_time": start_time(owner_pid)}
    (folder / "owner.json").write_text(json.dumps(owner), encoding="utf-8")
    return folder


def temporary_base():
    """Memory if there is enough of it, because etcd waits for the disk at every write."""
    try:
        memory = os.statvfs(SHARED_MEMORY)
        if memory.f_bavail * memory.f_frsize >= NEEDED_MEMORY_BYTES and os.access(SHARED_MEMORY, os.W_OK):
            return SHARED_MEMORY
    except FileNotFoundError:
        pass
    return Path(tempfile.gettempdir())


def _remove_abandoned(base):
    """Removes what killed test runs left behind; their processes ended with them."""
    for owner_file in base.glob(f"{PREFIX}*/owner.json"):
        try:
            owner = json.loads(owner_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if start_time(owner["pid"]) != owner["start_time"]:
            shutil.rmtree(owner_file.parent, ignore_errors=True)
