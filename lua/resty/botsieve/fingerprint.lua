-- The TLS fingerprints of one ClientHello: JA3 (text and MD5), JA4, and the
-- stable form.
--
-- Law of the file: any bytes give the fingerprints or `nil, err`; nothing is
-- raised, no byte outside [p, p + n) is read, and `err` holds no byte of the
-- client.
--
-- Sources: README of salesforce/ja3 (BSD-3); JA4.md of FoxIO-LLC/ja4, whose
-- TLS client part is BSD-3.  Nothing of JA4+ is in here.


local ffi = require "ffi"
local bit = require "bit"


local ffi_new = ffi.new
local ffi_string = ffi.string
local band = bit.band
local rshift = bit.rshift
local byte = string.byte
local char = string.char
local format = string.format
local ipairs = ipairs
local pcall = pcall
local md5 = ngx.md5


-- Own names for the symbols: another module may have declared them otherwise.
ffi.cdef[[
    unsigned char *botsieve_sha256(const unsigned char *data, size_t len,
        unsigned char *digest) __asm__("SHA256");
]]


-- Items of one list that we look at; browsers send at most 60 of a kind.  More
-- is an error and not a short list: a cut list would be a lie.  The bound
-- keeps the sort of the worst hello under 100 microseconds.
local MAX_ITEMS = 256
-- JA3 holds at most 3 lists of MAX_ITEMS numbers and 255 formats, 6 bytes each.
local MAX_TEXT = 6 * (3 * MAX_ITEMS + 255) + 16
local EMPTY_HASH = "000000000000"

local SERVER_NAME = 0
local SUPPORTED_GROUPS = 10
local POINT_FORMATS = 11
local SIGNATURE_ALGORITHMS = 13
local ALPN = 16
local SUPPORTED_VERSIONS = 43
local QUIC_PARAMETERS = 57

-- Extensions that come and go for one and the same client: padding (length of
-- the host name), session_ticket, pre_shared_key and early_data (resumption).
-- The stable form leaves them out.
local VOLATILE = { [21] = true, [35] = true, [41] = true, [42] = true }

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

-- Scratch of the worker: no function below yields, so nobody else sees it.
local ciphers = ffi_new("uint16_t[?]", MAX_ITEMS)
local extensions = ffi_new("uint16_t[?]", MAX_ITEMS)
local groups = ffi_new("uint16_t[?]", MAX_ITEMS)
local algorithms = ffi_new("uint16_t[?]", MAX_ITEMS)
local formats = ffi_new("uint16_t[?]", MAX_ITEMS)
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


local function read16(p, at)
    return p[at] * 256 + p[at + 1]
end


-- RFC 8701: 0x0a0a, 0x1a1a ... 0xfafa.
local function is_grease(value)
    return band(value, 0x0f0f) == 0x0a0a
           and rshift(value, 8) == band(value, 255)
end


-- Copies a list of 16-bit numbers without GREASE.  Returns how many, or -1
-- when they are more than MAX_ITEMS.
local function read_list(p, from, len, into)
    local n = 0
    for at = from, from + len - 2, 2 do
        local value = read16(p, at)
        if not is_grease(value) then
            if n == MAX_ITEMS then
                return -1
            end
            into[n] = value
            n = n + 1
        end
    end
    return n
end


local function least(a, b)
    return a < b and a or b
end


local function is_alnum(c)
    return c >= 0x30 and c <= 0x39 or c >= 0x41 and c <= 0x5a
           or c >= 0x61 and c <= 0x7a
end


-- JA4.md: first and last character of the first ALPN value; where one of
-- them is not alphanumeric, of its hex form.
local function alpn_mark(first, last)
    if is_alnum(first) and is_alnum(last) then
        return char(first, last)
    end
    return HEX[first]:sub(1, 1) .. HEX[last]:sub(2, 2)
end


-- What each extension adds to `hello`.  Inner lengths that lie are cut to the
-- length of their extension: OpenSSL refuses such a hello after us.
local READ = {}


