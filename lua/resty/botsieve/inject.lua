-- Puts the tag of our script into pages on their way to the visitor.
-- Runs in locations with nginx/inject-lua.conf or nginx/inject-app.conf.
--
-- Law of the file: what is no whole HTML page that was asked for as one
-- passes untouched; nothing is held back but the few bytes in which the tag's
-- place may begin.  The tag is the same for everybody, so caches may keep it.


local find = string.find
local gmatch = string.gmatch
local lower = string.lower
local match = string.match
local sub = string.sub
local type = type
local ngx = ngx


-- The head ends within this, or the page stays as it is.
local MAX_HEAD = 65536
-- "</head" and the byte behind it: so much less one may be cut by a chunk.
local HELD = 6
local SILENT_S = 60
-- The directive that decides about script elements: the first that is there.
local RANK = { ["script-src-elem"] = 3, ["script-src"] = 2,
               ["default-src"] = 1 }
local PAGES = { document = true, iframe = true, frame = true }
-- Of the bytes as the application sent them.
local STALE = { "Accept-Ranges", "Content-MD5", "Digest", "Repr-Digest",
                "Content-Digest" }

local complained = -SILENT_S


local _M = { VERSION = 1 }


-- A header of the answer as one text, "" when there is none.
local function said(name)
    local value = ngx.header[name]
    if type(value) == "table" then
        return table.concat(value, ",")
    end
    return value or ""
end


-- The nonce that a Content-Security-Policy wants of a script, nil for none.
-- LIMIT: a policy in a <meta> element, or of an add_header line of this
-- nginx, is not seen.
function _M.nonce_of(policy)
    local best, nonce = 0, nil
    for directive in gmatch(policy, "[^;,]+") do
        local name = match(directive, "^%s*([%w-]+)")
        local rank = name and RANK[lower(name)]
        if rank and rank > best then
            best = rank
            nonce = match(directive, "'nonce%-([%w+/_=-]+)'")
        end
    end
    return nonce
end


-- Is this answer a page that may be changed?
local function is_page()
    local status = ngx.status
    if ngx.is_subrequest or status == 206
       or status ~= 200 and status < 400
    then
        return false
    end
    if not find(lower(said("Content-Type")), "^text/html") then
        return false
    end
    local wanted_as = ngx.var.http_sec_fetch_dest
    if wanted_as and not PAGES[wanted_as] then
        return false                    -- a part of a page, fetched by script
    end
    return said("Content-Range") == ""
           and not find(lower(said("Content-Disposition")), "^%s*attachment")
           and not find(lower(said("Cache-Control")), "no-transform", 1, true)
end


-- A packed page cannot be read.  Told once a minute and worker.
local function is_packed()
    local encoding = lower(said("Content-Encoding"))
    if encoding == "" or encoding == "identity" then
        return false
    end
    local now = ngx.now()
    if now - complained >= SILENT_S then
        complained = now
        ngx.log(ngx.WARN, "botsieve: a page came packed (", encoding,
                ") and has no script: proxy_set_header Accept-Encoding \"\";")
    end
    return true
end


-- The header filter: makes room for the tag, before a byte is sent.
function _M.header()
    if not is_page() or is_packed() then
        return
    end
    local header = ngx.header
    header["Content-Length"] = nil
    for i = 1, #STALE do
        if header[STALE[i]] then
            header[STALE[i]] = nil
        end
    end
    local etag = header["ETag"]
    if type(etag) == "string" and sub(etag, 1, 1) == '"' then
        header["ETag"] = "W/" .. etag   -- the same page, other bytes
    end
    ngx.ctx.botsieve_inject = {
        tail = "",
        seen = 0,
        nonce = _M.nonce_of(said("Content-Security-Policy")),
    }
end


-- Where the tag goes: before the end of the head, or before a body whose head
-- has no end tag; nil when neither is there (yet).
local function place_in(text)
    local plain = lower(text)
    local head = find(plain, "</head[%s>]")
    local body = find(plain, "<body[%s>]")
    return head and body and math.min(head, body) or head or body
end


-- The body filter, chunk by chunk.  `src`: of the script.
function _M.body(src)
    local state = ngx.ctx.botsieve_inject
    if not state then
        return
    end
    local text, is_last = state.tail .. ngx.arg[1], ngx.arg[2]
    local at = place_in(text)
    if at then
        local nonce = state.nonce and ' nonce="' .. state.nonce .. '"' or ""
        ngx.arg[1] = sub(text, 1, at - 1) .. '<script src="' .. src
                     .. '" defer' .. nonce .. "></script>" .. sub(text, at)
        ngx.ctx.botsieve_inject = nil
        return
    end
    state.seen = state.seen + #text - #state.tail
    if is_last or state.seen > MAX_HEAD then
        ngx.arg[1] = text
        ngx.ctx.botsieve_inject = nil
        return
    end
    state.tail = sub(text, -HELD)
    ngx.arg[1] = sub(text, 1, -HELD - 1)
end


return _M
