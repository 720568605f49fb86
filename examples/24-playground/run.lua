-- POST /run: the body is Lua of a stranger. The answer has its result or error, what it printed, and how long it took.

local eval_runner = require("eval_runner")
local http = require("http")
local json = require("json")

-- Runs before the stranger's code, in the same process: `print` collects lines, and the clock says how long it took.
local FRAME = [[
local started, lines = os.clock(), {}
print = function(...)
    local texts = {}
    for index = 1, select("#", ...) do
        texts[index] = tostring((select(index, ...)))
    end
    lines[#lines + 1] = table.concat(texts, "\t")
end
local function stranger() %s
end
local ok, result = pcall(stranger)
return { ok = ok, result = ok and result or tostring(result), log = lines, seconds = os.clock() - started }
]]

local function run()
    local request, response = http.request(), http.response()
    local source = request:body()
    local outcome, err = eval_runner.run({ source = (FRAME:gsub("%%s", function() return source end)) })
    response:set_content_type(http.CONTENT.JSON)
    if err then
        -- The code did not even come to its end: it does not compile, or a limit ended it.
        response:set_status(422)
        response:write(json.encode({ ok = false, kind = err:kind(), error = err:message(), details = err:details() }))
        return
    end
    response:write(json.encode(outcome))
end

return { run = run }
