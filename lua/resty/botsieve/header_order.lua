-- In which order a request's header names came: told to the service as one hash
-- (docs/headers.md, X-Botsieve-Header-Order).
--
-- Law of the file: it reads names only, where they lie, and never fails.


local ffi = require "ffi"
local base = require "resty.core.base"
require "resty.core.request"
local fingerprint = require "resty.botsieve.fingerprint"


local C = ffi.C
local ffi_copy = ffi.copy
local ffi_new = ffi.new
local get_request = base.get_request


-- Header names that are looked at.  A browser sends about 20.
local MAX_NAMES = 100
local MAX_TEXT = 8192

-- Scratch of the worker: no function below yields.
local elements = ffi_new("ngx_http_lua_ffi_table_elt_t[?]", MAX_NAMES)
local truncated = ffi_new("int[1]")
local names = ffi_new("uint8_t[?]", MAX_TEXT)

-- What `digest_of_names` has said, emptied when a flood fills it: 1 MB at most.
local MAX_KNOWN, MAX_KNOWN_TEXT = 1000, 1024
local known, known_count = {}, 0


local _M = {}


-- Is it one of the names whose place nginx changes?  It puts Host first or
-- last, by its version, and Cookie late (HTTP/2).
local function has_no_place(key)
    local len = key.len
    if len == 4 then
        return ffi.string(key.data, 4) == "host"
    end
    return len == 6 and ffi.string(key.data, 6) == "cookie"
end


-- Browsers of one kind send their names in one order: hashed once a worker.
local function digest_of_names(len)
    if len > MAX_KNOWN_TEXT then
        return fingerprint.digest(names, len)
    end
    local text = ffi.string(names, len)
    local digest = known[text]
    if not digest then
        digest = fingerprint.digest(names, len)
        if known_count >= MAX_KNOWN then
            known, known_count = {}, 0
        end
        known[text] = digest
        known_count = known_count + 1
    end
    return digest
end


-- Hash of the header names in order of arrival, lower case, without Host and
-- Cookie: 12 hex digits, "" when they cannot be read.  Names beyond the
-- hundredth are not looked at.
function _M.of_request()
    local request = get_request()
    if not request then
        return ""
    end
    local n = C.ngx_http_lua_ffi_req_get_headers_count(request, MAX_NAMES,
                                                       truncated)
    if n < 0 or n > MAX_NAMES
       or n > 0 and C.ngx_http_lua_ffi_req_get_headers(request, elements, n,
                                                       0) ~= base.FFI_OK
    then
        return ""
    end
    local at = 0
    for i = 0, n - 1 do
        local key = elements[i].key
        if not has_no_place(key) then
            if at + key.len + 1 > MAX_TEXT then
                break
            end
            ffi_copy(names + at, key.data, key.len)
            at = at + key.len
            names[at] = 44                                          -- ","
            at = at + 1
        end
    end
    return digest_of_names(at)
end


return _M
