local check = require("check")
local json = require("json")

check.case("the formats", function()
    for name, format in pairs({
        JSON = "json/plain",
        YAML = "yaml/plain",
        STRING = "text/plain",
        BYTES = "application/octet-stream",
        MSGPACK = "application/msgpack",
        LUA = "lua/any",
        GOLANG = "golang/any",
        ERROR = "golang/error",
    }) do
        check.equal(payload.format[name], format, name)
    end
end)

check.case("a payload of any value gives it back", function()
    for _, value in ipairs({ 1, 1.5, "text", true, false, { a = { 1, 2 } }, "" }) do
        local got = payload.new(value)
        check.equal(got:get_format(), payload.format.LUA)
        check.equal(got:data(), value)
        check.equal(got:unmarshal(), value)
    end
    check.is_nil(payload.new(nil):data())
end)

check.case("a payload of an error has its format", function()
    local got = payload.new(errors.new({ message = "m", kind = errors.CONFLICT }))
    check.equal(got:get_format(), payload.format.ERROR)
    check.equal(got:data():kind(), errors.CONFLICT)
end)

check.case("transcoding to JSON and back", function()
    local text = payload.new({ name = "test", list = { 1, 2 } }):transcode(payload.format.JSON)
    check.equal(text:get_format(), "json/plain")
    check.equal(text:unmarshal(), { name = "test", list = { 1, 2 } })
    local data = text:data()
    if type(data) == "string" then
        check.equal(json.decode(data), { name = "test", list = { 1, 2 } })
    end
    check.equal(text:transcode(payload.format.LUA):data(), { name = "test", list = { 1, 2 } })
end)

check.case("transcoding to YAML and back", function()
    local text = payload.new({ name = "test", list = { 1, 2 } }):transcode(payload.format.YAML)
    check.equal(text:get_format(), "yaml/plain")
    check.equal(type(text:data()), "string")
    check.equal(text:unmarshal(), { name = "test", list = { 1, 2 } })
end)

check.case("transcoding to MessagePack and back keeps integers", function()
    local packed = payload.new({ 1, 1.0, "x", -5 }):transcode(payload.format.MSGPACK)
    check.equal(packed:get_format(), "application/msgpack")
    check.equal(packed:unmarshal(), { 1, 1.0, "x", -5 })
end)

check.case("an unknown format, or a value that cannot be encoded, is an error", function()
    local _, err = payload.new(1):transcode("no/such")
    check.equal(type(err), "userdata")
    local cycle = {}
    cycle.self = cycle
    local value
    value, err = payload.new({ 1 }):transcode(payload.format.JSON)
    check.is_nil(err)
    check.equal(value:get_format(), "json/plain")
    local ok, made, made_err = pcall(payload.new, cycle)
    if ok and made then
        made, made_err = made:transcode(payload.format.JSON)
    end
    check.is_true(not ok or made == nil and type(made_err) == "userdata")
end)

check.case("fields read on a payload are nil", function()
    check.is_nil(payload.new({ a = 1 }).a)
    check.is_nil(payload.new({ a = 1 })[1])
end)

check.case("a payload in a message arrives as its value", function()
    local ch = process.listen("payload")
    process.send(process.pid(), "payload", payload.new({ x = 1 }))
    check.equal(check.receive(ch), { x = 1 })
    process.unlisten(ch)
end)

check.case("mixed tables within each other take no longer than others", function()
    local deep = { 1 }
    for _ = 1, 50 do
        deep = { deep, x = 1 }
    end
    check.equal(process.send(process.pid(), "deep", deep), true)
    check.equal(check.receive(process.listen("deep")), deep)
end)

return { main = check.main }
