local native = ...
local Request, Response = {}, {}
Request.__index, Request.__name, Request.__metatable = Request, "Request", false
Response.__index, Response.__name, Response.__metatable = Response, "Response", false

for _, name in ipairs({
    "query", "query_params", "header", "headers", "param", "params", "body", "body_json", "is_content_type", "accepts",
    "parse_multipart", "stream",
}) do
    local call = native[name]
    Request[name] = function(_, ...)
        return call(...)
    end
end

for _, name in ipairs({
    "method", "path", "host", "remote_addr", "content_type", "content_length", "has_body",
}) do
    Request[name] = function(self)
        return self[1][name]
    end
end

for _, name in ipairs({
    "set_status", "set_header", "set_content_type", "set_transfer", "write", "write_json", "write_event", "flush",
}) do
    local call = native[name]
    Response[name] = function(self, ...)
        local ok, err = call(...)
        if err then
            return nil, err
        end
        return self
    end
end

local http = { address = native.address }
for _, name in ipairs({ "METHOD", "STATUS", "CONTENT", "TRANSFER", "ERROR" }) do
    http[name] = native[name]
end

function http.request(options)
    local facts, err = native.request(options)
    if err then
        return nil, err
    end
    return setmetatable({ facts }, Request)
end

function http.response()
    local _, err = native.response()
    if err then
        return nil, err
    end
    return setmetatable({}, Response)
end

return http
