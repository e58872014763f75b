"""resty.botsieve.hello: what is in a hello, in its order, without GREASE.  (Any bytes: test_fingerprint.py.)"""

from __future__ import annotations

import ctypes
from typing import Any

from tests.lua import hellos
from tests.lua.runtime import new_runtime

RUNTIME = new_runtime()
READ = RUNTIME.execute("""
    local ffi = require "ffi"
    local hello_of = require "resty.botsieve.hello"
    local function list(items, n)
        local out = {}
        for i = 1, n do out[i] = tonumber(items[i - 1]) end
        return out
    end
    return function(address, n)
        local hello, err = hello_of.read(ffi.cast("const unsigned char *", ffi.cast("uintptr_t", address)), n)
        if not hello then return { err = err } end
        return {
            marks = hello,
            ciphers = list(hello_of.ciphers, hello.ciphers),
            extensions = list(hello_of.extensions, hello.extensions),
            groups = list(hello_of.groups, hello.groups),
            algorithms = list(hello_of.algorithms, hello.algorithms),
            formats = list(hello_of.formats, hello.formats),
        }
    end
""")


def read(body: bytes) -> Any:
    memory = ctypes.create_string_buffer(body, max(len(body), 1))
    return READ(ctypes.addressof(memory), len(body))


def test_lists_keep_their_order_and_lose_grease() -> None:
    """The greased example of JA4.md gives the lists of the plain one, in the order sent."""
    for body in (hellos.SPEC_HELLO, hellos.GREASED_HELLO):
        found = read(body)
        assert list(found.ciphers.values()) == hellos.CIPHERS
        assert list(found.extensions.values()) == hellos.EXTENSIONS
        assert list(found.algorithms.values()) == hellos.SIGNATURES
        assert list(found.groups.values()) == [29, 23, 24]
        assert list(found.formats.values()) == [0]


def test_marks() -> None:
    """Server name, ALPN, version, QUIC, and how many extensions come and go."""
    marks = read(hellos.SPEC_HELLO).marks
    assert (marks.sni, marks.alpn, marks.highest, marks.quic, marks.volatile) == (True, "h2", 0x0304, False, 2)
    plain = read(hellos.hello([1], None, 0x0301)).marks
    assert (plain.sni, plain.alpn, plain.highest, plain.version, plain.volatile) == (False, "00", None, 0x0301, 0)


def test_errors_are_words() -> None:
    """What is no hello is refused with a few words of ours."""
    assert read(b"").err == "hello cut"
    assert read(hellos.SPEC_HELLO + b"x").err == "extension block length"
    assert read(hellos.hello([0x6000 + i for i in range(257)], None)).err == "list too long"
