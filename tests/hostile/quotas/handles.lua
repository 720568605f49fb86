-- attack: handles that each hold a large value
-- stopped by: quota.memory, to which what a handle holds is charged until it is released
-- ends: ok
-- modules: sql

local sql = require("sql")
local expect = require("expect")

-- Takes as many as there may be.
local function hoard(body)
    local kept = {}
    for number = 1, 60 do
        local ok, value, err = pcall(sql.as.binary, body)
        if not ok then
            value, err = nil, value
        end
        if not value then
            expect.refused("LimitExceeded", nil, err)
            assert(err:details().limit == "quota.memory", err:message())
            return #kept
        end
        kept[number] = value
    end
    error("everything was kept")
end

local function main()
    local body = ("x"):rep(3900000)
    local first = hoard(body)
    -- What is given back makes room: nothing refers to those of the first time any more.
    local second = hoard(body)
    assert(first > 10 and second > first / 2, second .. " after " .. first)
    return true
end

return { main = main }
