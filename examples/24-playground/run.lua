-- POST /run: the body is Lua of a stranger. The answer has its result or error, what it printed, and what it used.

local eval_runner = require("eval_runner")
local http = require("http")
local json = require("json")

-- Runs around the stranger's code, in the same process: `print` collects lines, and the clock and the meter say what it used.
local FRAME = [[
local clock, meter, lines = os.clock, require("meter"), {}
local started = clock()
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
local used = { cpu_seconds = clock() - started, memory_bytes = meter.memory() }
if not ok then result = tostring(result) end
return { ok = ok, result = result, log = lines, used = used }
]]

local function run()
    local request, response = http.request(), http.response()
    local source = request:body()
    local outcome, err = eval_runner.run({
        source = (FRAME:gsub("%%s", function() return source end)),
        imports = { meter = "play:meter" },
    })
    response:set_content_type(http.CONTENT.JSON)
    if err then
        -- The code did not even come to its end: it does not compile, or a limit ended it, and then the details say what it used.
        response:set_status(422)
        response:write(json.encode({ ok = false, kind = err:kind(), error = err:message(), details = err:details() }))
        return
    end
    response:write(json.encode(outcome))
end

return { run = run }
