"""Writes an OCI image of one layer into a tar. The same content gives the same bytes."""

import gzip
import hashlib
import io
import json
import re
import shlex
import tarfile
from datetime import datetime, timezone

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def timestamp(epoch):
    return datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def add(archive, name, epoch, content=None, mode=0o755, link=None):
    """A file if there is content, a symbolic link if there is a link, otherwise a folder; all of root's."""
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime = mode, epoch
    if link is not None:
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, link, 0o777
    elif content is None:
        entry.type = tarfile.DIRTYPE
    else:
        entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content) if content is not None else None)


def layer_of(root, epoch):
    """The folder as an uncompressed tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            name = str(path.relative_to(root))
            if path.is_symlink():
                add(archive, name, epoch, link=str(path.readlink()))
            elif path.is_dir():
                add(archive, name, epoch)
            else:
                add(archive, name, epoch, path.read_bytes(), path.stat().st_mode & 0o777)
    return buffer.getvalue()


def run_config(dockerfile, arguments):
    """What the last stage of the Dockerfile says of the image, as the config of an OCI image."""
    stage = re.sub(r"\\\n", " ", dockerfile.split("\nFROM ")[-1])
    for name, value in arguments.items():
        stage = stage.replace("${" + name + "}", value)
    said = dict(re.findall(r"^([A-Z]+) +(.*)", stage, re.M))
    return {"User": said["USER"], "Env": shlex.split(said["ENV"]), "Entrypoint": json.loads(said["ENTRYPOINT"]),
            "Labels": dict(label.split("=", 1) for label in shlex.split(said["LABEL"]))}


def write_image(target, root, name, architecture, config, epoch):
    """Writes the folder `root` as the image `name`. Returns the digest of its manifest."""
    def as_json(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    blobs = {}

    def blob(media_type, content):
        blobs[digest(content)] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    layer = layer_of(root, epoch)
    described = blob(CONFIG, as_json({
        "created": timestamp(epoch), "architecture": architecture, "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}))
    manifest = blob(MANIFEST, as_json({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": described,
        "layers": [blob(LAYER, gzip.compress(layer, 6, mtime=0))]}))
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        manifest | {"platform": {"architecture": architecture, "os": "linux"},
                    "annotations": {"io.containerd.image.name": name,
                                    "org.opencontainers.image.ref.name": name.rpartition(":")[2]}}]}

    with tarfile.open(target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        add(archive, "oci-layout", epoch, as_json({"imageLayoutVersion": "1.0.0"}), 0o644)
        add(archive, "index.json", epoch, as_json(index), 0o644)
        add(archive, "blobs", epoch)
        add(archive, "blobs/sha256", epoch)
        for each, content in sorted(blobs.items()):
            add(archive, "blobs/sha256/" + each.removeprefix("sha256:"), epoch, content, 0o644)
    return manifest["digest"]
