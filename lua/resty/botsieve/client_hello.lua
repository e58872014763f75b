-- Takes the fingerprints of a connection while its handshake begins.
-- Runs in ssl_client_hello_by_lua* (nginx/server-tls.conf).
--
-- Law of the file: a handshake is never failed and never delayed by us.  What
-- cannot be read is left as an error text in ngx.ctx.botsieve_tls.err.
--
-- Why not the documented API: OpenSSL's list of present extensions holds only
-- types that OpenSSL knows (docs/headers.md), which gives wrong values for
-- every current browser.  SSL_client_hello_get0_ciphers points into the
-- message as it came; the rest of it lies around that pointer.  Each length
-- is checked against what the public getters say before a byte is believed.


local ffi = require "ffi"
local base = require "resty.core.base"
local fingerprint = require "resty.botsieve.fingerprint"


local ffi_new = ffi.new
local ipairs = ipairs
local pcall = pcall
local tonumber = tonumber
local tostring = tostring
local type = type
local get_request = base.get_request


local SYMBOLS = [[
    unsigned int botsieve_hello_version(void *ssl)
        __asm__("SSL_client_hello_get0_legacy_version");
    size_t botsieve_hello_random(void *ssl, const unsigned char **out)
        __asm__("SSL_client_hello_get0_random");
    size_t botsieve_hello_session(void *ssl, const unsigned char **out)
        __asm__("SSL_client_hello_get0_session_id");
    size_t botsieve_hello_ciphers(void *ssl, const unsigned char **out)
        __asm__("SSL_client_hello_get0_ciphers");
    size_t botsieve_hello_compressions(void *ssl, const unsigned char **out)
        __asm__("SSL_client_hello_get0_compression_methods");
    int botsieve_hello_is_v2(void *ssl)
        __asm__("SSL_client_hello_isv2");
    void *botsieve_request_ssl(void *request)
        __asm__("ngx_http_lua_ffi_get_req_ssl_pointer");
]]
ffi.cdef(SYMBOLS)

local CLIENT_HELLO = 1


local _M = { VERSION = 1 }


-- nginx is linked with OpenSSL, or loads it as a library.
local openssl
for _, name in ipairs({ "", "ssl", "libssl.so.3", "libssl.so.1.1" }) do
    local found, lib = true, ffi.C
    if name ~= "" then
        found, lib = pcall(ffi.load, name)
    end
    if found and pcall(function() return lib.botsieve_hello_ciphers end) then
        openssl = lib
        break
    end
end


-- The SSL* of the connection.  lua-resty-core from 0.1.29 on has a function
-- for it.  Before, the C function is there without the Lua one and takes one
-- argument; it must not be called so where it takes two.
local function pick_get_ssl()
    local found, ngx_ssl = pcall(require, "ngx.ssl")
    if found and type(ngx_ssl) == "table" and ngx_ssl.get_req_ssl_pointer then
        return ngx_ssl.get_req_ssl_pointer
    end
    if not pcall(function() return ffi.C.botsieve_request_ssl end) then
        return nil
    end
    return function()
        local request = get_request()
        if not request then
            return nil, "no request"
        end
        local ssl = ffi.C.botsieve_request_ssl(request)
        if ssl == nil then
            return nil, "no TLS"
        end
        return ssl
    end
end


local get_ssl = pick_get_ssl()
local out = ffi_new("const unsigned char *[1]")


local function read16(p, at)
    return p[at] * 256 + p[at + 1]
end


-- What the public getters say: cipher pointer and the four lengths.
local function ask(ssl, lib)
    if lib.botsieve_hello_is_v2(ssl) ~= 0 then
        return nil, "sslv2 hello"
    end
    local said = {}
    said.compressions = tonumber(lib.botsieve_hello_compressions(ssl, out))
    said.session = tonumber(lib.botsieve_hello_session(ssl, out))
    if tonumber(lib.botsieve_hello_random(ssl, out)) ~= 32 then
        return nil, "random length"
    end
    said.random = out[0]
    said.ciphers = tonumber(lib.botsieve_hello_ciphers(ssl, out))
    said.at = out[0]
    if said.ciphers == 0 then
        return nil, "no ciphers"
    end
    if said.session > 32 then
        return nil, "session id length"
    end
    return said
end


-- Is what lies before the ciphers the beginning of this ClientHello?
-- Returns its body and length, or nil and what differs.
local function look_back(ssl, lib, said)
    local body = said.at - 2 - said.session - 1 - 32 - 2
    if read16(said.at, -2) ~= said.ciphers then
        return nil, "cipher length differs"
    end
    if said.at[-3 - said.session] ~= said.session then
        return nil, "session id length differs"
    end
    if read16(body, 0) ~= tonumber(lib.botsieve_hello_version(ssl)) then
        return nil, "version differs"
    end
    for i = 0, 31 do
        if body[2 + i] ~= said.random[i] then
            return nil, "random differs"
        end
    end
    if body[-4] ~= CLIENT_HELLO then
        return nil, "no client hello"
    end
    return body, body[-3] * 65536 + body[-2] * 256 + body[-1]
end


-- Does what lies behind the ciphers end where the message ends?
local function look_ahead(body, len, said)
    local at = 2 + 32 + 1 + said.session + 2 + said.ciphers
    if at + 1 > len or body[at] ~= said.compressions then
        return nil, "compression length differs"
    end
    at = at + 1 + said.compressions
    if at == len then
        return true
    end
    if at + 2 > len or at + 2 + read16(body, at) ~= len then
        return nil, "extension length differs"
    end
    return true
end


-- The body of the ClientHello as it came, and its length in bytes; nil and a
-- few words when anything differs from what OpenSSL says of it.
-- ssl: SSL * in its client hello callback; lib: where the functions are.
function _M.raw(ssl, lib)
    lib = lib or openssl
    if not lib then
        return nil, "no OpenSSL in this process"
    end
    local said, err = ask(ssl, lib)
    if not said then
        return nil, err
    end
    local body, len = look_back(ssl, lib, said)
    if not body then
        return nil, len
    end
    local ok
    ok, err = look_ahead(body, len, said)
    if not ok then
        return nil, err
    end
    return body, len
end


local function take()
    if not get_ssl then
        return nil, "no SSL pointer in this Lua module"
    end
    local ssl, err = get_ssl()
    if not ssl then
        return nil, err
    end
    local body, len = _M.raw(ssl)
    if not body then
        return nil, len
    end
    return fingerprint.of(body, len)
end


-- Sets ngx.ctx.botsieve_tls = { ja3, ja3_hash, ja4, stable } or { err }.
-- nginx shares it with every request of the connection: read it only.
function _M.capture()
    local ok, taken, err = pcall(take)
    if not ok then
        taken, err = nil, taken
    end
    if not taken then
        err = tostring(err):sub(1, 100)
        -- No louder: anybody can send such a hello.  The service is told too.
        ngx.log(ngx.INFO, "botsieve: no TLS fingerprint: ", err)
        taken = { err = err }
    end
    ngx.ctx.botsieve_tls = taken
end


return _M
