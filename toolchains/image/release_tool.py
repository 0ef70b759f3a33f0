#!/usr/bin/env python3
"""Writes SHA256SUMS and the SPDX list of a release.

SHA256SUMS is what sha256sum(1) --check reads. The list is SPDX 2.3 in JSON: the released files, and every outside part that
third_party/lock.bzl pins, with its licence. A pinned part without a known licence is an error, not a gap.
"""

import argparse
import hashlib
import json
import sys
from datetime import datetime, timezone

PROJECT = "Kevlar"
PROJECT_LICENSE = "MIT"
NAMESPACE = "https://spdx.org/spdxdocs/kevlar-"

# SPDX has no identifier for these public domain dedications; the document carries their text.
EXTRACTED = {
    "LicenseRef-xz-public-domain": "liblzma is in the public domain.",
    "LicenseRef-libselinux-public-domain": "This library (libselinux) is public domain software, i.e. not copyrighted.",
}


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_lock(path):
    """UPSTREAM and DEBIAN of the lock file: Starlark literals, which are Python's as well."""
    names = {}
    with open(path, encoding="utf-8") as f:
        exec(compile(f.read(), path, "exec"), {"__builtins__": {}}, names)  # pylint: disable=exec-used
    return names["UPSTREAM"], names["DEBIAN"]


def identifier(text):
    """An SPDX identifier: letters, digits, dots and hyphens."""
    return "SPDXRef-" + "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in text)


def package(key, name, version, license_id, location, digest, purl=None):
    entry = {
        "SPDXID": identifier(key),
        "name": name,
        "versionInfo": version,
        "downloadLocation": location,
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": license_id,
        "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
    }
    if purl:
        entry["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]
    return entry


def pinned_packages(upstream, debian, licenses):
    """Every pinned part once, by name and sha256."""
    missing, found = [], {}
    for name, pin in sorted(upstream.items()):
        if "license" not in pin:
            missing.append(name)
            continue
        found[pin["sha256"]] = package(f"upstream-{name}", name, pin["version"], pin["license"], pin["urls"][0], pin["sha256"])
    for set_name, entry in sorted(debian.items()):
        for name, (version, path, digest) in sorted(entry["files"].items()):
            # The files of a source package are named package.orig.tar.xz and so on.
            license_id = licenses.get(name) or licenses.get(name.split(".orig")[0].split(".debian")[0].split(".dsc")[0])
            if not license_id:
                missing.append(f"{set_name}/{name}")
                continue
            location = f"https://snapshot.debian.org/archive/debian/{entry['snapshot']}/{path}"
            found[digest] = package(f"debian-{name}-{version}", name, version, license_id, location, digest,
                                    f"pkg:deb/debian/{name}@{version}".replace("+", "%2B").replace("~", "%7E"))
    if missing:
        sys.exit("release: no licence is known for " + ", ".join(missing) + "; add it to third_party/debian_licenses.json or the lock file")
    return sorted(found.values(), key=lambda p: p["SPDXID"])


def spdx(files, upstream, debian, licenses, when):
    released = [{
        "SPDXID": identifier("file-" + name),
        "fileName": "./" + name,
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    } for name, digest in files]
    parts = pinned_packages(upstream, debian, licenses)
    used = {word for p in parts for word in p["licenseDeclared"].split()}
    project = {
        "SPDXID": "SPDXRef-" + PROJECT,
        "name": PROJECT,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": PROJECT_LICENSE,
        "licenseDeclared": PROJECT_LICENSE,
        "copyrightText": "NOASSERTION",
    }
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", project["SPDXID"])]
    relations += [(project["SPDXID"], "CONTAINS", f["SPDXID"]) for f in released]
    relations += [(p["SPDXID"], "BUILD_DEPENDENCY_OF", project["SPDXID"]) for p in parts]
    body = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": PROJECT,
        "creationInfo": {
            "created": datetime.fromtimestamp(when, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Organization: Kevlar", "Tool: release_tool.py"],
        },
        "hasExtractedLicensingInfos": [{"licenseId": i, "extractedText": t} for i, t in sorted(EXTRACTED.items()) if i in used],
        "packages": [project] + parts,
        "files": released,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations],
    }
    # The namespace must be unique to the content, and the content must not depend on chance: so it is derived from it.
    body["documentNamespace"] = NAMESPACE + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return body


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lock", required=True)
    parser.add_argument("--licenses", required=True)
    parser.add_argument("--time", type=int, required=True, help="the document's date, seconds since 1970")
    parser.add_argument("--sums", required=True, help="SHA256SUMS to write")
    parser.add_argument("--spdx", required=True, help="SPDX list to write")
    parser.add_argument("files", nargs="+", help="NAME=PATH of a released file")
    args = parser.parse_args()
    files = sorted((name, sha256(path)) for name, path in (pair.split("=", 1) for pair in args.files))
    with open(args.licenses, encoding="utf-8") as f:
        licenses = json.load(f)
    upstream, debian = read_lock(args.lock)
    with open(args.spdx, "w", encoding="utf-8") as f:
        json.dump(spdx(files, upstream, debian, licenses, args.time), f, indent=2)
        f.write("\n")
    files.append((args.spdx.rpartition("/")[2], sha256(args.spdx)))
    with open(args.sums, "w", encoding="utf-8") as f:
        f.writelines(f"{digest}  {name}\n" for name, digest in sorted(files))


if __name__ == "__main__":
    main()
