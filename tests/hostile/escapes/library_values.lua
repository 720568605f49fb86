-- attack: functions of the libraries called with what they do not expect
-- stopped by: checks of arguments
-- ends: ok | LimitExceeded memory | LimitExceeded cpu_per_turn
-- modules: time, json, base64, uuid, hash

local function main()
    local values = { nil, true, -1, 0 / 0, math.huge, math.mininteger, "", ("x"):rep(1000), "\xff\0", {}, print, coroutine.create(print), channel.new(), process.inbox(),
        errors.new("x"), setmetatable({}, { __index = function() error("no") end, __len = function() return {} end, __tostring = function() return 1 end }) }
    local skipped = { exec = true, receive = true, wrap = true, spawn = true, terminate = true, upgrade = true, yield = true }
    local count = 0
    for _, library in ipairs({ string, table, math, os, utf8, errors, channel, process, coroutine, process.registry, base64, json, uuid, hash, time }) do
        for name, value in pairs(library) do
            if type(value) == "function" and not skipped[name] and name ~= "sleep" then
                for index = 1, 16 do
                    local one, other = values[index], values[17 - index]
                    coroutine.wrap(function()
                        pcall(value, one)
                        pcall(value, one, other)
                        pcall(value, other, one, one)
                    end)()
                    count = count + 1
                end
            end
        end
    end
    assert(count > 500, count)
    return true
end

return { main = main }
