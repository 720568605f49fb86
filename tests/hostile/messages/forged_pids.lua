-- attack: pids that nobody was given
-- stopped by: the process table
-- ends: ok

local function main()
    local expect = require("expect")
    local own = process.pid()
    local forged = {
        "", "{", "}", "{}", "{|}", "{tenant:processes|}", "{tenant:processes|0x}", "{tenant:processes|0x0}", "{|0x1}",
        "{tenant:processes|0xffffffffffffffff}", "{tenant:processes|0xfffffffffffffffffffffffff}", "{tenant:processes|-0x1}",
        own:gsub("tenant", "neighbour"), own:gsub("tenant:processes", "driver:terminal"), own:sub(1, -2), own .. "}", " " .. own,
        own:gsub("0x", "0X"), own:gsub("0x", "0x0"), "node@" .. own, "{node@" .. own:sub(2), own:upper(), own .. "\0", ("{"):rep(1000),
        ("x"):rep(1000000), "{" .. ("x"):rep(1000000) .. "|0x1}", "\xff\xff", "@host", "{tenant:processes|\u{ff10}x1}",
    }
    for number = 1, 200 do
        forged[#forged + 1] = ("{tenant:processes|0x%x}"):format(number * 7919 * 65536 + 100)
    end
    for _, pid in ipairs(forged) do
        for _, act in ipairs({ "cancel", "terminate", "link", "monitor" }) do
            local ok, err = process[act](pid)
            assert(not ok and (err:kind() == "NotFound" or err:kind() == "Invalid"), act .. " " .. pid:sub(1, 80))
        end
        local ok, err = process.send(pid, "topic", 1)
        assert(not ok and (err:kind() == "NotFound" or err:kind() == "Invalid"), pid:sub(1, 80))
    end
    return true
end

return { main = main }
