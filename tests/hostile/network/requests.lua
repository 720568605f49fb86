-- attack: requests to the machine itself, to private networks and to other servers, under every spelling
-- stopped by: allow.network, and private addresses that are granted by name only
-- ends: ok
-- modules: http_client

local http_client = require("http_client")
local expect = require("expect")

local TARGETS = {
    "127.0.0.1", "127.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "LOCALHOST", "localhost.",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1]", "[fd00::1]", "10.0.0.1", "172.16.0.1", "192.168.0.1",
    "169.254.169.254", "100.64.0.1", "93.184.216.34", "example.com", "granted.invalid.example.com", "granted.invalid:81",
    "granted.invalid:80@127.0.0.1", "127.0.0.1#granted.invalid", "granted.invalid%00.example.com", "granted.invalid\\.example.com",
}

local function main()
    for _, target in ipairs(TARGETS) do
        for _, scheme in ipairs({ "http", "https" }) do
            local url = scheme .. "://" .. target .. "/"
            local response, err = http_client.get(url, { timeout = "1s" })
            assert(not response, url)
            -- Some of them are no URL at all.
            local kind = err:kind()
            assert(kind == "PermissionDenied" or kind == "Invalid", url .. ": " .. kind .. ": " .. err:message())
        end
    end
    for _, method in ipairs({ "get", "post", "put", "patch", "delete", "head" }) do
        expect.refused("PermissionDenied", http_client[method]("http://127.0.0.1:1/"))
    end
    expect.refused("PermissionDenied", http_client.request("OPTIONS", "http://127.0.0.1:1/"))
    local responses, errs = http_client.request_batch({ { "GET", "http://127.0.0.1:1/" }, { "GET", "http://[::1]:1/" } })
    for number = 1, 2 do
        assert(not (responses and responses[number]), "a batch was let through")
        assert(errs[number]:kind() == "PermissionDenied", tostring(errs[number]))
    end
    expect.refused("PermissionDenied", http_client.get("http://granted.invalid/", { unix_socket = "/run/docker.sock" }))
    return true
end

return { main = main }
