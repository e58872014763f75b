-- What nginx tells the service and, where it wants to know, the application.
-- Runs in the locations of nginx/server.conf and nginx/protect-app.conf.
--
-- Law of the file: it sees and passes on; it does not judge.  What it cannot
-- see it does not claim to see (`X-Botsieve-Edge`).


local ffi = require "ffi"
local base = require "resty.core.base"
require "resty.core.ctx"
local asking = require "resty.botsieve.asking"
local clock = require "resty.botsieve.clock"
local header_order = require "resty.botsieve.header_order"
local hold = require "resty.botsieve.hold"


local C = ffi.C
local concat = table.concat
local ipairs = ipairs
local lower = string.lower
local pairs = pairs
local parse_time = ngx.parse_http_time
local type = type
local get_request = base.get_request
local nginx_now_s = ngx.now
local ngx = ngx


-- Passed on to the application: name there, nginx variable here.
local TOLD = {
    ["X-Botsieve-Verdict"] = "botsieve_verdict",
    ["X-Botsieve-Would-Be"] = "botsieve_would_be",
    ["X-Botsieve-Score"] = "botsieve_score",
    ["X-Botsieve-Reasons"] = "botsieve_reasons",
    ["X-Botsieve-Id"] = "botsieve_id",
}
-- What a client must not be able to say; `_` is read as `-` by many, and PHP
-- makes `_` of a dot (which comes with `ignore_invalid_headers off`).
local OURS = "^x%Wbotsieve%W"
local FINGERPRINTS = "^x%Wja[34]%Wfingerprint$"

-- So much must the clock have been set back before it matters, and so often a
-- service that is silent is asked although nginx would not.
local SET_BACK_S = 1
local AGAIN_S = 1

-- Scratch of the worker: no function below yields.
local is_tls_phase, tls_ctx = ffi.new("int[1]"), ffi.new("int[1]")

-- What shared memory says of all requests, read once in each millisecond of
-- nginx's clock; what this worker writes there it knows at once.
local told = { at_s = -1, unjudged = 0, part = nil, refuses = nil }

-- $botsieve_answer of http.conf where the service allows and asks for nothing.
local ALLOWS = "200 allow "


local _M = { VERSION = 1 }


-- What client_hello.lua has seen of this connection.  Without TLS there is no
-- ngx.ctx to look into, and asking for it would make one for each request.
local function tls_of(request)
    if request
       and C.ngx_http_lua_ffi_get_ctx_ref(request, is_tls_phase, tls_ctx) < 0
       and tls_ctx[0] <= 0
    then
        return nil
    end
    return ngx.ctx.botsieve_tls
end


-- Fills the variables of nginx/headers.conf; returns the header order.
-- Called once for each request that goes to the service.
function _M.see()
    local order = header_order.of_request()
    local tls = tls_of(get_request())
    if order ~= "" and not tls then
        return order                            -- what server.conf has set
    end
    local var = ngx.var
    local sees = order == "" and "1" or "1 order"
    if tls then
        sees = sees .. " tls"
        if tls.ja4 then
            var.botsieve_ja3 = tls.ja3_hash
            var.botsieve_ja4 = tls.ja4
            var.botsieve_tls_sig = tls.stable
        else
            var.botsieve_tls_error = tls.err
        end
    end
    var.botsieve_edge = sees
    return order
end


-- This request is not asked about.  $botsieve_unasked says what it gets: what
-- it would get of the backup.  Who was judged or spared before an internal
-- redirect stays so.
local function spare(dict, part, refuses)
    local var = ngx.var
    if (var.botsieve_id or "") ~= "" then
        return
    end
    if var.botsieve_unasked == "" then
        if not asking.is_spared(part) then
            return
        end
        local held = hold.holds(var.host, var.remote_addr,
                                var.botsieve_tls_sig)
        var.botsieve_unasked = held and "block" or "unjudged"
        if not held then
            asking.count(dict)
            told.at_s = -1
        end
    end
    ngx.ctx.botsieve_refuses = refuses
end


-- `see` for a question, of which the service may have too many.
function _M.ask()
    local now_s = nginx_now_s()
    if now_s ~= told.at_s then
        local dict = ngx.shared.botsieve_edge
        told.at_s, told.unjudged = now_s, _M.unjudged()
        told.part, told.refuses = asking.part(dict)
    end
    if told.unjudged ~= 0 then
        ngx.var.botsieve_unjudged = told.unjudged
    end
    local order = _M.see()
    if told.part then
        spare(ngx.shared.botsieve_edge, told.part, told.refuses)
    end
    return order
end


-- How many requests this nginx has let pass unjudged since it started; behind
-- a `+` those that it did not ask about because the service wanted it so.
function _M.unjudged()
    local dict = ngx.shared.botsieve_edge
    if not dict then
        return 0
    end
    local passed, spared = dict:get("unjudged") or 0, asking.spared(dict)
    return spared == 0 and passed or passed .. "+" .. spared
end


-- Counts one request that nobody judged.
function _M.count_unjudged()
    local dict = ngx.shared.botsieve_edge
    if not dict or ngx.var.botsieve_held == "1" then
        return
    end
    told.at_s = -1
    local _, err = dict:incr("unjudged", 1, 0)
    if err then
        ngx.log(ngx.ERR, "botsieve: cannot count: ", err)
    end
