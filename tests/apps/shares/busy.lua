-- Computes until it is ended.
local function main()
    local count = 0
    while true do
        count = count + 1
    end
end

return { main = main }
