-- attack: selects with absurd lists of cases
-- stopped by: the check of cases
-- ends: ok | Internal deadlock

local function main()
    local ch = channel.new()
    local cases = {}
    for number = 1, 20000 do
        cases[number] = ch:case_receive()
    end
    cases.default = true
    pcall(channel.select, cases)
    for _, list in ipairs({ {}, { 1 }, { {} }, { ch }, { default = 1 }, { print }, { ch:case_send(ch) } }) do
        pcall(channel.select, list)
    end
    assert(not pcall(channel.select))
    assert(not pcall(channel.select, 1))
    return true
end

return { main = main }
