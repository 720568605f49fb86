-- attack: values whose metamethods lie to the encoder
-- stopped by: an encoder that calls no metamethods
-- ends: ok

local function main()
    local lie = setmetatable({}, {
        __index = function()
            error("asked")
        end,
        __len = function()
            return 1 << 40
        end,
        __pairs = function()
            error("asked")
        end,
        __tostring = function()
            error("asked")
        end,
        __name = "\27[31mliar",
        __metatable = "none",
    })
    process.send(process.pid(), "topic", lie)
    process.send(process.pid(), "topic", { lie })
    local inbox = process.inbox()
    return type(inbox:receive():payload():data()) == "table"
end

return { main = main }
