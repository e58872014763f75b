-- In place of CrowdSec's Lua bouncer (lua-cs-bouncer), written anew: module
-- `crowdsec` with the functions that its crowdsec_nginx.conf calls, the same
-- file of settings, the same shared dictionary, the same questions to the
-- local API and to AppSec, and the same ways to end a request.  The tests of
-- this folder run with either one.
--
-- Law of the file: what the neighbour does in nginx, and nothing of how well
-- it does it: no ranges, no metrics, no TLS, a captcha is believed.


local conf = {}
local cache = ngx.shared.crowdsec_cache

local _M = {}


local function read(name)
    local file = name and name ~= "" and io.open(name, "r")
    if not file then
        return ""
    end
    local text = file:read("*a")
    file:close()
    return text:sub(1, -2)
end


-- Status and body; nil and what went wrong.
local function http(url, method, headers, body)
    local host, port, path = url:match("^http://([^:/]+):(%d+)(.*)$")
    local lines = { method .. " " .. (path == "" and "/" or path) .. " HTTP/1.0",
                    "Host: " .. host }
    for name, value in pairs(headers) do
        lines[#lines + 1] = name .. ": " .. tostring(value)
    end
    lines[#lines + 1] = "Content-Length: " .. #(body or "")
    local socket = ngx.socket.tcp()
    socket:settimeout(tonumber(conf.REQUEST_TIMEOUT) or 500)
    local ok, err = socket:connect(host, tonumber(port))
    if not ok then
        return nil, err
    end
    socket:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or ""))
    local answer
    answer, err = socket:receive("*a")
    socket:close()
    if not answer then
        return nil, err
    end
    return tonumber(answer:match("^HTTP/%S+ (%d+)")),
           answer:match("\r\n\r\n(.*)$")
end


local function ask_lapi(target)
    local status, body = http(conf.API_URL .. target, "GET",
                              { ["x-api-key"] = conf.API_KEY })
    if status ~= 200 then
        ngx.log(ngx.ERR, "local API: ", status or body)
        return nil
    end
    return body
end


-- type and value of each decision of a list
local function rows(list)
    return coroutine.wrap(function()
        for row in (list or ""):gmatch("{(.-)}") do
            coroutine.yield(row:match('"type": *"(.-)"'),
                            row:match('"value": *"(.-)"'))
        end
    end)
end


function _M.init(file)
    local lines = io.open(file, "r")
    if not lines then
        return nil, "File " .. file .. " doesn't exist"
    end
    for line in lines:lines() do
        local key, value = line:match("^%s*([%u_]+)%s*=%s*(.-)%s*$")
        if key then
            conf[key] = value
        end
    end
    lines:close()
    captcha_ok = (conf.SITE_KEY or "") ~= ""        -- a global, as theirs
    cache:set("captcha_ok", captcha_ok)
    cache:set("startup", true)
    return true
end


function _M.get_mode()
    return conf.MODE
end


function _M.SetupMetrics()
end


function _M.SetupStream()
    local every = tonumber(conf.UPDATE_FREQUENCY)
    local function refresh()
        local body = ask_lapi("/v1/decisions/stream?startup="
                              .. tostring(cache:get("startup")))
        if body then
            for _, value in rows(body:match('"deleted": *(%b[])')) do
                cache:delete("decision_cache/" .. value)
            end
            for kind, value in rows(body:match('"new": *(%b[])')) do
                cache:set("decision_cache/" .. value, kind)
            end
            cache:set("startup", false)
        end
        if not ngx.worker.exiting() then
            ngx.timer.at(every, refresh)
        end
    end
    ngx.timer.at(every, refresh)
end


local function decision(ip)
    local known = cache:get("decision_cache/" .. ip)
    if known or conf.MODE ~= "live" then
        return known ~= "none" and known or nil
    end
    local body = ask_lapi("/v1/decisions?ip=" .. ip)
    if not body then
        return nil
    end
    local kind = rows(body)()
    cache:set("decision_cache/" .. ip, kind or "none",
              tonumber(conf.CACHE_EXPIRATION))
    return kind
end


-- "ban" when AppSec refuses the request.
local function inspected(ip)
    ngx.req.read_body()
    local body = ngx.req.get_body_data()
    local spooled = not body and io.open(ngx.req.get_body_file() or "", "r")
    if spooled then
        body = spooled:read("*a")
        spooled:close()
    end
    local headers = ngx.req.get_headers()
    headers["content-length"], headers["connection"] = nil, nil
    headers["x-crowdsec-appsec-ip"] = ip
    headers["x-crowdsec-appsec-uri"] = ngx.var.request_uri
    headers["x-crowdsec-appsec-verb"] = ngx.var.request_method
    headers["x-crowdsec-appsec-api-key"] = conf.API_KEY
    local status, said = http(conf.APPSEC_URL, body and "POST" or "GET",
                              headers, body)
    if status == 403 then
        return said:match('"action": *"(.-)"')
    end
    return nil
end


local function show(page, status)
    ngx.header.content_type = "text/html"
    ngx.header.cache_control = "no-cache"
    ngx.status = status
    ngx.say(page)
    ngx.exit(status)
end


local function ban()
    local status = tonumber(conf.RET_CODE) or 403
    if (conf.REDIRECT_LOCATION or "") ~= "" then
        return ngx.redirect(conf.REDIRECT_LOCATION)
    end
    local page = read(conf.BAN_TEMPLATE_PATH)
    if page ~= "" then
        return show(page, status)
    end
    return ngx.exit(status)
end


-- Every way out of it ends the access phase: what stands below a call of it
-- in the same block is not reached.
function _M.Allow(ip)
    if conf.ENABLE_INTERNAL == "false" and ngx.req.is_internal() then
        ngx.exit(ngx.DECLINED)
    end
    local kind = decision(ip)
    if not kind then
        cache:delete("captcha_" .. ip)
        if (conf.APPSEC_URL or "") ~= "" then
            kind = inspected(ip)
        end
    end
    local uri, state = cache:get("captcha_" .. ip)
    if uri and state == 1 and captcha_ok then
        ngx.req.read_body()
        if ngx.req.get_post_args()["g-recaptcha-response"] then
            cache:set("captcha_" .. ip, uri, 3600, 2)
            ngx.req.set_method(ngx.HTTP_GET)
            return ngx.redirect(uri)
        end
    end
    if kind == "captcha" and captcha_ok then
        if state ~= 2 and ngx.var.uri ~= "/favicon.ico" then
            cache:set("captcha_" .. ip, ngx.var.uri, 60, 1)
            return show(read(conf.CAPTCHA_TEMPLATE_PATH), 200)
        end
    elseif kind then
        return ban()
    end
    ngx.exit(ngx.DECLINED)
end


return _M
