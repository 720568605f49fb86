-- Runs under the name `main`.
local function main()
    print("this must not be seen")
end

return { main = main }
