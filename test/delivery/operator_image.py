"""Makes the image of the operator: the program and the libraries that it loads."""

import re
import subprocess
from pathlib import Path

import image

NAME = "noderemoval"
TAG = "under-test"


def write(operator, folder):
    """Returns the tar of the image."""
    listed = subprocess.run(["ldd", operator], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", listed)
    files = {"/noderemoval": operator, **{library: Path(library).resolve() for library in libraries}}
    return image.write(folder / "noderemoval.tar", f"{NAME}:{TAG}", files, "/noderemoval", "65532:65532")
