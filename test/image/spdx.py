"""What is in the image, as a document of SPDX 2.3: its files, and the Debian packages that its program is made of."""

import hashlib
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import rootfs
from oci import timestamp

# Debian's names of licences, which are not all those of SPDX. Any other is NOASSERTION, like those of the packages
# whose copyright file is prose (glibc, GCC).
LICENCES = {"APACHE-2-LLVM-EXCEPTIONS": "Apache-2.0 WITH LLVM-exception", "Apache-2.0": "Apache-2.0",
            "BSD-3-clause": "BSD-3-Clause", "BSL-1.0": "BSL-1.0", "Expat": "MIT", "X11": "X11"}
IMAGE = "SPDXRef-Image"


def reference(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def declared_licence(copyright_file):
    """Of most files of the package: that which the paragraph of all its files names."""
    found = re.search(r"^Files: \*\n(?:(?!\n\n).)*?^License: *([^\n]*)", copyright_file, re.M | re.S)
    return LICENCES.get(found[1], "NOASSERTION") if found else "NOASSERTION"


def debian_package(name):
    fields = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
    listing = subprocess.run(["dpkg-query", "--show", "--showformat", fields, name], stdout=subprocess.PIPE, text=True,
                             check=True).stdout
    package, version, architecture, source, source_version = listing.splitlines()[0].split("\t")
    purl = f"pkg:deb/debian/{quote(package)}@{quote(version)}?arch={architecture}&distro=debian-12"
    text = Path(f"/usr/share/doc/{name}/copyright").read_text(encoding="utf-8", errors="replace")
    return {
        "SPDXID": reference("Package", package), "name": package, "versionInfo": version,
        "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "sourceInfo": f"built from the Debian source package {source} {source_version}",
        "licenseConcluded": "NOASSERTION", "licenseDeclared": declared_licence(text), "copyrightText": "NOASSERTION",
        "comment": f"The licences of all its files are in the image: /usr/share/doc/{name}/copyright",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}


def file_entry(root, path):
    content = path.read_bytes()
    name = str(path.relative_to(root))
    return {
        "SPDXID": reference("File", name), "fileName": "./" + name,
        "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()},
                      {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}],
        "licenseConcluded": "NOASSERTION", "licenseInfoInFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION"}


def document(version, revision, image_digest, root, loaded, built_in, epoch):
    """`loaded` and `built_in` are the names of Debian packages, as rootfs.collect() returns them."""
    files = [file_entry(root, path) for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    sums = "".join(sorted(entry["checksums"][0]["checksumValue"] for entry in files))
    image = {
        "SPDXID": IMAGE, "name": "noderemoval", "versionInfo": version, "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": "NOASSERTION", "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1(sums.encode()).hexdigest()},
        "checksums": [{"algorithm": "SHA256", "checksumValue": image_digest.removeprefix("sha256:")}],
        "sourceInfo": f"built from commit {revision}",
        "comment": "The checksum is the digest of the manifest of the image.",
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0", "licenseInfoFromFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION"}

    def relation(subject, kind, other):
        return {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": other}

    program = reference("File", rootfs.PROGRAM)
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE)]
    relations += [relation(IMAGE, "CONTAINS", entry["SPDXID"]) for entry in files]
    relations += [relation(program, "DYNAMIC_LINK", reference("Package", name)) for name in sorted(loaded)]
    relations += [relation(program, "STATIC_LINK", reference("Package", name)) for name in sorted(built_in)]
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"noderemoval-{version}",
        "documentNamespace": f"https://noderemoval.dev/spdx/noderemoval-{version}-{image_digest.replace(':', '-')}",
        "creationInfo": {"created": timestamp(epoch), "creators": ["Tool: noderemoval-test-image-build"]},
        "packages": [image] + [debian_package(name) for name in sorted(loaded | built_in)],
        "files": files, "relationships": relations}
