local http = require("http")
local http_client = require("http_client")
local io = require("io")
local json = require("json")

local function main()
    -- The server listens on a port that the system chose.
    local base = "http://" .. http.address("app:gateway")

    local function call(method: string, path: string, body: any)
        local text = type(body) == "table" and json.encode(body) or body
        local resp, err = http_client.request(method, base .. path, { body = text })
        if err then
            error(err)
        end
        io.print(method .. " " .. path .. (text and " " .. text or ""))
        io.print("  " .. resp.status_code .. (resp.body ~= "" and " " .. resp.body or ""))
        return resp
    end

    local created = call("POST", "/notes", { title = "Milk", tags = { "shop" } })
    local path = created.headers["Location"]
    call("POST", "/notes", { title = "Ink", text = "the black one" })

    -- What does not fit is refused, and says where and why.
    call("POST", "/notes", "{")
    call("POST", "/notes", { title = "" })
    call("POST", "/notes", { title = "Bread", tags = { "shop", "No!" } })
    call("POST", "/notes", { title = "Milk" })
    call("GET", "/notes/first")

    call("PUT", path, { title = "Milk", text = "two bottles", tags = { "shop", "soon" } })
    call("PUT", path, { title = "Ink" })
    call("GET", "/notes")
    call("DELETE", path)
    call("GET", path)
    call("PATCH", path)
end

return { main = main }
