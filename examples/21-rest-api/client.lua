local http = require("http")
local http_client = require("http_client")
local io = require("io")
local json = require("json")

local function main()
    -- The server listens on a port that the system chose.
    local base = "http://" .. http.address("app:gateway")

    local function call(method, path, body)
        local options = body and { body = json.encode(body) } or nil
        local resp, err = http_client.request(method, base .. path, options)
        if err then
            error(err)
        end
        io.print(method, (string.gsub(path, "%x+%-[%x-]+", "<id>")), resp.status_code, resp.body)
        return resp
    end

    call("POST", "/notes", { title = "" })
    call("POST", "/notes", { title = "Milk", tags = { 1 } })
    local created = call("POST", "/notes", { title = "Milk", tags = { "shop" } })
    local path = created.headers["Location"]
    call("GET", path)
    call("PUT", path, {})
    call("DELETE", path)
    call("GET", path)
end

return { main = main }
