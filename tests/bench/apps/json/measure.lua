local document = require("document")
local json = require("json")
local time = require("time")

-- The shortest of five runs.
local function main(count)
    local text = assert(json.encode(document))
    local best = math.huge
    for _ = 1, 5 do
        local start = time.now()
        for _ = 1, count do
            local decoded = json.decode(json.encode(document))
            assert(decoded.total == document.total)
        end
        best = math.min(best, time.now():sub(start):seconds())
    end
    return { seconds = best, bytes = #text }
end

return { main = main }
