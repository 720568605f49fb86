local function main(url)
    local resp, err = require("http_client").get(url)
    if err then
        return err:kind() .. ": " .. err:message()
    end
    return resp.status_code
end

local function connect(url)
    local client, err = require("websocket").connect(url)
    if err then
        return err:kind() .. ": " .. err:message()
    end
    client:close()
    return "connected"
end

return { main = main, connect = connect }
