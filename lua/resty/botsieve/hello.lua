-- Reads a ClientHello: what is in it, in the order it came, without GREASE.
--
-- Law of the file: any bytes give true or `nil, err`; nothing is raised, no
-- byte outside [p, p + n) is read, and `err` holds no byte of the client.
--
-- Sources: RFC 8446 section 4.1.2 (ClientHello), RFC 8701 (GREASE).


local ffi = require "ffi"
local bit = require "bit"


local ffi_new = ffi.new
local band = bit.band
local rshift = bit.rshift
local char = string.char
local format = string.format


-- Items of one list that we look at; browsers send at most 60 of a kind.  More
-- is an error and not a short list: a cut list would be a lie.  The bound
-- keeps the sort of the worst hello under 100 microseconds.
local MAX_ITEMS = 256

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


-- The lists of the hello read last.  Scratch of the worker: nobody yields
-- between `read` and the use of them, so nobody else sees them.
local ciphers = ffi_new("uint16_t[?]", MAX_ITEMS)
local extensions = ffi_new("uint16_t[?]", MAX_ITEMS)
local groups = ffi_new("uint16_t[?]", MAX_ITEMS)
local algorithms = ffi_new("uint16_t[?]", MAX_ITEMS)
local formats = ffi_new("uint16_t[?]", MAX_ITEMS)


local _M = {
    MAX_ITEMS = MAX_ITEMS,
    SERVER_NAME = SERVER_NAME,
    ALPN = ALPN,
    VOLATILE = VOLATILE,
    ciphers = ciphers,
    extensions = extensions,
    groups = groups,
    algorithms = algorithms,
    formats = formats,
}


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
    return format("%x%x", rshift(first, 4), band(last, 15))
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


local function read_into(p, n, hello)
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


-- The body of a ClientHello (behind the 4-byte handshake header).
-- p: const unsigned char *; n: its length in bytes.  Returns counts and marks;
-- the items lie in the lists of this module until the next call.  Returns nil
-- and a few words for what is no hello, or too long a one.
function _M.read(p, n)
    local hello = {
        version = 0, ciphers = 0, extensions = 0, volatile = 0, groups = 0,
        algorithms = 0, formats = 0, sni = false, quic = false, alpn = "00",
    }
    local ok, err = read_into(p, n, hello)
    if not ok then
        return nil, err
    end
    if hello.ciphers < 0 or hello.groups < 0 or hello.algorithms < 0 then
        return nil, "list too long"
    end
    return hello
end


return _M
