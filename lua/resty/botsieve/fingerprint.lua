-- The TLS fingerprints of one ClientHello: JA3 (text and MD5), JA4, and the
-- stable form.
--
-- Law of the file: any bytes give the fingerprints or `nil, err`; nothing is
-- raised.
--
-- Sources: README of salesforce/ja3 (BSD-3); JA4.md of FoxIO-LLC/ja4, whose
-- TLS client part is BSD-3.  Nothing of JA4+ is in here.


local ffi = require "ffi"
local bit = require "bit"
local hello_of = require "resty.botsieve.hello"


local ffi_new = ffi.new
local ffi_string = ffi.string
local band = bit.band
local rshift = bit.rshift
local byte = string.byte
local format = string.format
local ipairs = ipairs
local pcall = pcall
local md5 = ngx.md5


-- Own names for the symbols: another module may have declared them otherwise.
ffi.cdef[[
    unsigned char *botsieve_sha256(const unsigned char *data, size_t len,
        unsigned char *digest) __asm__("SHA256");
]]


-- JA3 holds at most 3 lists of MAX_ITEMS numbers and 255 formats, 6 bytes each.
local MAX_TEXT = 6 * (3 * hello_of.MAX_ITEMS + 255) + 16
local EMPTY_HASH = "000000000000"

local SERVER_NAME = hello_of.SERVER_NAME
local ALPN = hello_of.ALPN
local VOLATILE = hello_of.VOLATILE

-- JA4.md, "TLS and DTLS version".
local VERSIONS = {
    [0x0304] = "13", [0x0303] = "12", [0x0302] = "11", [0x0301] = "10",
    [0x0300] = "s3", [0x0002] = "s2",
    [0xfeff] = "d1", [0xfefd] = "d2", [0xfefc] = "d3",
}

local HEX = {}
for i = 0, 255 do
    HEX[i] = format("%02x", i)
end

local HEX_DIGITS = ffi_new("uint8_t[16]", { byte("0123456789abcdef", 1, 16) })

local ciphers = hello_of.ciphers
local extensions = hello_of.extensions
local groups = hello_of.groups
local algorithms = hello_of.algorithms
local formats = hello_of.formats

-- Scratch of the worker: no function below yields, so nobody else sees it.
local text = ffi_new("uint8_t[?]", MAX_TEXT)
local digest = ffi_new("uint8_t[32]")


local _M = {}


-- nginx has libcrypto in it; a plain LuaJIT has to load it.
local crypto
for _, name in ipairs({ "", "crypto", "libcrypto.so.3", "libcrypto.so.1.1" })
do
    local found, lib = true, ffi.C
    if name ~= "" then
        found, lib = pcall(ffi.load, name)
    end
    if found and pcall(function() return lib.botsieve_sha256 end) then
        crypto = lib
        break
    end
end


-- The first 12 hex digits of the SHA-256 of len bytes at p; 12 zeros for none,
-- "" when there is no SHA-256.
function _M.digest(p, len)
    if len == 0 then
        return EMPTY_HASH
    end
    if not crypto then
        return ""
    end
    crypto.botsieve_sha256(p, len, digest)
    return HEX[digest[0]] .. HEX[digest[1]] .. HEX[digest[2]]
           .. HEX[digest[3]] .. HEX[digest[4]] .. HEX[digest[5]]
end


local function least(a, b)
    return a < b and a or b
end


-- Writers into `text`: they take the place to write at and return the next.
local function put_decimal(at, value)
    local digits = value >= 10000 and 5 or value >= 1000 and 4
                   or value >= 100 and 3 or value >= 10 and 2 or 1
    for i = at + digits - 1, at, -1 do
        local rest = value % 10
        text[i] = 48 + rest
        value = (value - rest) / 10
    end
    return at + digits
end


local function put_decimals(at, list, n)
    for i = 0, n - 1 do
        if i > 0 then
            text[at] = 45                                           -- "-"
            at = at + 1
        end
        at = put_decimal(at, list[i])
    end
    text[at] = 44                                                   -- ","
    return at + 1
end


local function put_hex(at, value)
    text[at] = HEX_DIGITS[rshift(value, 12)]
    text[at + 1] = HEX_DIGITS[band(rshift(value, 8), 15)]
    text[at + 2] = HEX_DIGITS[band(rshift(value, 4), 15)]
    text[at + 3] = HEX_DIGITS[band(value, 15)]
    return at + 4
end


local function put_hexes(at, list, n)
    for i = 0, n - 1 do
        if i > 0 then
            text[at] = 44                                           -- ","
            at = at + 1
        end
        at = put_hex(at, list[i])
    end
    return at
end


-- Insertion sort: lists are short, and nearly sorted for many clients.
local function sort(list, n)
    for i = 1, n - 1 do
        local value, at = list[i], i - 1
        while at >= 0 and list[at] > value do
            list[at + 1] = list[at]
            at = at - 1
        end
        list[at + 1] = value
    end
end


local function ja3_text(hello)
    local at = put_decimal(0, hello.version)
    text[at] = 44
    at = put_decimals(at + 1, ciphers, hello.ciphers)
    at = put_decimals(at, extensions, hello.extensions)
    at = put_decimals(at, groups, hello.groups)
    at = put_decimals(at, formats, hello.formats)
    return ffi_string(text, at - 1)
end


-- JA4_c: sorted extensions without server_name and ALPN, then the signature
-- algorithms as sent.  Wants `extensions` sorted.
local function ja4_c(hello, is_stable)
    local at = 0
    for i = 0, hello.extensions - 1 do
        local kind = extensions[i]
        if kind ~= SERVER_NAME and kind ~= ALPN
           and not (is_stable and VOLATILE[kind])
        then
            if at > 0 then
                text[at] = 44
                at = at + 1
            end
            at = put_hex(at, kind)
        end
    end
    if at > 0 and hello.algorithms > 0 then
        text[at] = 95                                               -- "_"
        at = put_hexes(at + 1, algorithms, hello.algorithms)
    end
    return _M.digest(text, at)
end


local function ja4_texts(hello)
    sort(ciphers, hello.ciphers)
    sort(extensions, hello.extensions)
    local b = _M.digest(text, put_hexes(0, ciphers, hello.ciphers))
    local head = (hello.quic and "q" or "t")
                 .. (VERSIONS[hello.highest or hello.version] or "00")
                 .. (hello.sni and "d" or "i")
    local n, kept = hello.extensions, hello.extensions - hello.volatile
    local ja4 = format("%s%02d%02d%s_%s_%s", head, least(hello.ciphers, 99),
                       least(n, 99), hello.alpn, b, ja4_c(hello, false))
    if kept == n then
        return ja4, ja4
    end
    return ja4, format("%s%02d%02d%s_%s_%s", head, least(hello.ciphers, 99),
                       least(kept, 99), hello.alpn, b, ja4_c(hello, true))
end


-- The fingerprints of a ClientHello.
-- p: const unsigned char *, the body behind the 4-byte handshake header;
-- n: its length in bytes.  Returns { ja3 = text, ja3_hash = 32 hex digits,
-- ja4 = text, stable = text }, or nil and a few words.
function _M.of(p, n)
    local hello, err = hello_of.read(p, n)
    if not hello then
        return nil, err
    end
    if not crypto then
        return nil, "no SHA256 in this process"
    end
    local ja3 = ja3_text(hello)
    local ja4, stable = ja4_texts(hello)
    return { ja3 = ja3, ja3_hash = md5(ja3), ja4 = ja4, stable = stable }
end


return _M