end


-- Runs where nginx answers in the service's place.  Does this request ask the
-- service all the same ("1", else "")?  nginx gives a server up until so many
-- seconds of the machine's clock have passed.  Was that clock set back since,
-- it would not ask for as long; then we do: each request while the service
-- answers, one a second while it is silent.
function _M.asks_again()
    local dict = ngx.shared.botsieve_edge
    local now = dict and clock.monotonic_s()
    if not now then
        return ""
    end
    local ahead = ngx.now() - now
    local most = dict:get("ahead")
    if not most or ahead > most then
        dict:set("ahead", ahead)
        return ""
    end
    if ahead > most - SET_BACK_S then
        return ""
    end
    if ngx.var.uri == "/v1/check/silent" or ngx.var.uri == "/retry-again-later"
    then
        dict:delete("answers")      -- it was asked just now, and was silent
        return ""
    end
    if dict:get("answers") then
        return "1"
    end
    local last = dict:get("asked")
    if last and now - last >= 0 and now - last < AGAIN_S then
        return ""
    end
    dict:set("asked", now)
    return "1"
end


-- The service was asked in nginx's place, and answered.
function _M.asked_again()
    local dict = ngx.shared.botsieve_edge
    if dict and ngx.status < 500 then
        dict:set("answers", true)
    end
end


-- Is the client of this check one that the service wanted to be refused?
-- "1" or "".  Asked by the backup, that is while the service is away.
function _M.held()
    local var = ngx.var
    local held = hold.holds(var.http_x_botsieve_host,
                            var.http_x_botsieve_client_addr,
                            var.http_x_botsieve_tls_sig)
    return held and "1" or ""
end


-- Is the answer to a check one of ours?  Anything else, such as bytes that
-- are no HTTP (nginx gives them status 0, which auth_request turns into a
-- 500 for the visitor), becomes `status`: 200 lets pass, 403 refuses.
function _M.heard(status)
    local var = ngx.var
    if var.botsieve_answer == ALLOWS then
        hold.end_of()
        return
    end
    if not ngx.is_subrequest then
        return                      -- a 404 for somebody outside: not a check
    end
    local said = ngx.status
    -- Not ngx.header: a proxy_hide_header of the user would hide it there.
    local verdict = var.upstream_http_x_botsieve_verdict
    if verdict and (said == 200 or said == 403) then
        local part = var.upstream_http_x_botsieve_ask
        if part then
            told.at_s = -1
            asking.keep(ngx.shared.botsieve_edge, part,
                        var.upstream_http_x_botsieve_on_late == "block")
        end
        if verdict ~= "unjudged" and var.upstream_http_x_botsieve_id then
            hold.keep()             -- the service itself, not its backup
        end
        return
    end
    local unasked = var.botsieve_unasked or ""
    if unasked == "" then
        _M.count_unjudged()
    elseif unasked == "block" or ngx.ctx.botsieve_refuses then
        status = 403
    end
    ngx.status = status
end


-- Tells the application the verdict, and nothing that the client invented.
function _M.to_app()
    local clear = ngx.req.clear_header
    for name in pairs(ngx.req.get_headers(0, true)) do
        local plain = lower(name)
        if plain:find(OURS) or plain:find(FINGERPRINTS) then
            clear(name)
        end
    end
    local var = ngx.var
    if not var.botsieve_verdict or var.botsieve_verdict == "" then
        var.botsieve_verdict = "unjudged"   -- bytes that were no answer
    end
    for name, variable in pairs(TOLD) do
        local value = var[variable]
        if value and value ~= "" then
            ngx.req.set_header(name, value)
        end
    end
end


-- May a cache that many visitors share keep this answer, by what the
-- application says of it (RFC 9111, 3)?  LIMIT: an `expires` line of nginx
-- itself is added later and not seen here.
local function is_for_many()
    local said = ngx.header["Cache-Control"]
    if type(said) == "table" then
        said = concat(said, ",")
    end
    if said then
        said = lower(said)
        if said:find("private", 1, true) or said:find("no-store", 1, true)
           or said:find("no-cache", 1, true)
        then
            return false
        end
        return said:find("public", 1, true) ~= nil
               or said:find("max%-?age%s*=%s*\"?0*[1-9]") ~= nil
    end
    local until_then = ngx.header["Expires"]
    local time = type(until_then) == "string" and parse_time(until_then)
    return time and time > ngx.time() or false
end


-- The header filter of protect-app.conf: our cookie, and room for the script
-- where inject-app.conf stands too.
function _M.to_client()
    _M.add_cookie()
    if ngx.var.botsieve_inject == "1" then
        require("resty.botsieve.inject").header()
    end
end


-- Appends our Set-Cookie to those of the application: never to an answer
-- that a CDN could hand, with this visitor's session, to the next one.
function _M.add_cookie()
    local ours = ngx.var.botsieve_set_cookie
    if not ours or ours == "" or is_for_many() then
        return
    end
    local theirs = ngx.header["Set-Cookie"]
    local all = {}
    if type(theirs) == "table" then
        for i, cookie in ipairs(theirs) do
            all[i] = cookie
        end
    elseif theirs then
        all[1] = theirs
    end
    all[#all + 1] = ours
    ngx.header["Set-Cookie"] = all
end


return _M
