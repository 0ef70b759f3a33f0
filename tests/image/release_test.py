"""The release folder: the sums are right, and the SPDX list names every pinned part with a licence.

    release_test.py LOCK FILE...     the files are those of //:release
"""

import hashlib
import json
import os
import sys
import unittest

LOCK, FILES = None, None


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Release(unittest.TestCase):
    def setUp(self):
        self.files = {os.path.basename(p): p for p in FILES}
        with open(self.files["kevlar.spdx.json"], encoding="utf-8") as f:
            self.spdx = json.load(f)

    def test_sums_cover_every_file_and_are_right(self):
        lines = read(self.files["SHA256SUMS"]).decode().splitlines()
        sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
        self.assertEqual(sorted(sums), sorted(set(self.files) - {"SHA256SUMS"}))
        for name, digest in sums.items():
            self.assertEqual(hashlib.sha256(read(self.files[name])).hexdigest(), digest, name)

    def test_every_pin_is_listed_with_a_licence(self):
        names = {}
        exec(read(LOCK), {"__builtins__": {}}, names)  # pylint: disable=exec-used
        pins = {p["sha256"] for p in names["UPSTREAM"].values()}
        pins |= {f[2] for s in names["DEBIAN"].values() for f in s["files"].values()}
        listed = {p["checksums"][0]["checksumValue"]: p["licenseDeclared"] for p in self.spdx["packages"] if "checksums" in p}
        self.assertEqual(set(listed), pins)
        self.assertNotIn("NOASSERTION", listed.values())

    def test_identifiers_are_unique_and_relations_lead_somewhere(self):
        ids = [e["SPDXID"] for e in [self.spdx] + self.spdx["packages"] + self.spdx["files"]]
        self.assertEqual(len(ids), len(set(ids)))
        for relation in self.spdx["relationships"]:
            self.assertIn(relation["spdxElementId"], ids)
            self.assertIn(relation["relatedSpdxElement"], ids)

    def test_licence_references_carry_their_text(self):
        used = {w.strip("()") for p in self.spdx["packages"] for w in p["licenseDeclared"].split() if "LicenseRef-" in w}
        self.assertEqual(used, {e["licenseId"] for e in self.spdx["hasExtractedLicensingInfos"]})


if __name__ == "__main__":
    LOCK, FILES = sys.argv[1], sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
