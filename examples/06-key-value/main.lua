local io = require("io")
local client = require("client")

local function main()
    local pid = assert(process.spawn("app:store", "app:processes"))
    local store = client.connect(pid)

    assert(store:put("colour", "green"))
    assert(store:put("sizes", { 1, 2, 3 }))
    io.print("colour is " .. store:get("colour"))

    -- What comes back is a copy: changing it does not change the store.
    local sizes = store:get("sizes")
    table.insert(sizes, 4)
    io.print("my copy has " .. #sizes .. " sizes, the store has " .. #store:get("sizes"))

    io.print("deleted: " .. tostring(store:delete("colour")))
    local _, err = store:get("colour")
    io.print("error: " .. err:message() .. " (" .. err:kind() .. ")")

    -- The checker would not let this pass; the cast hides it, and the store finds it.
    _, err = store:put(42 :: any, "a wrong key")
    io.print("refused: " .. err:message())

    assert(process.terminate(pid))
    _, err = store:get("sizes")
    io.print("after its end: " .. err:kind())
end

return { main = main }
