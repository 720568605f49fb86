local function polite()
    local events = process.events()
    print("polite is ready")
    while events:receive().kind ~= process.event.CANCEL do
    end
    print("polite says goodbye")
end

local function stubborn()
    local events = process.events()
    print("stubborn is ready")
    while true do
        events:receive()
        print("stubborn stays")
    end
end

return { polite = polite, stubborn = stubborn }
