-- The machine's clock that nobody sets: what is kept in shared memory is timed
-- by it, for nginx's own time is set back and forth with the machine's.
--
-- Law of the file: one function, which costs 50 ns and cannot raise.


local ffi = require "ffi"


local C = ffi.C
local pcall = pcall
local tonumber = tonumber


-- Names of our own: another module may have declared the function already,
-- with another type.
pcall(ffi.cdef, [[
typedef struct { long sec; long nsec; } botsieve_timespec;
int botsieve_clock_gettime(int clock, botsieve_timespec *now)
    __asm__("clock_gettime");
]])                                 -- an error: this file was loaded before
local MONOTONIC = 1
local timespec = ffi.new("botsieve_timespec")       -- scratch of the worker


local _M = {}


-- Seconds since some moment, the same for all workers; nil: there is no such
-- clock.
function _M.monotonic_s()
    if C.botsieve_clock_gettime(MONOTONIC, timespec) ~= 0 then
        return nil
    end
    return tonumber(timespec.sec) + tonumber(timespec.nsec) / 1e9
end


return _M
