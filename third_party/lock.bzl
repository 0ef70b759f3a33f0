"""Every file the build takes from outside, by version and sha256.

UPSTREAM holds releases of other projects, written by hand: version, licence (SPDX), sha256, the addresses to try in order
(the project's own first) and, where Debian carries the same bytes, the pool path (`debian_path`).

DEBIAN holds sets of packages of one Debian suite; `tools/lock` writes them. Each file: version, path below the mirror, sha256.
`snapshot` is the date of the suite they were taken from; snapshot.debian.org has them under that date when the mirror has
moved on. To move the pins to what the mirror holds today: `tools/lock refresh`; to add: `tools/lock add` (see its --help).
"""

# --- pins ---
UPSTREAM = {
    "busybox": {
        "version": "1.37.0",
        "license": "GPL-2.0-only",
        "sha256": "3311dff32e746499f4df0d5df04d7eb396382d7e108bb9250e7b519b837043a4",
        "urls": ["https://busybox.net/downloads/busybox-1.37.0.tar.bz2"],
        "debian_path": "pool/main/b/busybox/busybox_1.37.0.orig.tar.bz2",
        "strip_prefix": "busybox-1.37.0",
    },
    "musl": {
        "version": "1.2.5",
        "license": "MIT",
        "sha256": "a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4",
        "urls": ["https://musl.libc.org/releases/musl-1.2.5.tar.gz"],
        "debian_path": "pool/main/m/musl/musl_1.2.5.orig.tar.gz",
        "strip_prefix": "musl-1.2.5",
    },
    "openrc_source": {
        "version": "0.56",
        "license": "BSD-2-Clause",
        "sha256": "9d43184b83719651757b9a377b2b839c6f570da63e9ca3aedf0e8caffa9018fd",
        "urls": ["https://snapshot.debian.org/archive/debian/20250601T000000Z/pool/main/o/openrc/openrc_0.56.orig.tar.xz"],
        "debian_path": "pool/main/o/openrc/openrc_0.56.orig.tar.xz",
        "strip_prefix": "openrc-0.56",
    },
}

