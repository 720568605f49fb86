-- Fails the first three times it is started.
local function main(attempt)
    if attempt < 4 then
        error("not ready at attempt " .. attempt)
    end
    return "all is well"
end

return { main = main }
