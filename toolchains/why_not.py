#!/usr/bin/env python3
# toolchains/why_not.py — after a failed download, finds out why: why_not.py SHA256 [--mirror MIRROR]... URL...
"""Prints one line: `mismatch URL SHA256` (a place has other bytes), `gone` (a mirror answers, the file is not there),
or `unreachable` (no mirror answers)."""
import hashlib
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 20
BLOCK_BYTES = 1 << 20


def sha256_at(url):
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as reply:
        while block := reply.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def answers(mirror):
    """Whether `mirror` is there: any page of its own is an answer, an error of a proxy on the way (5xx) is none."""
    try:
        with urllib.request.urlopen(mirror + "/dists/stable/Release", timeout=TIMEOUT_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def main():
    want, words = sys.argv[1], sys.argv[2:]
    mirrors = []
    while words and words[0] == "--mirror":
        mirrors.append(words[1])
        words = words[2:]
    for url in words:
        try:
            got = sha256_at(url)
        except OSError:
            continue
        if got != want:
            print("mismatch", url, got)
            return
    print("gone" if any(answers(mirror) for mirror in mirrors) else "unreachable")


main()
