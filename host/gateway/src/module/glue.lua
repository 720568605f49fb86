-- Runs once for each request: what most programs do not use is made when it is first asked for.
local native, kit = ...
local call = native.call

local FACTS = {
    method = true, path = true, host = true, remote_addr = true, content_type = true, content_length = true,
    has_body = true,
}
local QUESTIONS = {
    query = true, query_params = true, header = true, headers = true, param = true, params = true, body = true,
    body_json = true, is_content_type = true, accepts = true, stream = true,
}
local ACTS = {
    set_status = true, set_header = true, set_content_type = true, set_transfer = true, write = true,
    write_json = true, write_event = true, flush = true,
}
local CONSTANTS = { METHOD = true, STATUS = true, CONTENT = true, TRANSFER = true, ERROR = true }

local function class(name, make)
    local methods = setmetatable({}, {
        __index = function(methods, key)
            local method = make(key)
            rawset(methods, key, method)
            return method
        end,
    })
    return { __index = methods, __name = name, __metatable = false }
end

-- The form of the request, once it was parsed: its body comes only once.
local form

local Request = class("Request", function(key)
    if FACTS[key] then
        return function(self)
            return self[1][key]
        end
    elseif key == "parse_multipart" then
        return function(_, ...)
            if form then
                return form
            end
            local parsed, err = call(key, ...)
            if err then
                return nil, err
            end
            form = parsed
            return form
        end
    elseif QUESTIONS[key] then
        return function(_, ...)
            return call(key, ...)
        end
    end
end)

-- Makes the body of the answer as a stream; few programs want one.
local body

local Response = class("Response", function(key)
    if key == "stream" then
        return function()
            body = body or kit.part("body", call, class)
            return body()
        end
    elseif ACTS[key] then
        return function(self, ...)
            local _, err = call(key, ...)
            if err then
                return nil, err
            end
            return self
        end
    end
end)

local constants = {}
local http = setmetatable({}, {
    __index = function(_, key)
        if CONSTANTS[key] and not constants[key] then
            constants[key] = call("constants", key)
        end
        return constants[key]
    end,
    __metatable = false,
})

function http.address(id)
    return call("address", id)
end

function http.request(options)
    local facts, err = call("request", options)
    if err then
        return nil, err
    end
    return setmetatable({ facts }, Request)
end

function http.response()
    local _, err = call("response")
    if err then
        return nil, err
    end
    return setmetatable({}, Response)
end

return http
