"""A LuaJIT in the test process with just enough of nginx's Lua API to load our modules; no nginx.

Law of the file: what is stubbed here is nginx's, never ours.
"""

from __future__ import annotations

import ctypes
import hashlib
from pathlib import Path
from typing import Any

from lupa import luajit21

LUA = Path(__file__).resolve().parents[2] / "lua"


def new_runtime() -> Any:
    """A fresh LuaJIT whose `require` finds lua/; `ngx` holds md5, log and ctx."""
    runtime = luajit21.LuaRuntime(encoding="latin-1", unpack_returned_tuples=True)
    runtime.globals().md5_of_bytes = lambda text: hashlib.md5(text.encode("latin-1")).hexdigest()
    runtime.globals().lua_path = f"{LUA}/?.lua"
    runtime.execute("""
        package.path = lua_path
        ngx = { md5 = md5_of_bytes, INFO = 7, ctx = {}, logged = {}, config = { subsystem = "http" } }
        ngx.log = function(level, ...) ngx.logged[#ngx.logged + 1] = table.concat({ ... }) end
        package.preload["resty.core.base"] = function()
            return { get_request = function() return nil end, FFI_OK = 0 }
        end
    """)
    return runtime


class Fingerprints:
    """resty.botsieve.fingerprint over Python bytes."""

    def __init__(self) -> None:
        self.runtime = new_runtime()
        self._of = self.runtime.execute("""
            local ffi = require "ffi"
            local fingerprint = require "resty.botsieve.fingerprint"
            return function(address, n)
                local p = ffi.cast("const unsigned char *", ffi.cast("uintptr_t", address))
                local taken, err = fingerprint.of(p, n)
                if not taken then
                    return false, err
                end
                return taken.ja3, taken.ja3_hash, taken.ja4, taken.stable
            end
        """)

    def of(self, body: bytes) -> tuple[str, ...] | str:
        """The four texts, or the error's text.  The body ends where its memory ends."""
        memory = ctypes.create_string_buffer(body, max(len(body), 1))
        taken = self._of(ctypes.addressof(memory), len(body))
        return str(taken[1]) if taken[0] is False else tuple(taken)
