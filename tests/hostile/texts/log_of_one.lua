-- attack: a single record of megabytes
-- stopped by: the longest record that is written
-- ends: ok
-- modules: logger

local function main()
    local text = ("x"):rep(4000000)
    print(text)
    require("logger"):info(text, { text = text })
    local fields = {}
    for number = 1, 20000 do
        fields["field" .. number] = ("x"):rep(100)
    end
    require("logger"):info("fields", fields)
    require("logger"):named(text):info("named")
    return true
end

return { main = main }
