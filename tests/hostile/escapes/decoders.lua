-- attack: documents that are none
-- stopped by: the decoders
-- ends: ok | LimitExceeded cpu_per_turn
-- modules: time, json, base64, uuid, hash

local function main()
    local seeds = { "", "\0", "\xff", "{", "[", '"', "nul", "tru", "-", "1e", "\"\\u12", "[1,", "{\"a\"", "\xef\xbb\xbf{}", "=", "====", "AAA", "A===", "QQ==\n", ("=") :rep(1000), "not-a-uuid", ("0"):rep(36), "ffffffff-ffff-ffff-ffff-ffffffffffff" }
    for _, text in ipairs(seeds) do
        for _, act in ipairs({ json.decode, base64.decode, uuid.parse, uuid.validate, uuid.version, hash.md5, hash.sha256, hash.fnv32 }) do
            if act then
                pcall(act, text)
                pcall(act, text:rep(100))
            end
        end
    end
    math.randomseed(1)
    for _ = 1, 3000 do
        local bytes = {}
        for number = 1, math.random(40) do
            bytes[number] = string.char(math.random(0, 255))
        end
        local text = table.concat(bytes)
        pcall(json.decode, text)
        pcall(json.decode, "[" .. text .. "]")
        pcall(base64.decode, text)
        pcall(uuid.parse, text)
        pcall(utf8.len, text)
        pcall(string.unpack, text, text)
        pcall(string.format, text, 1, 2, 3)
        pcall(string.find, text, text)
        pcall(string.gsub, text, text, text)
        pcall(time.parse, text, text)
        pcall(time.parse_duration, text)
    end
    return true
end

return { main = main }
