-- Answers one request.
local function main(how, client, text)
    if text == "" then
        error("nothing to " .. how)
    end
    process.send(client, "answer", string[how](text))
end

return { main = main }