DEBIAN = {
    "bazel_skylib": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "bazel-skylib": [
                "1.0.3-2",
                "pool/main/b/bazel-skylib/bazel-skylib_1.0.3-2_all.deb",
                "b7662103ceb16fedb2e348c0d6f18045eba656e3fe1e462ebcfd25efd2548db0",
            ],
        },
    },
    "debian": {
        "suite": "trixie",
        "snapshot": "20261121T091544Z",
        "files": {
            "base-files": [
                "13.8+deb13u8",
                "pool/main/b/base-files/base-files_13.8+deb13u8_amd64.deb",
                "f5a0546098f38bad5843380521781fe7214e5a283d3bed63f79c505545f262af",
            ],
            "bash": [
                "5.2.37-2+b10",
                "pool/main/b/bash/bash_5.2.37-2+b10_amd64.deb",
                "2fd7b04f1b7caa29c4e683f5216e6af354a41e3cdcf6e75394d7cda680f9ab82",
            ],
            "binutils": [
                "2.44-3",
                "pool/main/b/binutils/binutils_2.44-3_amd64.deb",
                "6bc08c02539ba53b5e748142397144c499f9b20b5fa9bb56431545db124addeb",
            ],
            "binutils-common": [
                "2.44-3",
                "pool/main/b/binutils/binutils-common_2.44-3_amd64.deb",
                "002da5d23f8757dee97a2c0a40e0e1d4d85a43da094488ee2ee7068d4d3691f9",
            ],
            "binutils-x86-64-linux-gnu": [
                "2.44-3",
                "pool/main/b/binutils/binutils-x86-64-linux-gnu_2.44-3_amd64.deb",
                "e6741ce95ff0f7a131c8d9faa3528ccbbc453078bbc62a97da81340ed7462c53",
            ],
            "coreutils": [
                "9.7-3",
                "pool/main/c/coreutils/coreutils_9.7-3_amd64.deb",
                "1299ab6f9389a288eb2f5f3dd222c26cc777b9a2d5ecb6ee4cbd340cebcdada2",
            ],
            "cpp": [
                "4:14.2.0-1",
                "pool/main/g/gcc-defaults/cpp_14.2.0-1_amd64.deb",
                "a6ba40550aadec80437813e0fce5516574945ff40e72306a5b378c03af3a6544",
            ],
            "cpp-14": [
                "14.2.0-19",
                "pool/main/g/gcc-14/cpp-14_14.2.0-19_amd64.deb",
                "3bae5fe03c56c6d021900ab4fb79e35c6f75eee72a73fccc6f28a39db559d6a0",
            ],
            "cpp-14-x86-64-linux-gnu": [
                "14.2.0-19",
                "pool/main/g/gcc-14/cpp-14-x86-64-linux-gnu_14.2.0-19_amd64.deb",
                "ef274b5379f5f97fc71619d39ecc84d039d3e184570d207b909c90afaa5d79e0",
            ],
            "cpp-x86-64-linux-gnu": [
                "4:14.2.0-1",
                "pool/main/g/gcc-defaults/cpp-x86-64-linux-gnu_14.2.0-1_amd64.deb",
                "d902f484e38bce59e82efc0df2fe20139a0932ca759ecafdfe6e5b6c72238eb8",
            ],
            "dash": [
                "0.5.12-12",
                "pool/main/d/dash/dash_0.5.12-12_amd64.deb",
                "a8902cb6d8650134764a25fb80aec8589d858ef71ece1680a62e84816c37bb04",
            ],
            "debianutils": [
                "5.23.2",
                "pool/main/d/debianutils/debianutils_5.23.2_amd64.deb",
                "720e43fda316676076498b4224ad3318049deafe60cc7c601011048de03ee97d",
            ],
            "diffutils": [
                "1:3.10-4",
                "pool/main/d/diffutils/diffutils_3.10-4_amd64.deb",
                "d3412669f7ae53ba895c3a509620ea7494ec1a36faa204c5215442ced381a479",
            ],
            "findutils": [
                "4.10.0-3",
                "pool/main/f/findutils/findutils_4.10.0-3_amd64.deb",
                "3edf02b016456b6a98cefdbab99c5ce6f829b786f63affe970badea221aecfc7",
            ],
            "gawk": [
                "1:5.2.1-2+b1",
                "pool/main/g/gawk/gawk_5.2.1-2+b1_amd64.deb",
                "0e3b376e74cadfa5049bc8248c563efe89fd45e31466f8891c094c65c0879f5c",
            ],
            "gcc": [
                "4:14.2.0-1",
                "pool/main/g/gcc-defaults/gcc_14.2.0-1_amd64.deb",
                "eee65c41a441c57c05f754ced1b9d093956966a1c7da9938c3ec00d3dc2f905d",
            ],
            "gcc-14": [
                "14.2.0-19",
                "pool/main/g/gcc-14/gcc-14_14.2.0-19_amd64.deb",
                "21500408b5019d8d29f70ce58488e2eea469a1adb4b5fd7db45e819b5efcac4e",
            ],
            "gcc-14-base": [
                "14.2.0-19",
                "pool/main/g/gcc-14/gcc-14-base_14.2.0-19_amd64.deb",
                "5b6825de4263824b78c4c51f6476414f3b4e89c2ab63e81dc8b9b5501e867cf6",
            ],
            "gcc-14-x86-64-linux-gnu": [
                "14.2.0-19",
                "pool/main/g/gcc-14/gcc-14-x86-64-linux-gnu_14.2.0-19_amd64.deb",
                "a17ef039f1ba482051c3efb5c2c24070002e60dd0bd09fd456ec31481a11b725",
            ],
            "gcc-x86-64-linux-gnu": [
                "4:14.2.0-1",
                "pool/main/g/gcc-defaults/gcc-x86-64-linux-gnu_14.2.0-1_amd64.deb",
                "04c28c2760b0094b3d7758154ac095303dd00599b63ebad4086a325b607308b7",
            ],
            "git": [
                "1:2.47.3-0+deb13u1",
                "pool/main/g/git/git_2.47.3-0+deb13u1_amd64.deb",
                "3e35662fd5c46add561703e54031a1d8ad9df45811927689f0a51122b13be722",
            ],
            "grep": [
                "3.11-4",
                "pool/main/g/grep/grep_3.11-4_amd64.deb",
                "2d78ed07d86a530ebf538f05cb2415f37c8daf908596bc32fc2563cc7e88c55a",
            ],
            "gzip": [
                "1.13-1+deb13u1",
                "pool/main/g/gzip/gzip_1.13-1+deb13u1_amd64.deb",
                "74cf12212beee4ab8d473bdc0107abf9e8cef737492198e2f4944a19f142b0ac",
            ],
            "hostname": [
                "3.25",
                "pool/main/h/hostname/hostname_3.25_amd64.deb",
                "9c2a27e5d4d87137211fe46631b05b2ee8892ec76aae926304e4485ba02e1015",
            ],
            "libacl1": [
                "2.3.2-2+b1",
                "pool/main/a/acl/libacl1_2.3.2-2+b1_amd64.deb",
                "08074f01e384bc07c0c2d79a58cf4a6523f71cf75d1808101c79617656c9a39d",
            ],
            "libatomic1": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libatomic1_14.2.0-19_amd64.deb",
                "212b399aae2f7299203d261a57e49372e09565a9a5ea971905f94a3960366c05",
            ],
            "libattr1": [
                "1:2.5.2-3",
                "pool/main/a/attr/libattr1_2.5.2-3_amd64.deb",
                "606b5ee12ea2786be607a17f40c1fb5e65c76ceaff66665bdf8f8c6c1b71d1fb",
            ],
            "libaudit-common": [
                "1:4.0.2-2+deb13u1",
                "pool/main/a/audit/libaudit-common_4.0.2-2+deb13u1_all.deb",
                "b9d32e5ff04fd747aacb7d6b3ebbbbf734ddefb2f1695f0b1b2a4b5e51b1052e",
            ],
            "libaudit1": [
                "1:4.0.2-2+deb13u1",
                "pool/main/a/audit/libaudit1_4.0.2-2+deb13u1_amd64.deb",
                "3d1dd3f031a56f01b747e2acc0e14575212580e6fa63d800c44cb0a31f1edfd7",
            ],
            "libbinutils": [
                "2.44-3",
                "pool/main/b/binutils/libbinutils_2.44-3_amd64.deb",
                "4f4664c8a8f0ad0c8631c39fab02e3d8d86ccc6f4436a1d59f059dbcb0492679",
            ],
            "libblkid1": [
                "2.41.5-0+deb13u1",
                "pool/main/u/util-linux/libblkid1_2.41.5-0+deb13u1_amd64.deb",
                "81535f3c2c0efc732965907c8749103a0a26377c761622c9ce39b4c92dcde52f",
            ],
            "libbrotli1": [
                "1.1.0-2+deb13u1",
                "pool/main/b/brotli/libbrotli1_1.1.0-2+deb13u1_amd64.deb",
                "db46824c60fee46aff3cc0be3e5f736bc606cae669b1fb17516a41e8073251a9",
            ],
            "libbz2-1.0": [
                "1.0.8-6",
                "pool/main/b/bzip2/libbz2-1.0_1.0.8-6_amd64.deb",
                "cba4cda04244b5e481bb15524bc3c983a7d1b6f330013b9b381706a2fcb65310",
            ],
            "libc-bin": [
                "2.41-12+deb13u5",
                "pool/main/g/glibc/libc-bin_2.41-12+deb13u5_amd64.deb",
                "f30ee7381a9c6a3936165259bcd58e65f4b288e351606d200c8435724c5876dd",
            ],
            "libc-dev-bin": [
                "2.41-12+deb13u5",
                "pool/main/g/glibc/libc-dev-bin_2.41-12+deb13u5_amd64.deb",
                "9546268f031bd598f32262ea3ca8f2558cd41dcaada13dd1af9ad329c3dbf30c",
            ],
            "libc6": [
                "2.41-12+deb13u5",
                "pool/main/g/glibc/libc6_2.41-12+deb13u5_amd64.deb",
                "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf",
            ],
            "libc6-dev": [
                "2.41-12+deb13u5",
                "pool/main/g/glibc/libc6-dev_2.41-12+deb13u5_amd64.deb",
                "858f4d477cc39324f3c6582cdebcf38928fb385bb17b40518c77a7dccd296428",
            ],
            "libcap-ng0": [
                "0.8.5-4+b1",
                "pool/main/libc/libcap-ng/libcap-ng0_0.8.5-4+b1_amd64.deb",
                "20a9e4b0619a3eb2566338223bed135dde5a601eaa2f8fdd5f20b94506addcac",
            ],
            "libcap2": [
                "1:2.75-10+deb13u1+b3",
                "pool/main/libc/libcap2/libcap2_2.75-10+deb13u1+b3_amd64.deb",
                "89fc4d34fc7a28ad6f0fcd0c561ab253b9dedf6f77f5a000b47c276c8295bf67",
            ],
            "libcc1-0": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libcc1-0_14.2.0-19_amd64.deb",
                "2d587e3bfba4aec701946b7ba0c1640b97b6d8dd0a34ba1c70ae85261ecedefa",
            ],
            "libcom-err2": [
                "1.47.2-3+b12",
                "pool/main/e/e2fsprogs/libcom-err2_1.47.2-3+b12_amd64.deb",
                "bd43e020b8fed399db3eebf098111f10fba4c436fff99ccad72cc7e27c9764ec",
            ],
            "libcrypt-dev": [
                "1:4.4.38-1",
                "pool/main/libx/libxcrypt/libcrypt-dev_4.4.38-1_amd64.deb",
                "98e2333aea8d64ca68f9b75c16256d3a05492fd8f9e6dba96adbc6f19e4f5a09",
            ],
            "libcrypt1": [
                "1:4.4.38-1",
                "pool/main/libx/libxcrypt/libcrypt1_4.4.38-1_amd64.deb",
                "0ebc144d662e3197982d1bf3a7b8b35ca845e54c68811de0328b1f0d7c67585c",
            ],
            "libctf-nobfd0": [
                "2.44-3",
                "pool/main/b/binutils/libctf-nobfd0_2.44-3_amd64.deb",
                "e280b2be3db6e584500e865c251605b95c346767d87ccb2524e44992048fc657",
            ],
            "libctf0": [
                "2.44-3",
                "pool/main/b/binutils/libctf0_2.44-3_amd64.deb",
                "120cafcd93132a276fa92a8fb4cf39b23d14e5a3e348f4f5580638d71ca95ac5",
            ],
            "libcurl3t64-gnutls": [
                "8.14.1-2+deb13u7",
                "pool/main/c/curl/libcurl3t64-gnutls_8.14.1-2+deb13u7_amd64.deb",
                "9475c591b338b81859ee6d06bf2a9fbb01b52f184c235afa7f6e7f1652136e55",
            ],
            "libdb5.3t64": [
                "5.3.28+dfsg2-9",
                "pool/main/d/db5.3/libdb5.3t64_5.3.28+dfsg2-9_amd64.deb",
                "18d02510ee78b67e4504ba050176797a200ff24214a7cd318082ab60ad7bf3fc",
            ],
            "libexpat1": [
                "2.9.0-1~deb13u1",
                "pool/main/e/expat/libexpat1_2.9.0-1~deb13u1_amd64.deb",
                "feff874772cae904ae4d24e917b35664952bec4b4ae9100a4edda5a7fa746832",
            ],
            "libffi8": [
                "3.4.8-2",
                "pool/main/libf/libffi/libffi8_3.4.8-2_amd64.deb",
                "0ebdc340de33333639c3c63874cd4b15ac2e83dfa1ef3053b7eefaf4919f4f68",
            ],
            "libgcc-14-dev": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libgcc-14-dev_14.2.0-19_amd64.deb",
                "ca6f2d36d96b19b3eb71405b0b80134d8c89380b02204a2512e5c58ceb090628",
            ],
            "libgcc-s1": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libgcc-s1_14.2.0-19_amd64.deb",
                "3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150",
            ],
            "libgmp10": [
                "2:6.3.0+dfsg-3",
                "pool/main/g/gmp/libgmp10_6.3.0+dfsg-3_amd64.deb",
                "d0d0265eb01770f17afd0f7c8c0622f80479dcfbbe13653a0debeec61464e622",
            ],
            "libgnutls30t64": [
                "3.8.9-3+deb13u4",
                "pool/main/g/gnutls28/libgnutls30t64_3.8.9-3+deb13u4_amd64.deb",
                "18a8bdfd91c7e3bcb01719d55a2b56849c7160b34f1f52b1c4fdfdd41bf1352b",
            ],
            "libgomp1": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libgomp1_14.2.0-19_amd64.deb",
                "72b7a1a33c48f3195efeb044111b34ae684b1e640bb6495c832443b798601cd5",
            ],
            "libgssapi-krb5-2": [
                "1.21.3-5+deb13u1",
                "pool/main/k/krb5/libgssapi-krb5-2_1.21.3-5+deb13u1_amd64.deb",
                "30847c1fde4240567d7ed3aeab4f655dd591203758b857e85e824045aae70299",
            ],
            "libhogweed6t64": [
                "3.10.1-1",
                "pool/main/n/nettle/libhogweed6t64_3.10.1-1_amd64.deb",
                "b059ed155115ac09da295322de48ee1ed58ef5fa45edcc9e12ff0e94636ef25f",
            ],
            "libidn2-0": [
                "2.3.8-2",
                "pool/main/libi/libidn2/libidn2-0_2.3.8-2_amd64.deb",
                "90b039bcdc4578f8e1c4935adf8dbb525e36a164deefdbbb8c45bac347d48278",
            ],
            "libisl23": [
                "0.27-1",
                "pool/main/i/isl/libisl23_0.27-1_amd64.deb",
                "ac8518042e81c00de1effb72bba7e88ac4ecd488f7ea8b9e3ebc63159cb53b35",
            ],
            "libitm1": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libitm1_14.2.0-19_amd64.deb",
                "febdb3c528cde1a3abe952e17a1d3cfa7ccaca5b6f506d983d34385dad199490",
            ],
            "libjansson4": [
                "2.14-2+b3",
                "pool/main/j/jansson/libjansson4_2.14-2+b3_amd64.deb",
                "60707a62fe6c1228c3389b12a13ca4efd76defc5532473e547a29e99cf7d2a6e",
            ],
            "libjemalloc2": [
                "5.3.0-3",
                "pool/main/j/jemalloc/libjemalloc2_5.3.0-3_amd64.deb",
                "e7d64919e620e8ea46960104efe1e9c977d751e5b610a5d89b0b51aeae9530d7",
            ],
            "libk5crypto3": [
                "1.21.3-5+deb13u1",
                "pool/main/k/krb5/libk5crypto3_1.21.3-5+deb13u1_amd64.deb",
                "7da07ee674b47f1f0be7cc89317c25310086a1f1761217d0f72e6ae2c5a69b84",
            ],
            "libkeyutils1": [
                "1.6.3-6",
                "pool/main/k/keyutils/libkeyutils1_1.6.3-6_amd64.deb",
                "0b11ad17be0300b63ad4eeb4c6450fed24d34b7b740f23e5363dcb29ee6d5eba",
            ],
            "libkrb5-3": [
                "1.21.3-5+deb13u1",
                "pool/main/k/krb5/libkrb5-3_1.21.3-5+deb13u1_amd64.deb",
                "47d71d6a7f2e59b9bae5f89602397594805113b95889ad18fa703cd53abafc97",
            ],
            "libkrb5support0": [
                "1.21.3-5+deb13u1",
                "pool/main/k/krb5/libkrb5support0_1.21.3-5+deb13u1_amd64.deb",
                "3a0acd8b37955c0e102c756b52c97df2a31f67b96453c35dab70df218d309117",
            ],
            "liblastlog2-2": [
                "2.41.5-0+deb13u1",
                "pool/main/u/util-linux/liblastlog2-2_2.41.5-0+deb13u1_amd64.deb",
                "abb76aecbf51479e6e193873dfddaa1b88667dc0b1db82a11286a67550ba1557",
            ],
            "libldap2": [
                "2.6.10+dfsg-1",
                "pool/main/o/openldap/libldap2_2.6.10+dfsg-1_amd64.deb",
                "60069e4a550ca890113fa89d3001417781b18e146ec5d637d31e368dec9909bd",
            ],
            "liblzf1": [
                "3.6-4+b3",
                "pool/main/libl/liblzf/liblzf1_3.6-4+b3_amd64.deb",
                "1f7677f1098f9f643806d64a2ed54d14bcd5954e71b63c2aa1e9bb7bcd84d783",
            ],
            "liblzma5": [
                "5.8.1-1+deb13u2",
                "pool/main/x/xz-utils/liblzma5_5.8.1-1+deb13u2_amd64.deb",
                "b38acab30f295bf1066a6632e31cbd0a1980f2924b38040cda131d5dea5384ec",
            ],
            "libmount1": [
                "2.41.5-0+deb13u1",
                "pool/main/u/util-linux/libmount1_2.41.5-0+deb13u1_amd64.deb",
                "6d00f45f2e80e078e906e3eedecd3ba6913e39fef49bff361ee583f17f00ec05",
            ],
            "libmpc3": [
                "1.3.1-1+b3",
                "pool/main/m/mpclib3/libmpc3_1.3.1-1+b3_amd64.deb",
                "2af0a5c128e03694a41c0b011bd8a958b7297436cdb3a15ddad7866dae8c300b",
            ],
            "libmpfr6": [
                "4.2.2-1",
                "pool/main/m/mpfr4/libmpfr6_4.2.2-1_amd64.deb",
                "75dddce11dabc7fc543712c33dc27b7f2ee66a111763eb5eac654d010b42cd92",
            ],
            "libncursesw6": [
                "6.5+20250216-2",
                "pool/main/n/ncurses/libncursesw6_6.5+20250216-2_amd64.deb",
                "47baa2e11579583654583a066b69bd5a5d2f22423081f707ed6c0c3ba6d538b7",
            ],
            "libnettle8t64": [
                "3.10.1-1",
                "pool/main/n/nettle/libnettle8t64_3.10.1-1_amd64.deb",
                "1b03d4a9cd9c8143ba50fe6396f36937e901a317d492d179f4596862c1731cfe",
            ],
            "libnghttp2-14": [
                "1.64.0-1.1+deb13u2",
                "pool/main/n/nghttp2/libnghttp2-14_1.64.0-1.1+deb13u2_amd64.deb",
                "a5c10b427f9dc625754a9f323b07f2a76932a10161888e6e040c8f9448c13f05",
            ],
            "libnghttp3-9": [
                "1.8.0-1",
                "pool/main/n/nghttp3/libnghttp3-9_1.8.0-1_amd64.deb",
                "388e4c33b72829cbf0d098afdc8539fa5ba7458eddb077f5538fdb4d5538716b",
            ],
            "libngtcp2-16": [
                "1.11.0-1+deb13u1",
                "pool/main/n/ngtcp2/libngtcp2-16_1.11.0-1+deb13u1_amd64.deb",
                "627eec81ebbd48c4e6091f5cd9dc5070b792b7075000eed60ab08c7daa961caf",
            ],
            "libngtcp2-crypto-gnutls8": [
                "1.11.0-1+deb13u1",
                "pool/main/n/ngtcp2/libngtcp2-crypto-gnutls8_1.11.0-1+deb13u1_amd64.deb",
                "2a7f109c0c4db6a800e4661c5e5e34e1f1f83c8162482276183d1ada9da7c96c",
            ],
            "libp11-kit0": [
                "0.25.5-3",
                "pool/main/p/p11-kit/libp11-kit0_0.25.5-3_amd64.deb",
                "784bf2063e166c8bc851a32623b74ebd85c499043a9d57c5bbd64fa63447f45a",
            ],
            "libpam-modules": [
                "1.7.0-5",
                "pool/main/p/pam/libpam-modules_1.7.0-5_amd64.deb",
                "9679ade117f8775ac0471f48a92652ab8e8dcda4e2ff06de75158cded9cfd83c",
            ],
            "libpam-modules-bin": [
                "1.7.0-5",
                "pool/main/p/pam/libpam-modules-bin_1.7.0-5_amd64.deb",
                "cc72066d008444317738e8e931d6131b301466b4e2dd5ef5baa75fb1a45d61a7",
            ],
            "libpam0g": [
                "1.7.0-5",
                "pool/main/p/pam/libpam0g_1.7.0-5_amd64.deb",
                "4f5bde27d8df2de6ea8990319b42d9974f56a3ba9907ce7296fd0f8964fc9fb1",
            ],
            "libpcre2-8-0": [
                "10.46-1~deb13u3",
                "pool/main/p/pcre2/libpcre2-8-0_10.46-1~deb13u3_amd64.deb",
                "e226f661d918f04daf38cdbc4806b7ed7d6ef95c7eb0ade692fc350e31970040",
            ],
            "libproc2-0": [
                "2:4.0.4-9",
                "pool/main/p/procps/libproc2-0_4.0.4-9_amd64.deb",
                "c9d61caab1b2ddfc3f17edb95be31b9809fcb2daf27d853dff615bc4ebd08b4b",
            ],
            "libpsl5t64": [
                "0.21.2-1.1+b1",
                "pool/main/libp/libpsl/libpsl5t64_0.21.2-1.1+b1_amd64.deb",
                "59d42bb1f9ebc0d1776fe616efb08a7a8568b05982e00f70b03c63863db768ab",
            ],
            "libpython3-stdlib": [
                "3.13.5-1",
                "pool/main/p/python3-defaults/libpython3-stdlib_3.13.5-1_amd64.deb",
                "7e142ed64a81ccdd39714f213467bd365736ef341adb2be11be981f638b9175f",
            ],
            "libpython3.13-minimal": [
                "3.13.5-2+deb13u5",
                "pool/main/p/python3.13/libpython3.13-minimal_3.13.5-2+deb13u5_amd64.deb",
                "a4aa6a9a8c77f87bfe545e1d14ec42c001d189ace90e3aa75deec882b39dee49",
            ],
            "libpython3.13-stdlib": [
                "3.13.5-2+deb13u5",
                "pool/main/p/python3.13/libpython3.13-stdlib_3.13.5-2+deb13u5_amd64.deb",
                "db161322a3481d2c0c3b9a3b9a03c3ab0e2b1718f54b88755fb4a3f939165b84",
            ],
            "libquadmath0": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libquadmath0_14.2.0-19_amd64.deb",
                "f5b51cf0ece3ec3bb7494d0cdbff3ce715ae00cfb2b6ed787f7db91319d64a7b",
            ],
            "libreadline8t64": [
                "8.2-6",
                "pool/main/r/readline/libreadline8t64_8.2-6_amd64.deb",
                "eeadf2b5e755c9f183883feea2d9b5b28560284275d5f54d3e55d0923b1d0967",
            ],
            "librtmp1": [
                "2.4+20151223.gitfa8646d.1-2+b5",
                "pool/main/r/rtmpdump/librtmp1_2.4+20151223.gitfa8646d.1-2+b5_amd64.deb",
                "93baa2004cbe6c8721b9e81beed078612540aef120970b4751305c51c6697368",
            ],
            "libsasl2-2": [
                "2.1.28+dfsg1-9",
                "pool/main/c/cyrus-sasl2/libsasl2-2_2.1.28+dfsg1-9_amd64.deb",
                "66e49d7ae026811b49a0050f18b0325960a2625ffd1ff60d91b7844a815fa9d2",
            ],
            "libsasl2-modules-db": [
                "2.1.28+dfsg1-9",
                "pool/main/c/cyrus-sasl2/libsasl2-modules-db_2.1.28+dfsg1-9_amd64.deb",
                "a5c38659fbd62c33c6d9bfa2be43e75a572d1818531aad32dd74d0a58cc4bd19",
            ],
            "libselinux1": [
                "3.8.1-1",
                "pool/main/libs/libselinux/libselinux1_3.8.1-1_amd64.deb",
                "68bb8d32bd8d6d7d2f5952a169db03d1484b46ae1e52abccdec42a19dccea5d5",
            ],
            "libsframe1": [
                "2.44-3",
                "pool/main/b/binutils/libsframe1_2.44-3_amd64.deb",
                "38f625dfdc582717029ac3a3e97c51d994ec2e7a0e9b230c6b44e40d1276311f",
            ],
            "libsigsegv2": [
                "2.14-1+b2",
                "pool/main/libs/libsigsegv/libsigsegv2_2.14-1+b2_amd64.deb",
                "bac603b965f303ea88dc39cd723b3d88cd86e3be9c948783f0d5e0d00e971302",
            ],
            "libsmartcols1": [
                "2.41.5-0+deb13u1",
                "pool/main/u/util-linux/libsmartcols1_2.41.5-0+deb13u1_amd64.deb",
                "d96bac9c8805685f2734885098a214b82950da6ebb182c27a6b7a124a0323392",
            ],
            "libsqlite3-0": [
                "3.46.1-7+deb13u2",
                "pool/main/s/sqlite3/libsqlite3-0_3.46.1-7+deb13u2_amd64.deb",
                "0a459adaffd901109f7811ab65f58e7a957b4907d05539cf3d1184efdcde0468",
            ],
            "libssh2-1t64": [
                "1.11.1-1+deb13u2",
                "pool/main/libs/libssh2/libssh2-1t64_1.11.1-1+deb13u2_amd64.deb",
                "dbb1024c192d4d292b7cfa902b96076cfe81b56a5eed4fb28da36e8bf543e49a",
            ],
            "libssl3t64": [
                "3.5.9-1~deb13u1",
                "pool/main/o/openssl/libssl3t64_3.5.9-1~deb13u1_amd64.deb",
                "ffefb9af363e0e4592251b2533eb06453c8e470f7772e40263c4b2129251a6d5",
            ],
            "libstdc++6": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libstdc++6_14.2.0-19_amd64.deb",
                "ab1fa05837aa7a92aae748fd07a18a35f7d18bb4a71c4724fe2bbf0e32089de0",
            ],
            "libsystemd0": [
                "257.13-1~deb13u1",
                "pool/main/s/systemd/libsystemd0_257.13-1~deb13u1_amd64.deb",
                "ab0d4127b5e46e6f8c015a1db15a62ba9ae274cdefa150083adf90ada0600ea1",
            ],
            "libtasn1-6": [
                "4.20.0-2+deb13u1",
                "pool/main/libt/libtasn1-6/libtasn1-6_4.20.0-2+deb13u1_amd64.deb",
                "23fec6e06583ce2bad9b2c04c9b485e90440e259b1abf8677cd80d3ce60831ad",
            ],
            "libtinfo6": [
                "6.5+20250216-2",
                "pool/main/n/ncurses/libtinfo6_6.5+20250216-2_amd64.deb",
                "8b9f6a7983e9418564e48a627518de4c03917b56efe68d7f3e93bd8fffa1cc10",
            ],
            "libudev1": [
                "257.13-1~deb13u1",
                "pool/main/s/systemd/libudev1_257.13-1~deb13u1_amd64.deb",
                "5d41c284f5a93b05bc7d648b61a02dd2bb9ff05b2261ad1a8b7d96044a0cfa88",
            ],
            "libunistring5": [
                "1.3-2",
                "pool/main/libu/libunistring/libunistring5_1.3-2_amd64.deb",
                "6dd3490bef06ea1096f32d10766b7e016cf579bfae8451d1b7df15ce05b8aa46",
            ],
            "libuuid1": [
                "2.41.5-0+deb13u1",
                "pool/main/u/util-linux/libuuid1_2.41.5-0+deb13u1_amd64.deb",
                "c1bf4c4c3ff48c57fabf93307dfb56996b60cfa33927afc4158b5db36fb2721e",
            ],
            "libzstd1": [
                "1.5.7+dfsg-1",
                "pool/main/libz/libzstd/libzstd1_1.5.7+dfsg-1_amd64.deb",
                "2f6a2aeacfc925eba8b00ac9139bc4bfccf8cacb09eb93de067074b26948eef9",
            ],
            "linux-libc-dev": [
                "6.12.117-1",
                "pool/main/l/linux/linux-libc-dev_6.12.117-1_all.deb",
                "8b4848725a2705e5b1612f2135c44300716690ba762368ab87df127e9a5ed416",
            ],
            "make": [
                "4.4.1-2",
                "pool/main/m/make-dfsg/make_4.4.1-2_amd64.deb",
                "70a9709e665383b06068ccd423d62ea191b65355f318a25565dbf324b254cec6",
            ],
            "mount": [
                "2.41.5-0+deb13u1",
                "pool/main/u/util-linux/mount_2.41.5-0+deb13u1_amd64.deb",
                "eb70a615114ac40123768beb20e302554d5cb7edb33290be7e418ebe1075c878",
            ],
            "netbase": [
                "6.5",
                "pool/main/n/netbase/netbase_6.5_all.deb",
                "76bafa92947ebd37b0a6f9ec6570412041f56edebc1c66d323731216d318471e",
            ],
            "procps": [
                "2:4.0.4-9",
                "pool/main/p/procps/procps_4.0.4-9_amd64.deb",
                "4db90bb6776772fc52585d6b1fbfc52ec2a85480e1b4363b743fbb2ffa2a5375",
            ],
            "python3": [
                "3.13.5-1",
                "pool/main/p/python3-defaults/python3_3.13.5-1_amd64.deb",
                "c1388174dc7140e6c19a6dd39f8a0dcb38a835cd66c65644e0dded43d5223cb0",
            ],
            "python3-minimal": [
                "3.13.5-1",
                "pool/main/p/python3-defaults/python3-minimal_3.13.5-1_amd64.deb",
                "a5d2371bebf3689f676e3f3bae800371bcc4392a8a51269e23d528249b399615",
            ],
            "python3.13": [
                "3.13.5-2+deb13u5",
                "pool/main/p/python3.13/python3.13_3.13.5-2+deb13u5_amd64.deb",
                "460c1fd72845516ac3ce9d1686916f3ab2e4c86f8a9746e14d26243a47e2b98d",
            ],
            "python3.13-minimal": [
                "3.13.5-2+deb13u5",
                "pool/main/p/python3.13/python3.13-minimal_3.13.5-2+deb13u5_amd64.deb",
                "c1fda9e7b1bf15b2fa75a238d8a8710e142fe14c722fc650c5fc614f078c9073",
            ],
            "readline-common": [
                "8.2-6",
                "pool/main/r/readline/readline-common_8.2-6_all.deb",
                "f77e8aa0bf0de618f11cb0b21658a4ed60f177d63b3cf26d7fc3706b6d0eaaa9",
            ],
            "redis-server": [
                "5:8.0.2-3+deb13u3",
                "pool/main/r/redis/redis-server_8.0.2-3+deb13u3_amd64.deb",
                "16b5435d05745503f29c8b4ced5bdce3e800ae5370d5f70e6519664d7515cb0f",
            ],
            "redis-tools": [
                "5:8.0.2-3+deb13u3",
                "pool/main/r/redis/redis-tools_8.0.2-3+deb13u3_amd64.deb",
                "ca91969383b5e9ea7f278dde513e2bc444914961e19e7d94cda7745a95f6686a",
            ],
            "rpcsvc-proto": [
                "1.4.3-1",
                "pool/main/r/rpcsvc-proto/rpcsvc-proto_1.4.3-1_amd64.deb",
                "32ac0692694f8a34cc90c895f4fc739680fb2ef0e2d4870a68833682bf1c81a3",
            ],
            "sed": [
                "4.9-2+deb13u1",
                "pool/main/s/sed/sed_4.9-2+deb13u1_amd64.deb",
                "7071270ed4f6adda55bc4f926347fb847bacaffbdee3dff917bc6006ed7e3775",
            ],
            "sqlite3": [
                "3.46.1-7+deb13u2",
                "pool/main/s/sqlite3/sqlite3_3.46.1-7+deb13u2_amd64.deb",
                "877b00bd5ab6a3792fdffebd4aeebe0b8178df3c21f0e06f6a3c5186f7a799d9",
            ],
            "tar": [
                "1.35+dfsg-3.1",
                "pool/main/t/tar/tar_1.35+dfsg-3.1_amd64.deb",
                "214c02e1aa291076a3147b8a4c4cae02fadf4c67df629186e3e313726faef1de",
            ],
            "util-linux": [
                "2.41.5-0+deb13u1",
                "pool/main/u/util-linux/util-linux_2.41.5-0+deb13u1_amd64.deb",
                "7d5b1176cc3d8cc6b290b3ec17af458f362d9200845f30da22057a8198744430",
            ],
            "zlib1g": [
                "1:1.3.dfsg+really1.3.1-1+deb13u1",
                "pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_amd64.deb",
                "8c27c342230503b73dfde629642c3b352e87b554e06d60cf58772f236a305ceb",
            ],
        },
    },
    "glibc_dev": {
        "suite": "trixie",
        "snapshot": "20261121T091544Z",
        "files": {
            "libc6-dev": [
                "2.41-12+deb13u5",
                "pool/main/g/glibc/libc6-dev_2.41-12+deb13u5_amd64.deb",
                "858f4d477cc39324f3c6582cdebcf38928fb385bb17b40518c77a7dccd296428",
            ],
            "libgcc-s1": [
                "14.2.0-19",
                "pool/main/g/gcc-14/libgcc-s1_14.2.0-19_amd64.deb",
                "3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150",
            ],
        },
    },
    "glibc_tools": {
        "suite": "trixie",
        "snapshot": "20261121T091544Z",
        "files": {
            "bash": [
                "5.2.37-2+b10",
                "pool/main/b/bash/bash_5.2.37-2+b10_amd64.deb",
                "2fd7b04f1b7caa29c4e683f5216e6af354a41e3cdcf6e75394d7cda680f9ab82",
            ],
            "coreutils": [
                "9.7-3",
                "pool/main/c/coreutils/coreutils_9.7-3_amd64.deb",
                "1299ab6f9389a288eb2f5f3dd222c26cc777b9a2d5ecb6ee4cbd340cebcdada2",
            ],
            "libacl1": [
                "2.3.2-2+b1",
                "pool/main/a/acl/libacl1_2.3.2-2+b1_amd64.deb",
                "08074f01e384bc07c0c2d79a58cf4a6523f71cf75d1808101c79617656c9a39d",
            ],
            "libattr1": [
                "1:2.5.2-3",
                "pool/main/a/attr/libattr1_2.5.2-3_amd64.deb",
                "606b5ee12ea2786be607a17f40c1fb5e65c76ceaff66665bdf8f8c6c1b71d1fb",
            ],
            "libc6": [
                "2.41-12+deb13u5",
                "pool/main/g/glibc/libc6_2.41-12+deb13u5_amd64.deb",
                "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf",
            ],
            "libcap2": [
                "1:2.75-10+deb13u1+b3",
                "pool/main/libc/libcap2/libcap2_2.75-10+deb13u1+b3_amd64.deb",
                "89fc4d34fc7a28ad6f0fcd0c561ab253b9dedf6f77f5a000b47c276c8295bf67",
            ],
            "libgmp10": [
                "2:6.3.0+dfsg-3",
                "pool/main/g/gmp/libgmp10_6.3.0+dfsg-3_amd64.deb",
                "d0d0265eb01770f17afd0f7c8c0622f80479dcfbbe13653a0debeec61464e622",
            ],
            "libpcre2-8-0": [
                "10.46-1~deb13u3",
                "pool/main/p/pcre2/libpcre2-8-0_10.46-1~deb13u3_amd64.deb",
                "e226f661d918f04daf38cdbc4806b7ed7d6ef95c7eb0ade692fc350e31970040",
            ],
            "libselinux1": [
                "3.8.1-1",
                "pool/main/libs/libselinux/libselinux1_3.8.1-1_amd64.deb",
                "68bb8d32bd8d6d7d2f5952a169db03d1484b46ae1e52abccdec42a19dccea5d5",
            ],
            "libssl3t64": [
                "3.5.9-1~deb13u1",
                "pool/main/o/openssl/libssl3t64_3.5.9-1~deb13u1_amd64.deb",
                "ffefb9af363e0e4592251b2533eb06453c8e470f7772e40263c4b2129251a6d5",
            ],
            "libtinfo6": [
                "6.5+20250216-2",
                "pool/main/n/ncurses/libtinfo6_6.5+20250216-2_amd64.deb",
                "8b9f6a7983e9418564e48a627518de4c03917b56efe68d7f3e93bd8fffa1cc10",
            ],
            "libzstd1": [
                "1.5.7+dfsg-1",
                "pool/main/libz/libzstd/libzstd1_1.5.7+dfsg-1_amd64.deb",
                "2f6a2aeacfc925eba8b00ac9139bc4bfccf8cacb09eb93de067074b26948eef9",
            ],
            "zlib1g": [
                "1:1.3.dfsg+really1.3.1-1+deb13u1",
                "pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_amd64.deb",
                "8c27c342230503b73dfde629642c3b352e87b554e06d60cf58772f236a305ceb",
            ],
        },
    },
    "grub": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "grub-common": [
                "2.06-13+deb12u2",
                "pool/main/g/grub2/grub-common_2.06-13+deb12u2_amd64.deb",
                "fa2a91e48bb85effb1d9e22e16d83774e6de0ae6167268e8150e76ae963ec671",
            ],
            "grub-efi-amd64-bin": [
                "2.06-13+deb12u2",
                "pool/main/g/grub2/grub-efi-amd64-bin_2.06-13+deb12u2_amd64.deb",
                "c04786d9f64fbf7cd181013266a8af52b463599cc54189915d03f1459e743135",
            ],
            "libc6": [
                "2.36-9+deb12u14",
                "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
                "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
            ],
            "libdevmapper1.02.1": [
                "2:1.02.185-2",
                "pool/main/l/lvm2/libdevmapper1.02.1_1.02.185-2_amd64.deb",
                "aaa78ca236055fedccf637eacf7bda02bf1980b2db668dccd202b04d0d2cfe04",
            ],
            "liblzma5": [
                "5.4.1-1+deb12u1",
                "pool/main/x/xz-utils/liblzma5_5.4.1-1+deb12u1_amd64.deb",
                "f96d8876b53ec89d76a992bc199679b818cf518225a768954d9451fb556a4eb7",
            ],
            "libpcre2-8-0": [
                "10.42-1",
                "pool/main/p/pcre2/libpcre2-8-0_10.42-1_amd64.deb",
                "030db54f4d76cdfe2bf0e8eb5f9efea0233ab3c7aa942d672c7b63b52dbaf935",
            ],
            "libselinux1": [
                "3.4-1+b6",
                "pool/main/libs/libselinux/libselinux1_3.4-1+b6_amd64.deb",
                "2b07f5287b9105f40158b56e4d70cc1652dac56a408f3507b4ab3d061eed425f",
            ],
            "libudev1": [
                "252.39-1~deb12u2",
                "pool/main/s/systemd/libudev1_252.39-1~deb12u2_amd64.deb",
                "6f7e08f11c4809d2e5998c775f7b423ab5ec2ce0309494b4a2615037052245e2",
            ],
        },
    },
    "image_tools": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "dosfstools": [
                "4.2-1",
                "pool/main/d/dosfstools/dosfstools_4.2-1_amd64.deb",
                "71b0471242f7bb777264cdab55c141f1fc043b443105633a38708e125f90c4ea",
            ],
            "gdisk": [
                "1.0.9-2.1",
                "pool/main/g/gdisk/gdisk_1.0.9-2.1_amd64.deb",
                "8a865e232b1d9e6259893369f019f57402c056799f7d7f46311a2eac2c7afc9f",
            ],
            "libc6": [
                "2.36-9+deb12u14",
                "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
                "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
            ],
            "libgcc-s1": [
                "12.2.0-14+deb12u1",
                "pool/main/g/gcc-12/libgcc-s1_12.2.0-14+deb12u1_amd64.deb",
                "3016e62cb4b7cd8038822870601f5ed131befe942774d0f745622cc77d8a88f7",
            ],
            "liblz4-1": [
                "1.9.4-1",
                "pool/main/l/lz4/liblz4-1_1.9.4-1_amd64.deb",
                "64cde86cef1deaf828bd60297839b59710b5cd8dc50efd4f12643caaee9389d3",
            ],
            "liblzma5": [
                "5.4.1-1+deb12u1",
                "pool/main/x/xz-utils/liblzma5_5.4.1-1+deb12u1_amd64.deb",
                "f96d8876b53ec89d76a992bc199679b818cf518225a768954d9451fb556a4eb7",
            ],
            "libpopt0": [
                "1.19+dfsg-1",
                "pool/main/p/popt/libpopt0_1.19+dfsg-1_amd64.deb",
                "6f94b488255acd996254f775c77ff3956557c61f860a3c9caeaf65457554194f",
            ],
            "libstdc++6": [
                "12.2.0-14+deb12u1",
                "pool/main/g/gcc-12/libstdc++6_12.2.0-14+deb12u1_amd64.deb",
                "5cd3171216d4ab0fc911cfe9c35509bf2dd8f47761c43b7f6a4296701551a24d",
            ],
            "libuuid1": [
                "2.38.1-5+deb12u3",
                "pool/main/u/util-linux/libuuid1_2.38.1-5+deb12u3_amd64.deb",
                "5fff398321da62d28a842bcbabd193d72ae21724962c029dc32b1dc6b2deaeaf",
            ],
            "mtools": [
                "4.0.33-1+really4.0.32-1",
                "pool/main/m/mtools/mtools_4.0.33-1+really4.0.32-1_amd64.deb",
                "972e0857ff43dbfc4c9255844c97b5d2cb0287720216d04c95b4e7fa483aec99",
            ],
            "zlib1g": [
                "1:1.2.13.dfsg-1",
                "pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb",
                "d7dd1d1411fedf27f5e27650a6eff20ef294077b568f4c8c5e51466dc7c08ce4",
            ],
            "zstd": [
                "1.5.4+dfsg2-5",
                "pool/main/libz/libzstd/zstd_1.5.4+dfsg2-5_amd64.deb",
                "3f6f833ae2fd533a0c9238310aef1148f51a64aa5d5f1278451ddc793d4d6d15",
            ],
        },
    },
    "linux_headers": {
        "suite": "trixie",
        "snapshot": "20261121T091544Z",
        "files": {
            "linux-libc-dev": [
                "6.12.117-1",
                "pool/main/l/linux/linux-libc-dev_6.12.117-1_all.deb",
                "8b4848725a2705e5b1612f2135c44300716690ba762368ab87df127e9a5ed416",
            ],
        },
    },
    "linux_image": {
        "suite": "trixie",
        "snapshot": "20261121T091544Z",
        "files": {
            "linux-image-6.12.117+deb13-cloud-amd64": [
                "6.12.117-1",
                "pool/main/l/linux-signed-amd64/linux-image-6.12.117+deb13-cloud-amd64_6.12.117-1_amd64.deb",
                "e9893e5295d0549b8852611f12a4b8b5f6cc4b8128dcc2086b9847793b904ab7",
            ],
        },
    },
    "llvm": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "clang-19": [
                "1:19.1.7-3~deb12u1",
                "pool/main/l/llvm-toolchain-19/clang-19_19.1.7-3~deb12u1_amd64.deb",
                "89ab931a9bbfd567a76df3141af5d5ec67b01d800150e614f2c9bf4671da9b08",
            ],
            "libbsd0": [
                "0.11.7-2",
                "pool/main/libb/libbsd/libbsd0_0.11.7-2_amd64.deb",
                "bb31cc8b40f962a85b2cec970f7f79cc704a1ae4bad24257a822055404b2c60b",
            ],
            "libc6": [
                "2.36-9+deb12u14",
                "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
                "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
            ],
            "libclang-common-19-dev": [
                "1:19.1.7-3~deb12u1",
                "pool/main/l/llvm-toolchain-19/libclang-common-19-dev_19.1.7-3~deb12u1_amd64.deb",
                "811c2d398ad772204ec05ffde485cbbc4c210abc5dcf0068ff9ca3e647591ce7",
            ],
            "libclang-cpp19": [
                "1:19.1.7-3~deb12u1",
                "pool/main/l/llvm-toolchain-19/libclang-cpp19_19.1.7-3~deb12u1_amd64.deb",
                "5daa784e1d747db320c16604729ffa805e6bfd72d3ac0b7cb0ee5f1a7ebc8aae",
            ],
            "libclang-rt-19-dev": [
                "1:19.1.7-3~deb12u1",
                "pool/main/l/llvm-toolchain-19/libclang-rt-19-dev_19.1.7-3~deb12u1_amd64.deb",
                "872464dcd1aa3538e417e177f74a4c549b19313acaa1fe9465d32b936e9ef8eb",
            ],
            "libedit2": [
                "3.1-20221030-2",
                "pool/main/libe/libedit/libedit2_3.1-20221030-2_amd64.deb",
                "1cf14abf2716d3279db12d0657a5737cf70074a1e71d3bdf73206625e3c89ce6",
            ],
            "libffi8": [
                "3.4.4-1",
                "pool/main/libf/libffi/libffi8_3.4.4-1_amd64.deb",
                "6d9f6c25c30efccce6d4bceaa48ea86c329a3432abb360a141f76ac223a4c34a",
            ],
            "libgcc-s1": [
                "12.2.0-14+deb12u1",
                "pool/main/g/gcc-12/libgcc-s1_12.2.0-14+deb12u1_amd64.deb",
                "3016e62cb4b7cd8038822870601f5ed131befe942774d0f745622cc77d8a88f7",
            ],
            "libicu72": [
                "72.1-3+deb12u1",
                "pool/main/i/icu/libicu72_72.1-3+deb12u1_amd64.deb",
                "f7f6f99c6d7b025914df2447fc93e11d22c44c0c8bdd8b6f36691c9e7ddcef88",
            ],
            "libllvm19": [
                "1:19.1.7-3~deb12u1",
                "pool/main/l/llvm-toolchain-19/libllvm19_19.1.7-3~deb12u1_amd64.deb",
                "6edf3a8b28495cdba883d9760e0dca1a81983fc497a5f989dc64d0d96d23b4aa",
            ],
            "liblzma5": [
                "5.4.1-1+deb12u1",
                "pool/main/x/xz-utils/liblzma5_5.4.1-1+deb12u1_amd64.deb",
                "f96d8876b53ec89d76a992bc199679b818cf518225a768954d9451fb556a4eb7",
            ],
            "libmd0": [
                "1.0.4-2",
                "pool/main/libm/libmd/libmd0_1.0.4-2_amd64.deb",
                "03539fd30c509e27101d13a56e52eda9062bdf1aefe337c07ab56def25a13eab",
            ],
            "libstdc++6": [
                "12.2.0-14+deb12u1",
                "pool/main/g/gcc-12/libstdc++6_12.2.0-14+deb12u1_amd64.deb",
                "5cd3171216d4ab0fc911cfe9c35509bf2dd8f47761c43b7f6a4296701551a24d",
            ],
            "libtinfo6": [
                "6.4-4",
                "pool/main/n/ncurses/libtinfo6_6.4-4_amd64.deb",
                "072d908f38f51090ca28ca5afa3b46b2957dc61fe35094c0b851426859a49a51",
            ],
            "libxml2": [
                "2.9.14+dfsg-1.3~deb12u6",
                "pool/main/libx/libxml2/libxml2_2.9.14+dfsg-1.3~deb12u6_amd64.deb",
                "4460e39dda10a815881374217cde08474747cfa018358cd8612c14b390eff53b",
            ],
            "libz3-4": [
                "4.8.12-3.1",
                "pool/main/z/z3/libz3-4_4.8.12-3.1_amd64.deb",
                "6221ca25ad5abcfbe1965801029d85a88b4775320384b4b716de8fab7a4d2f7a",
            ],
            "libzstd1": [
                "1.5.4+dfsg2-5",
                "pool/main/libz/libzstd/libzstd1_1.5.4+dfsg2-5_amd64.deb",
                "6315b5ac38b724a710fb96bf1042019398cb656718b1522279a5185ed39318fa",
            ],
            "lld-19": [
                "1:19.1.7-3~deb12u1",
                "pool/main/l/llvm-toolchain-19/lld-19_19.1.7-3~deb12u1_amd64.deb",
                "416e084363a16a7060eaa6343ed641dfe864b8208c39170ee00a5679e4b486a2",
            ],
            "llvm-19": [
                "1:19.1.7-3~deb12u1",
                "pool/main/l/llvm-toolchain-19/llvm-19_19.1.7-3~deb12u1_amd64.deb",
                "f91492c5b361ff12f540b9f6145cf638b5e0fb3f145fceabd6c4b9540eab4bf9",
            ],
            "zlib1g": [
                "1:1.2.13.dfsg-1",
                "pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb",
                "d7dd1d1411fedf27f5e27650a6eff20ef294077b568f4c8c5e51466dc7c08ce4",
            ],
        },
    },
    "nginx": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "libc6": [
                "2.36-9+deb12u14",
                "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
                "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
            ],
            "libcrypt1": [
                "1:4.4.33-2",
                "pool/main/libx/libxcrypt/libcrypt1_4.4.33-2_amd64.deb",
                "f5f60a5cdfd4e4eaa9438ade5078a57741a7a78d659fcb0c701204f523e8bd29",
            ],
            "libpcre2-8-0": [
                "10.42-1",
                "pool/main/p/pcre2/libpcre2-8-0_10.42-1_amd64.deb",
                "030db54f4d76cdfe2bf0e8eb5f9efea0233ab3c7aa942d672c7b63b52dbaf935",
            ],
            "libssl3": [
                "3.0.20-1~deb12u2",
                "pool/main/o/openssl/libssl3_3.0.20-1~deb12u2_amd64.deb",
                "89be24b41bff568ee6e7caf5680a3d808e80315ed92e407056ce0fa7a5bda025",
            ],
            "nginx": [
                "1.22.1-9+deb12u9",
                "pool/main/n/nginx/nginx_1.22.1-9+deb12u9_amd64.deb",
                "4e7b52f8b31f26d77ffb5c427c41e36223e81b047242ecfa8dc1d7f939734885",
            ],
            "nginx-common": [
                "1.22.1-9+deb12u9",
                "pool/main/n/nginx/nginx-common_1.22.1-9+deb12u9_all.deb",
                "12b7b98e914da6d233c9e35cec0f59f06bceb727e4d1f1ce039215b074a7267d",
            ],
            "zlib1g": [
                "1:1.2.13.dfsg-1",
                "pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb",
                "d7dd1d1411fedf27f5e27650a6eff20ef294077b568f4c8c5e51466dc7c08ce4",
            ],
        },
    },
    "openrc": {
        "suite": "trixie",
        "snapshot": "20261121T091544Z",
        "files": {
            "libaudit1": [
                "1:4.0.2-2+deb13u1",
                "pool/main/a/audit/libaudit1_4.0.2-2+deb13u1_amd64.deb",
                "3d1dd3f031a56f01b747e2acc0e14575212580e6fa63d800c44cb0a31f1edfd7",
            ],
            "libc6": [
                "2.41-12+deb13u5",
                "pool/main/g/glibc/libc6_2.41-12+deb13u5_amd64.deb",
                "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf",
            ],
            "libcap-ng0": [
                "0.8.5-4+b1",
                "pool/main/libc/libcap-ng/libcap-ng0_0.8.5-4+b1_amd64.deb",
                "20a9e4b0619a3eb2566338223bed135dde5a601eaa2f8fdd5f20b94506addcac",
            ],
            "libcap2": [
                "1:2.75-10+deb13u1+b3",
                "pool/main/libc/libcap2/libcap2_2.75-10+deb13u1+b3_amd64.deb",
                "89fc4d34fc7a28ad6f0fcd0c561ab253b9dedf6f77f5a000b47c276c8295bf67",
            ],
            "libeinfo1": [
                "0.56-1",
                "pool/main/o/openrc/libeinfo1_0.56-1_amd64.deb",
                "e235ade6827b158cb04d74a7317de92c7649a2d3a29f4bc00ca52f258bb235e1",
            ],
            "libpam0g": [
                "1.7.0-5",
                "pool/main/p/pam/libpam0g_1.7.0-5_amd64.deb",
                "4f5bde27d8df2de6ea8990319b42d9974f56a3ba9907ce7296fd0f8964fc9fb1",
            ],
            "libpcre2-8-0": [
                "10.46-1~deb13u3",
                "pool/main/p/pcre2/libpcre2-8-0_10.46-1~deb13u3_amd64.deb",
                "e226f661d918f04daf38cdbc4806b7ed7d6ef95c7eb0ade692fc350e31970040",
            ],
            "librc1t64": [
                "0.56-1",
                "pool/main/o/openrc/librc1t64_0.56-1_amd64.deb",
                "96c1862abf1c00ddfc8ea06860aab8c4eabc62c950766df4d188f9a9859fb006",
            ],
            "libselinux1": [
                "3.8.1-1",
                "pool/main/libs/libselinux/libselinux1_3.8.1-1_amd64.deb",
                "68bb8d32bd8d6d7d2f5952a169db03d1484b46ae1e52abccdec42a19dccea5d5",
            ],
            "openrc": [
                "0.56-1",
                "pool/main/o/openrc/openrc_0.56-1_amd64.deb",
                "015e70c4a7c51864b1761c3a5919f86ea788f1e76603fbf856e22e39d61eb3f7",
            ],
        },
    },
    "ovmf": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "ovmf": [
                "2022.11-6+deb12u2",
                "pool/main/e/edk2/ovmf_2022.11-6+deb12u2_all.deb",
                "e73d3d1a8799f7f6fc16b73501d913edcdd86237556fbff30693e747e6dc262e",
            ],
        },
    },
    "qemu": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "ipxe-qemu": [
                "1.0.0+git-20190125.36a4c85-5.1",
                "pool/main/i/ipxe/ipxe-qemu_1.0.0+git-20190125.36a4c85-5.1_all.deb",
                "5c2419ce07f4d80ac5e88e32ac09cdc523c048af86c4730d682ba969d3189db2",
            ],
            "libaio1": [
                "0.3.113-4",
                "pool/main/liba/libaio/libaio1_0.3.113-4_amd64.deb",
                "d1476e4beab3d85f8a7d31de94c27472711ed3ef399ce70708e24b259426125b",
            ],
            "libblkid1": [
                "2.38.1-5+deb12u3",
                "pool/main/u/util-linux/libblkid1_2.38.1-5+deb12u3_amd64.deb",
                "5a083377f29191cafcdf0f91ec124349b4a7895b531556633a136e43c6d53943",
            ],
            "libbpf1": [
                "1:1.1.2-0+deb12u1",
                "pool/main/libb/libbpf/libbpf1_1.1.2-0+deb12u1_amd64.deb",
                "5e7505ef77ebc84ad0203411e4afdeb8a98f40fb7f78f013aa4dd8710e49f8ed",
            ],
            "libc6": [
                "2.36-9+deb12u14",
                "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
                "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
            ],
            "libcapstone4": [
                "4.0.2-5",
                "pool/main/c/capstone/libcapstone4_4.0.2-5_amd64.deb",
                "41277f0388184f6e3b9fc02eda3184afbc999314b25b77ed75e8049428bdfe5e",
            ],
            "libdaxctl1": [
                "76.1-1",
                "pool/main/n/ndctl/libdaxctl1_76.1-1_amd64.deb",
                "af5f9ffe642ae25301eb88fdb2fa9e3c06dcfc5e131fbcee7575adf0adcc9abb",
            ],
            "libelf1": [
                "0.188-2.1",
                "pool/main/e/elfutils/libelf1_0.188-2.1_amd64.deb",
                "619add379c606b3ac6c1a175853b918e6939598a83d8ebadf3bdfd50d10b3c8c",
            ],
            "libfdt1": [
                "1.6.1-4+b1",
                "pool/main/d/device-tree-compiler/libfdt1_1.6.1-4+b1_amd64.deb",
                "e7312b61267979a58ae1fa9e34746d077707560c955f6455d02a9ff0f8fa7995",
            ],
            "libffi8": [
                "3.4.4-1",
                "pool/main/libf/libffi/libffi8_3.4.4-1_amd64.deb",
                "6d9f6c25c30efccce6d4bceaa48ea86c329a3432abb360a141f76ac223a4c34a",
            ],
            "libfuse3-3": [
                "3.14.0-4",
                "pool/main/f/fuse3/libfuse3-3_3.14.0-4_amd64.deb",
                "bf535cec5e965823fd03199b4029f9e9f3952111eb12824b5d2b96c8cca1a918",
            ],
            "libgcc-s1": [
                "12.2.0-14+deb12u1",
                "pool/main/g/gcc-12/libgcc-s1_12.2.0-14+deb12u1_amd64.deb",
                "3016e62cb4b7cd8038822870601f5ed131befe942774d0f745622cc77d8a88f7",
            ],
            "libglib2.0-0": [
                "2.74.6-2+deb12u9",
                "pool/main/g/glib2.0/libglib2.0-0_2.74.6-2+deb12u9_amd64.deb",
                "7ff85197685d89e150e342b29a59aab1beee400050ba7da73de81cd999ffee5a",
            ],
            "libgmp10": [
                "2:6.2.1+dfsg1-1.1",
                "pool/main/g/gmp/libgmp10_6.2.1+dfsg1-1.1_amd64.deb",
                "187aedef2ed763f425c1e523753b9719677633c7eede660401739e9c893482bd",
            ],
            "libgnutls30": [
                "3.7.9-2+deb12u7",
                "pool/main/g/gnutls28/libgnutls30_3.7.9-2+deb12u7_amd64.deb",
                "30abec8c824feb1d2d7e9000a34083cccd19d139625e1b21547e3ac53b922f8e",
            ],
            "libhogweed6": [
                "3.8.1-2",
                "pool/main/n/nettle/libhogweed6_3.8.1-2_amd64.deb",
                "ed8185c28b2cb519744a5a462dcd720d3b332c9b88a1d0002eac06dc8550cb94",
            ],
            "libibverbs1": [
                "44.0-2",
                "pool/main/r/rdma-core/libibverbs1_44.0-2_amd64.deb",
                "35054815259fee46173240254246d03b673a5cd5c528aaac96fd15ac428a8d59",
            ],
            "libidn2-0": [
                "2.3.3-1+b1",
                "pool/main/libi/libidn2/libidn2-0_2.3.3-1+b1_amd64.deb",
                "d50716d5824083d667427817d506b45d3f59dc77e1ca52de000f3f62d4918afa",
            ],
            "libjpeg62-turbo": [
                "1:2.1.5-2",
                "pool/main/libj/libjpeg-turbo/libjpeg62-turbo_2.1.5-2_amd64.deb",
                "95ec30140789a342add8f8371ed018924de51b539056522b66f207b25cba9cad",
            ],
            "libkmod2": [
                "30+20221128-1",
                "pool/main/k/kmod/libkmod2_30+20221128-1_amd64.deb",
                "af63bbbfc15fbd1f254b15c393b3b95b18b18cc81348fc1b4f1c9c34b4d672d7",
            ],
            "liblzma5": [
                "5.4.1-1+deb12u1",
                "pool/main/x/xz-utils/liblzma5_5.4.1-1+deb12u1_amd64.deb",
                "f96d8876b53ec89d76a992bc199679b818cf518225a768954d9451fb556a4eb7",
            ],
            "libmount1": [
                "2.38.1-5+deb12u3",
                "pool/main/u/util-linux/libmount1_2.38.1-5+deb12u3_amd64.deb",
                "f46e2d6b006951825adde9757790b6609d7c66c7700f9b68f3db913eaac323c3",
            ],
            "libndctl6": [
                "76.1-1",
                "pool/main/n/ndctl/libndctl6_76.1-1_amd64.deb",
                "3654dd3a0a05fdc28af8bcd307109ec41a9ea92218bf29816ff467a8c5e7d57f",
            ],
            "libnettle8": [
                "3.8.1-2",
                "pool/main/n/nettle/libnettle8_3.8.1-2_amd64.deb",
                "45922e6e289ffd92f0f92d2bb9159e84236ff202d552a461bf10e5335b3f0261",
            ],
            "libnl-3-200": [
                "3.7.0-0.2+b1",
                "pool/main/libn/libnl3/libnl-3-200_3.7.0-0.2+b1_amd64.deb",
                "d1fc3e9eb8e79b4c96b0a64c3d8c9e068ae2f665cab71bd19f417ffd0453a890",
            ],
            "libnl-route-3-200": [
                "3.7.0-0.2+b1",
                "pool/main/libn/libnl3/libnl-route-3-200_3.7.0-0.2+b1_amd64.deb",
                "0fdcc425ae2982788c085c76a7cb0eda3e3db99d41bd1ce56082ee18e9f1e21f",
            ],
            "libnuma1": [
                "2.0.16-1",
                "pool/main/n/numactl/libnuma1_2.0.16-1_amd64.deb",
                "639e1ab6bd66ead40db8a22c332d7199679fa22db261cac34444eb8eb4c17dda",
            ],
            "libp11-kit0": [
                "0.24.1-2",
                "pool/main/p/p11-kit/libp11-kit0_0.24.1-2_amd64.deb",
                "251330faddbf013f060fcdb41f4b0c037c8a6e89ba7c09b04bfcc4e3f0807b22",
            ],
            "libpcre2-8-0": [
                "10.42-1",
                "pool/main/p/pcre2/libpcre2-8-0_10.42-1_amd64.deb",
                "030db54f4d76cdfe2bf0e8eb5f9efea0233ab3c7aa942d672c7b63b52dbaf935",
            ],
            "libpixman-1-0": [
                "0.42.2-1",
                "pool/main/p/pixman/libpixman-1-0_0.42.2-1_amd64.deb",
                "9ed75ef81b6b1eba9e1357f8b0ce01d31112b0e07b2b685bee2cf627a8932892",
            ],
            "libpmem1": [
                "1.12.1-2",
                "pool/main/p/pmdk/libpmem1_1.12.1-2_amd64.deb",
                "63ed00821aecdb5537b51b6f378cf571144d02ac3af2f95141bfa0e397359a76",
            ],
            "libpng16-16": [
                "1.6.39-2+deb12u5",
                "pool/main/libp/libpng1.6/libpng16-16_1.6.39-2+deb12u5_amd64.deb",
                "a56d64bfaa9da12aafb83347909e62e6fd5fd251e6b34c194065911a30359978",
            ],
            "librdmacm1": [
                "44.0-2",
                "pool/main/r/rdma-core/librdmacm1_44.0-2_amd64.deb",
                "16b18625834371d023b81477823074ea0d34c478d58dbef3f01107984f47d034",
            ],
            "libsasl2-2": [
                "2.1.28+dfsg-10",
                "pool/main/c/cyrus-sasl2/libsasl2-2_2.1.28+dfsg-10_amd64.deb",
                "11ee190ad39f8d7af441d2c8347388b9449434c73acc67b4b372445ac4152efa",
            ],
            "libseccomp2": [
                "2.5.4-1+deb12u1",
                "pool/main/libs/libseccomp/libseccomp2_2.5.4-1+deb12u1_amd64.deb",
                "108fe67957ca7cf9ba51d801118a1b37d404bea7b6e365025cd00779e9eca38d",
            ],
            "libselinux1": [
                "3.4-1+b6",
                "pool/main/libs/libselinux/libselinux1_3.4-1+b6_amd64.deb",
                "2b07f5287b9105f40158b56e4d70cc1652dac56a408f3507b4ab3d061eed425f",
            ],
            "libslirp0": [
                "4.7.0-1",
                "pool/main/libs/libslirp/libslirp0_4.7.0-1_amd64.deb",
                "e21e19f0e99e57f254162f61416ea82f00cbc6ab9eb6bead4f5a5a8944ede27e",
            ],
            "libssl3": [
                "3.0.20-1~deb12u2",
                "pool/main/o/openssl/libssl3_3.0.20-1~deb12u2_amd64.deb",
                "89be24b41bff568ee6e7caf5680a3d808e80315ed92e407056ce0fa7a5bda025",
            ],
            "libtasn1-6": [
                "4.19.0-2+deb12u1",
                "pool/main/libt/libtasn1-6/libtasn1-6_4.19.0-2+deb12u1_amd64.deb",
                "2c27c613b69be248d09432839ea3d3382f6ee27fabaa65987aa2d884cd00afda",
            ],
            "libudev1": [
                "252.39-1~deb12u2",
                "pool/main/s/systemd/libudev1_252.39-1~deb12u2_amd64.deb",
                "6f7e08f11c4809d2e5998c775f7b423ab5ec2ce0309494b4a2615037052245e2",
            ],
            "libunistring2": [
                "1.0-2",
                "pool/main/libu/libunistring/libunistring2_1.0-2_amd64.deb",
                "d466bbfe011d764d793c1d9d777cad9c7cf65b938e11598f27408171ad95a951",
            ],
            "liburing2": [
                "2.3-3",
                "pool/main/libu/liburing/liburing2_2.3-3_amd64.deb",
                "c23077e3640e6cb4b819c134b3f41d5cf21b3edac099654b1b4142c3069a39a3",
            ],
            "libuuid1": [
                "2.38.1-5+deb12u3",
                "pool/main/u/util-linux/libuuid1_2.38.1-5+deb12u3_amd64.deb",
                "5fff398321da62d28a842bcbabd193d72ae21724962c029dc32b1dc6b2deaeaf",
            ],
            "libvdeplug2": [
                "4.0.1-4",
                "pool/main/v/vdeplug4/libvdeplug2_4.0.1-4_amd64.deb",
                "1ace8e6571009bb4b8e3c5e093609f30f3ffca96578d35d61100f1e73fd2110d",
            ],
            "libzstd1": [
                "1.5.4+dfsg2-5",
                "pool/main/libz/libzstd/libzstd1_1.5.4+dfsg2-5_amd64.deb",
                "6315b5ac38b724a710fb96bf1042019398cb656718b1522279a5185ed39318fa",
            ],
            "qemu-system-common": [
                "1:7.2+dfsg-7+deb12u18+b3",
                "pool/main/q/qemu/qemu-system-common_7.2+dfsg-7+deb12u18+b3_amd64.deb",
                "cc6bbe2d5e0b9ed6306f054008967b0564dc06b2558ea5142590f522ccca9b2b",
            ],
            "qemu-system-data": [
                "1:7.2+dfsg-7+deb12u18",
                "pool/main/q/qemu/qemu-system-data_7.2+dfsg-7+deb12u18_all.deb",
                "8d7647370573fe9871949acf60d0c000546c2c089008a70accb3d015781e6bf1",
            ],
            "qemu-system-x86": [
                "1:7.2+dfsg-7+deb12u18+b3",
                "pool/main/q/qemu/qemu-system-x86_7.2+dfsg-7+deb12u18+b3_amd64.deb",
                "faf17e2cc7323acbb36bbd6329b61080e7ead0ebb92d33155f41b17d8db6fe15",
            ],
            "seabios": [
                "1.16.2-1",
                "pool/main/s/seabios/seabios_1.16.2-1_all.deb",
                "08e5b3f761379f17a6051731cafa03e97686049e2cc1b8bdccc5a910646e2d8e",
            ],
            "zlib1g": [
                "1:1.2.13.dfsg-1",
                "pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb",
                "d7dd1d1411fedf27f5e27650a6eff20ef294077b568f4c8c5e51466dc7c08ce4",
            ],
        },
    },
    "rules_cc": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "bazel-rules-cc": [
                "0.0.4-2",
                "pool/main/b/bazel-rules-cc/bazel-rules-cc_0.0.4-2_all.deb",
                "2cbda3603e35c90c114b8c7d5b219bba94fdde007eb3de87a493b70a7aae1453",
            ],
        },
    },
    "rules_java": {
        "suite": "bookworm",
        "snapshot": "20260711T101637Z",
        "files": {
            "bazel-rules-java": [
                "4.0.0-2",
                "pool/main/b/bazel-rules-java/bazel-rules-java_4.0.0-2_all.deb",
                "0d05ed4e053d7c0d3ee0b4e77cdd93857d2757f34e031a8239323c8d0c218e18",
            ],
        },
    },
    "systemd_boot": {
        "suite": "trixie",
        "snapshot": "20261121T091544Z",
        "files": {
            "systemd-boot-efi": [
                "257.13-1~deb13u1",
                "pool/main/s/systemd/systemd-boot-efi_257.13-1~deb13u1_amd64.deb",
                "390ecdcef9bbb753f51bb6d8f696bdae2f1dbedde7239c49ccb2512f137a8933",
            ],
        },
    },
}