READ[SERVER_NAME] = function(_, _, _, hello)
    hello.sni = true
end


READ[QUIC_PARAMETERS] = function(_, _, _, hello)
    hello.quic = true
end


READ[ALPN] = function(p, at, len, hello)
    if len < 3 then
        return
    end
    local size = p[at + 2]
    if size > 0 and 3 + size <= len then
        hello.alpn = alpn_mark(p[at + 3], p[at + 2 + size])
    end
end


READ[SUPPORTED_GROUPS] = function(p, at, len, hello)
    if len >= 2 then
        local size = least(read16(p, at), len - 2)
        hello.groups = read_list(p, at + 2, size, groups)
    end
end


READ[SIGNATURE_ALGORITHMS] = function(p, at, len, hello)
    if len >= 2 then
        local size = least(read16(p, at), len - 2)
        hello.algorithms = read_list(p, at + 2, size, algorithms)
    end
end


READ[POINT_FORMATS] = function(p, at, len, hello)
    if len >= 1 then
        local size = least(p[at], len - 1)
        for i = 0, size - 1 do
            formats[i] = p[at + 1 + i]
        end
        hello.formats = size
    end
end


READ[SUPPORTED_VERSIONS] = function(p, at, len, hello)
    local highest = 0
    if len >= 1 then
        local size = least(p[at], len - 1)
        for i = at + 1, at + size - 1, 2 do
            local value = read16(p, i)
            if value > highest and not is_grease(value) then
                highest = value
            end
        end
    end
    hello.highest = highest
end


local function read_extensions(p, at, stop, hello)
    local n, volatile = 0, 0
    while at < stop do
        if at + 4 > stop then
            return nil, "extension cut"
        end
        local kind, len = read16(p, at), read16(p, at + 2)
        at = at + 4
        if at + len > stop then
            return nil, "extension too long"
        end
        if not is_grease(kind) then
            if n == MAX_ITEMS then
                return nil, "too many extensions"
            end
            extensions[n] = kind
            n = n + 1
            if VOLATILE[kind] then
                volatile = volatile + 1
            end
            local read = READ[kind]
            if read then
                read(p, at, len, hello)
            end
        end
        at = at + len
    end
    hello.extensions, hello.volatile = n, volatile
    return true
end


-- Reads the body of a ClientHello into `hello` (counts and marks) and the
-- scratch lists.  Returns true, or nil and what is wrong.
local function read_hello(p, n, hello)
    if n < 35 then
        return nil, "hello cut"
    end
    hello.version = read16(p, 0)
    local at = 35 + p[34]
    if at + 2 > n then
        return nil, "session id cut"
    end
    local len = read16(p, at)
    at = at + 2
    if at + len > n then
        return nil, "ciphers cut"
    end
    hello.ciphers = read_list(p, at, len, ciphers)
    at = at + len
    if at + 1 > n or at + 1 + p[at] > n then
        return nil, "compression methods cut"
    end
    at = at + 1 + p[at]
    if at == n then
        return true
    end
    if at + 2 > n or at + 2 + read16(p, at) ~= n then
        return nil, "extension block length"
    end
    return read_extensions(p, at + 2, n, hello)
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
    local hello = {
        version = 0, ciphers = 0, extensions = 0, volatile = 0, groups = 0,
        algorithms = 0, formats = 0, sni = false, quic = false, alpn = "00",
    }
    local ok, err = read_hello(p, n, hello)
    if not ok then
        return nil, err
    end
    if hello.ciphers < 0 or hello.groups < 0 or hello.algorithms < 0 then
        return nil, "list too long"
    end
    if not crypto then
        return nil, "no SHA256 in this process"
    end
    local ja3 = ja3_text(hello)
    local ja4, stable = ja4_texts(hello)
    return { ja3 = ja3, ja3_hash = md5(ja3), ja4 = ja4, stable = stable }
end


return _M
