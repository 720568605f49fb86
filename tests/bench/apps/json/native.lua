-- The same with lua-cjson; runs in its own folder's place, given as the path of this file.
package.path = arg[0]:gsub("native%.lua$", "?.lua")
local json = require("cjson")
local document = require("document")

local count = math.tointeger(arg[1])
local text = json.encode(document)
local best = math.huge
for _ = 1, 5 do
    local start = os.clock()
    for _ = 1, count do
        local decoded = json.decode(json.encode(document))
        assert(decoded.total == document.total)
    end
    best = math.min(best, os.clock() - start)
end
print(string.format('{"seconds": %.9f, "bytes": %d}', best, #text))
