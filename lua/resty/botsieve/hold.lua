-- Whom nginx refuses by itself while the service cannot be asked
-- (docs/headers.md, X-Botsieve-Hold).
--
-- Law of the file: only the service begins a hold, and its next answer without
-- one ends it.  A full dictionary forgets the oldest.


local concat = table.concat
local max = math.max
local md5 = ngx.md5_bin
local min = math.min
local nginx_now_s = ngx.now
local tonumber = tonumber
local ngx = ngx


-- A client is refused without asking for so long at most.
local MAX_HOLD_S = 3600
-- In the dictionary while there may be holds: most sites have none.
local ANY = "any"


local _M = {}


-- Who asks, as 16 bytes.  With our session cookie it is that cookie, else
-- address, TLS signature and User-Agent: nobody is refused for a neighbour.
-- LIMIT: a host counts as one policy here; only the service knows paths.
local function asker(host, address, signature)
    local var = ngx.var
    local session = var["cookie___Host-botsieve_s"] or var.cookie_botsieve_s
    if session then
        return md5(concat({ "s", host or "", session }, "\n"))
    end
    return md5(concat({ "c", host or "", address or "", signature or "",
                        var.http_user_agent or "" }, "\n"))
end


-- Are there holds at all?  Looked up once in each millisecond of nginx's clock.
local any, any_at_s = false, -1
local function are_any(dict)
    local now_s = nginx_now_s()
    if now_s ~= any_at_s then
        any, any_at_s = dict:get(ANY) ~= nil, now_s
    end
    return any
end


-- The service's answer for this client has no hold in it.
function _M.end_of()
    local dict = ngx.shared.botsieve_hold
    if dict and are_any(dict) then
        local var = ngx.var
        dict:delete(asker(var.host, var.remote_addr, var.botsieve_tls_sig))
    end
end


-- Keeps, or gives up, what the service said of refusing this client while
-- nobody can be asked.  Bounded: a full dictionary forgets the oldest.
function _M.keep()
    local dict = ngx.shared.botsieve_hold
    local var = ngx.var
    local seconds = dict and tonumber(var.upstream_http_x_botsieve_hold)
    if not seconds then
        _M.end_of()
        return
    end
    seconds = max(1, min(seconds, MAX_HOLD_S))
    local key = asker(var.host, var.remote_addr, var.botsieve_tls_sig)
    local _, err = dict:set(key, true, seconds)
    if not err then
        _, err = dict:set(ANY, true, MAX_HOLD_S)
        any = true
    end
    if err then
        ngx.log(ngx.ERR, "botsieve: cannot hold: ", err)
    end
end


-- Did the service want this client to be refused?
function _M.holds(host, address, signature)
    local dict = ngx.shared.botsieve_hold
    if not dict or not dict:get(ANY) then
        return false
    end
    return dict:get(asker(host, address, signature)) ~= nil
end


return _M
