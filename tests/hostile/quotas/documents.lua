-- attack: a table of millions of tiny values, each of which becomes a large one when the host reads it
-- stopped by: quota.memory, to which what a document weighs is charged before it is read
-- ends: ok
-- modules: yaml

local yaml = require("yaml")
local expect = require("expect")

local function main()
    local row = {}
    for number = 1, 1000 do
        row[number] = true
    end
    local rows = {}
    for number = 1, 3900 do
        rows[number] = row
    end
    local err = expect.refused("LimitExceeded", yaml.encode(rows))
    assert(err:details().limit == "quota.memory", err:message())
    return true
end

return { main = main }
