"""The same program makes the same image, whoever makes it, where and when."""

import os
import shutil
import subprocess

from conftest import REPOSITORY


def test_another_folder_umask_locale_and_time_zone_give_the_same_image_and_the_same_sbom(image, build, tmp_path):
    sources = tmp_path / "elsewhere"
    shutil.copytree(REPOSITORY / "test/image", sources / "test/image")
    for name in ("CMakeLists.txt", "Dockerfile", "LICENSE"):
        shutil.copy(REPOSITORY / name, sources)
    epoch = str(int(image.entries["usr/bin/noderemoval"].mtime))
    # It has no repository to ask for these.
    given = {"SOURCE_DATE_EPOCH": epoch, "REVISION": image.labels["org.opencontainers.image.revision"]}
    environment = os.environ | given | {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "7"}

    subprocess.run([sources / "test/image/build", "--from", build, "--output", tmp_path / "out"], check=True,
                   umask=0o077, cwd=tmp_path, env=environment)

    for first in (image.tar, image.sbom_file):
        assert first.read_bytes() == (tmp_path / "out" / first.name).read_bytes(), first.name
