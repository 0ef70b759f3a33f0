"""The disk images as outside tools see them: sgdisk and fsck.fat find no fault, and the unified kernel image holds our parts.

    structure_test.py --sgdisk=TOOL --fsck=TOOL --mtools=TOOL --objcopy=TOOL DISK ESP KERNEL INITRAMFS
"""

import argparse
import os
import subprocess
import sys
import tempfile
import unittest

MIB = 1 << 20
ARGS = None


def read(path):
    with open(path, "rb") as f:
        return f.read()


def run(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, LC_ALL="C", TZ="UTC"))
    return done.returncode, done.stdout.decode(errors="replace")


class Structure(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name):
        return os.path.join(self.folder.name, name)

    def test_partition_table_is_valid(self):
        status, said = run(ARGS.sgdisk, "--verify", ARGS.disk)
        self.assertEqual(status, 0, said)
        self.assertIn("No problems found", said)

    def test_first_partition_is_an_efi_system_partition(self):
        _, said = run(ARGS.sgdisk, "--info=1", ARGS.disk)
        self.assertIn("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", said)
        self.assertIn("First sector: 2048 ", said)

    def test_partition_is_the_file_system_that_was_built(self):
        esp = read(ARGS.esp)
        self.assertEqual(read(ARGS.disk)[MIB:MIB + len(esp)], esp)

    def test_file_system_is_clean_fat32(self):
        status, said = run(ARGS.fsck, "-n", "-v", ARGS.esp)
        self.assertEqual(status, 0, said)
        self.assertIn("32 bit entries", said)

    def test_a_damaged_file_system_is_noticed(self):
        damaged = self.file("damaged.img")
        with open(damaged, "wb") as f:
            f.write(read(ARGS.esp))
            f.seek(32 * 512)  # the first file allocation table
            f.write(bytes(4096))
        status, said = run(ARGS.fsck, "-n", damaged)
        self.assertNotEqual(status, 0, said)

    def test_unified_image_holds_kernel_and_initramfs(self):
        uki, section = self.file("uki.efi"), self.file("section")
        status, said = run(ARGS.mtools, "-c", "mcopy", "-i", ARGS.esp, "::/EFI/BOOT/BOOTX64.EFI", uki)
        self.assertEqual(status, 0, said)
        for name, wanted in ((".linux", ARGS.kernel), (".initrd", ARGS.initramfs)):
            status, said = run(ARGS.objcopy, f"--dump-section={name}={section}", uki, self.file("unused"))
            self.assertEqual(status, 0, said)
            got, want = read(section), read(wanted)
            self.assertEqual(got[:len(want)], want, f"{name} is not {wanted}")
            self.assertFalse(any(got[len(want):]), f"{name} is longer than {wanted}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for tool in ("sgdisk", "fsck", "mtools", "objcopy"):
        parser.add_argument("--" + tool, required=True)
    for name in ("disk", "esp", "kernel", "initramfs"):
        parser.add_argument(name)
    ARGS = parser.parse_args()
    unittest.main(argv=sys.argv[:1])
