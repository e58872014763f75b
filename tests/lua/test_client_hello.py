"""resty.botsieve.client_hello: the raw hello is believed only where every length agrees; a handshake is never failed."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lua import hellos, ja
from tests.lua.runtime import new_runtime

# OpenSSL's getters, as a Lua table over bytes that we own: what each says can be made a lie.
OPENSSL = """
local ffi = require "ffi"
local client_hello = require "resty.botsieve.client_hello"
local fingerprint = require "resty.botsieve.fingerprint"
return function(address, ciphers_at, random_at, said)
    local p = ffi.cast("const unsigned char *", ffi.cast("uintptr_t", address))
    local lib = {
        botsieve_hello_is_v2 = function() return said.v2 end,
        botsieve_hello_version = function() return said.version end,
        botsieve_hello_random = function(_, out) out[0] = p + random_at return said.random end,
        botsieve_hello_session = function() return said.session end,
        botsieve_hello_compressions = function() return said.compressions end,
        botsieve_hello_ciphers = function(_, out) out[0] = p + ciphers_at return said.ciphers end,
    }
    local body, len = client_hello.raw(nil, lib)
    if not body then
        return false, len
    end
    local taken, err = fingerprint.of(body, len)
    return tonumber(ffi.cast("uintptr_t", body)) - address, len, taken and taken.ja4 or err
end
"""
MARGIN = 128
RUNTIME = new_runtime()
RAW = RUNTIME.execute(OPENSSL)


def raw(body: bytes, message: bytes | None = None, **lies: int) -> tuple[object, ...]:
    """(offset of the body, length, JA4) as found, or (False, reason).  `message` overrides what lies in memory."""
    session, ciphers = body[34], int.from_bytes(body[35 + body[34] : 37 + body[34]], "big")
    said = {
        "v2": 0,
        "version": int.from_bytes(body[:2], "big"),
        "random": 32,
        "session": session,
        "ciphers": ciphers,
        "compressions": body[37 + session + ciphers],
    }
    if message is None:
        message = b"\1" + len(body).to_bytes(3, "big") + body
    memory = ctypes.create_string_buffer(b"\xee" * MARGIN + message + b"\xee" * MARGIN)
    random = ctypes.create_string_buffer(body[2:34], 32)
    at = ctypes.addressof(memory)
    return tuple(RAW(at, MARGIN + 4 + 37 + session, ctypes.addressof(random) - at, RUNTIME.table_from({**said, **lies})))


BODIES = {
    "spec": hellos.SPEC_HELLO,
    "session id": hellos.hello(hellos.CIPHERS, hellos.SPEC, session=bytes(32), compressions=b"\1\0"),
    "no extensions": hellos.JA3_PUBLISHED["readme 2, no block"][0],
    "empty block": hellos.JA3_PUBLISHED["readme 2, empty block"][0],
    "60 KB": hellos.JA4_PUBLISHED["60 KB"][0],
}


@pytest.mark.parametrize("name", BODIES)
def test_finds_the_hello(name: str) -> None:
    """The body begins behind the handshake header, ends with the message, and is read as it came."""
    body = BODIES[name]
    assert raw(body) == (MARGIN + 4, len(body), ja.prints_of(body).ja4)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"v2": 1}, "sslv2 hello"),
        ({"version": 0x0301}, "version differs"),
        ({"random": 31}, "random length"),
        ({"session": 1}, "session id length differs"),
        ({"session": 33}, "session id length"),
        ({"ciphers": 0}, "no ciphers"),
        ({"ciphers": 28}, "cipher length differs"),
        ({"compressions": 2}, "compression length differs"),
    ],
    ids=str,
)
def test_a_getter_that_says_otherwise(lie: dict[str, int], reason: str) -> None:
    """Where OpenSSL and the bytes differ, nothing is believed, and the reason is told."""
    assert raw(hellos.SPEC_HELLO, None, **lie) == (False, reason)


@given(st.integers(0, 3), st.integers(0, 255))
def test_another_handshake_header(at: int, value: int) -> None:
    """Another message type or length before the body: no hello."""
    head = bytearray(b"\1" + len(hellos.SPEC_HELLO).to_bytes(3, "big"))
    unchanged = head[at] == value
    head[at] = value
    assert (raw(hellos.SPEC_HELLO, bytes(head) + hellos.SPEC_HELLO)[0] is False) is not unchanged


@given(st.integers(0, len(hellos.SPEC_HELLO) - 1), st.integers(1, 255))
def test_another_byte(at: int, change: int) -> None:
    """A byte in memory that differs from the hello gives a refusal, or the place and length of the message all the same."""
    body = bytearray(hellos.SPEC_HELLO)
    body[at] ^= change
    message = b"\1" + len(body).to_bytes(3, "big") + bytes(body)
    found = raw(hellos.SPEC_HELLO, message) if at != 34 else (False,)
    assert found[0] is False or found[:2] == (MARGIN + 4, len(body))


def test_capture_never_raises() -> None:
    """Without a request, without a TLS pointer: an error text in the context, one line in the log, no exception."""
    runtime = new_runtime()
    runtime.execute('require("resty.botsieve.client_hello").capture()')
    assert runtime.eval("ngx.ctx.botsieve_tls.err") == "no SSL pointer in this Lua module"
    assert runtime.eval("ngx.ctx.botsieve_tls.ja4") is None
    assert runtime.eval("#ngx.logged") == 1


def test_capture_takes_the_pointer_of_newer_versions() -> None:
    """Where ngx.ssl has get_req_ssl_pointer it is asked, and its error is passed on, cut to 100 bytes."""
    runtime = new_runtime()
    runtime.execute("""
        package.preload["ngx.ssl"] = function()
            return { get_req_ssl_pointer = function() return nil, string.rep("e", 1000) end }
        end
        require("resty.botsieve.client_hello").capture()
    """)
    assert runtime.eval("ngx.ctx.botsieve_tls.err") == "e" * 100


def test_capture_survives_a_raise() -> None:
    """A function of nginx that raises leaves an error text."""
    runtime = new_runtime()
    runtime.execute("""
        package.preload["ngx.ssl"] = function()
            return { get_req_ssl_pointer = function() error("no request found", 0) end }
        end
        require("resty.botsieve.client_hello").capture()
    """)
    assert runtime.eval("ngx.ctx.botsieve_tls.err") == "no request found"
