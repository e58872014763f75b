-- How much of what arrives the service is asked about.  While it has more
-- questions than it can judge, its answers say which part of them it wants
-- (docs/headers.md, X-Botsieve-Ask); the rest is spared it for a moment.
--
-- Law of the file: a part that is not a whole number from 1 to 100 was not
-- said.  It is forgotten a tenth of a second after it was said last, by a clock
-- that nobody sets: a service that is gone is asked again.


local clock = require "resty.botsieve.clock"


local find = string.find
local floor = math.floor
local monotonic_s = clock.monotonic_s
local random = math.random
local tonumber = tonumber
local ngx = ngx


local FOR_MS = 100
local ALL = 100
-- Kept as one number: the millisecond, whether who is spared is refused, and
-- the part.  So no worker reads one half of an old word and one of a new one.
local PART = "ask"
local MOMENT, REFUSED = 256, 128
local UNASKED = "unasked"


local _M = {}


-- 1 to 100, nil for anything else.
function _M.part_of(said)
    if not said or not find(said, "^%d%d?%d?$") then
        return nil
    end
    local part = tonumber(said)
    return part >= 1 and part <= ALL and part or nil
end


-- Keeps what an answer of the service says, for all workers.
function _M.keep(dict, said, refuses)
    local part = _M.part_of(said)
    local now_s = part and monotonic_s()
    if not dict or not now_s then
        return
    end
    local word = floor(now_s * 1000) * MOMENT + part
    local _, err = dict:set(PART, refuses and word + REFUSED or word)
    if err then
        ngx.log(ngx.ERR, "botsieve: cannot keep how much to ask: ", err)
    end
end


-- The part to ask now, and whether the others are refused.  nil: all; nothing
-- was said, or it is over.
function _M.part(dict)
    local word = dict and dict:get(PART)
    local now_s = word and monotonic_s()
    if not now_s or now_s * 1000 - floor(word / MOMENT) > FOR_MS then
        return nil
    end
    local low = word % MOMENT
    if low >= REFUSED then
        return low - REFUSED, true
    end
    return low, false
end


-- Is this request among those that are spared?  Drawn for each: who could
-- tell beforehand which one is not looked at would send that one.
function _M.is_spared(part)
    return random(ALL) > part
end


-- Counts one that was spared, for the service.
function _M.count(dict)
    local _, err = dict:incr(UNASKED, 1, 0)
    if err then
        ngx.log(ngx.ERR, "botsieve: cannot count: ", err)
    end
end


-- How many were spared since this nginx started.  Costs nothing where there
-- never was an overload.
function _M.spared(dict)
    return dict:get(PART) and dict:get(UNASKED) or 0
end


return _M
