local http = require("http")
local http_client = require("http_client")
local io = require("io")
local json = require("json")

local PROGRAMS = {
    "print('hello from a stranger') return 6 * 7",
    "return nothing.at.all",
    "return 1 +",
    "while true do end",
    "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
    "return io.open('/etc/passwd')",
}

local function main()
    local url = "http://" .. http.address("play:gateway") .. "/run"
    for _, program in ipairs(PROGRAMS) do
        local response = http_client.post(url, { body = program })
        local answer = json.decode(response.body)
        io.print(program)
        if answer.log then
            for _, line in ipairs(answer.log) do
                io.print("  printed", line)
            end
        end
        if answer.used then
            -- In steps, since it is never quite the same twice.
            local cpu, memory = answer.used.cpu_seconds, answer.used.memory_bytes
            io.print("  used", ("less than %d ms, %d MB"):format((cpu // 0.2 + 1) * 200, (memory >> 20) + 1))
        end
        if answer.ok then
            io.print("  result", answer.result)
        elseif answer.details and answer.details.limit then
            io.print("  ended", answer.kind, answer.details.limit, (answer.details.allowed // 1000000) .. " ms allowed")
        else
            io.print("  failed", answer.result or answer.error)
        end
    end
end

return { main = main }
