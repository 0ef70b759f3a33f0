"""rootfs_tool.py: what a description means, read back from the archive by a reader of our own. Run with its path."""

import io
import os
import stat
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(sys.argv.pop(1)))
import rootfs_tool  # noqa: E402  (its folder comes with the command line)

MTIME = 1735689600


def archive(description):
    out = io.BytesIO()
    rootfs_tool.write_cpio(rootfs_tool.parse(description.splitlines(), "test"), out, MTIME)
    return out.getvalue()


def read(data):
    """newc to {name: (fields, content)} in the archive's order; cpio(5)."""
    found, at = {}, 0
    while True:
        assert data[at:at + 6] == b"070701", f"no magic at {at}"
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name_at, name_size, size = at + 110, fields[11], fields[6]
        name = data[name_at:name_at + name_size - 1].decode()
        body = -(-(name_at + name_size) // 4) * 4
        if name == "TRAILER!!!":
            assert len(data) % 512 == 0 and not any(data[body:]), "the end is not padded with zeroes"
            return found
        assert name not in found, f"{name} comes twice"
        found[name] = (fields, data[body:body + size])
        at = -(-(body + size) // 4) * 4


class Description(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def source(self, name, content, mode=0o644):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
        os.chmod(path, mode)
        return path

    def refused(self, description, text):
        with self.assertRaises(rootfs_tool.DescriptionError) as caught:
            archive(description)
        self.assertIn(text, str(caught.exception))

    def test_every_kind_keeps_mode_owner_and_content(self):
        hello = self.source("hello", "hello\n")
        got = read(archive(f"dir /d 1777 1 2\nfile /d/f {hello} 4755 3 4\nslink /d/l f 0777 0 0\nnod /d/n 0620 0 5 c 5 1\n"))
        self.assertEqual([got[n][0][1:4] for n in ("d", "d/f", "d/l", "d/n")], [
            [stat.S_IFDIR | 0o1777, 1, 2], [stat.S_IFREG | 0o4755, 3, 4], [stat.S_IFLNK | 0o777, 0, 0], [stat.S_IFCHR | 0o620, 0, 5]])
        self.assertEqual((got["d/f"][1], got["d/l"][1], got["d/n"][0][9:11]), (b"hello\n", b"f", [5, 1]))
        self.assertEqual({e[0][5] for e in got.values()}, {MTIME})

    def test_inode_numbers_differ_and_parents_come_first(self):
        got = read(archive("dir /a/b/c 0755 0 0\nslink /a/b.d x 0777 0 0\n"))
        self.assertEqual(list(got), [".", "a", "a/b", "a/b/c", "a/b.d"])
        self.assertEqual([e[0][0] for e in got.values()], [1, 2, 3, 4, 5])

    def test_order_of_lines_does_not_matter(self):
        lines = ["dir /x 0700 0 0", "slink /y z 0777 0 0", "nod /x/c 0600 0 0 c 1 3"]
        self.assertEqual(archive("\n".join(lines)), archive("\n".join(reversed(lines))))

    def test_path_through_a_link_lands_where_the_link_leads(self):
        got = read(archive("slink /bin usr/bin 0777 0 0\nslink /bin/sh busybox 0777 0 0\n"))
        self.assertEqual(list(got), [".", "bin", "usr", "usr/bin", "usr/bin/sh"])

    def test_later_layer_replaces_and_removes(self):
        one, two = self.source("one", "1"), self.source("two", "2")
        got = read(archive(f"layer a\nfile /f {one} 0644 0 0\nfile /g/h {one} 0644 0 0\nlayer b\nfile /f {two} 0600 0 0\nremove /g\n"))
        self.assertEqual((list(got), got["f"][1]), ([".", "f"], b"2"))

    def test_tree_keeps_the_executable_bit_and_links_file_makes_links(self):
        self.source("tree/bin/run", "#!", 0o755)
        self.source("tree/data", "d", 0o600)
        listed = self.source("applets", "/bin/ls\n/bin/cat\n")
        got = read(archive(f"tree /opt {self.folder.name}/tree 0 0\nlinks {listed} busybox\n"))
        self.assertEqual([stat.S_IMODE(got[n][0][1]) for n in ("opt/bin/run", "opt/data")], [0o755, 0o644])
        self.assertEqual((got["bin/ls"][1], got["bin/cat"][1]), (b"busybox", b"busybox"))

    def test_archive_keeps_owners_and_links_and_lies_below_its_layer(self):
        path = os.path.join(self.folder.name, "package.tar.xz")
        with tarfile.open(path, "w:xz") as tar:
            for name, kind, mode, extra in [
                ("./lib", tarfile.DIRTYPE, 0o755, {}),
                ("./lib/a", tarfile.REGTYPE, 0o4755, {"uid": 3, "gid": 4, "size": 3}),
                ("./lib/b", tarfile.LNKTYPE, 0o4755, {"linkname": "./lib/a"}),
                ("./lib/l", tarfile.SYMTYPE, 0o777, {"linkname": "a"}),
                ("./doc/text", tarfile.REGTYPE, 0o644, {"size": 3}),
            ]:
                member = tarfile.TarInfo(name)
                member.type, member.mode = kind, mode
                for key, value in extra.items():
                    setattr(member, key, value)
                tar.addfile(member, io.BytesIO(b"abc"))
        got = read(archive(f"slink /lib usr/lib 0777 0 0\nlayer x\narchive {path}\nremove /doc\nslink /usr/lib/l b 0777 0 0\n"))
        self.assertEqual(list(got), [".", "lib", "usr", "usr/lib", "usr/lib/a", "usr/lib/b", "usr/lib/l"])
        self.assertEqual((got["usr/lib/a"][0][1:5], got["usr/lib/a"][1]), ([stat.S_IFREG | 0o4755, 3, 4, 2], b"abc"))
        self.assertEqual((got["usr/lib/b"][0][0], got["usr/lib/b"][1]), (got["usr/lib/a"][0][0], b""))
        self.assertEqual(got["usr/lib/l"][1], b"b")

    def test_twice_in_one_layer_is_refused(self):
        self.refused("layer a\nslink /l x 0777 0 0\nslink /l y 0777 0 0\n", "described twice")

    def test_file_below_a_file_is_refused(self):
        f = self.source("f", "")
        self.refused(f"file /f {f} 0644 0 0\nslink /f/g x 0777 0 0\n", "/f is a file")

    def test_link_loop_is_refused(self):
        self.refused("slink /a b 0777 0 0\nslink /b a 0777 0 0\nslink /a/c x 0777 0 0\n", "too many symbolic links")

    def test_missing_source_names_the_line(self):
        self.refused("dir /d 0755 0 0\nfile /f /nowhere/f 0644 0 0\n", "test:2")


if __name__ == "__main__":
    unittest.main()
