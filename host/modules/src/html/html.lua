local native = ...
local Policy, Builder = {__name = "Policy", __metatable = false}, {__name = "AttrBuilder", __metatable = false}
Policy.__index, Builder.__index = Policy, Builder

local function check(method, kind, ...)
    for number = 1, select("#", ...) do
        local value = select(number, ...)
        if type(value) ~= kind then
            error(("bad argument #%d to '%s' (%s expected, got %s)"):format(number, method, kind, type(value)), 3)
        end
    end
    return {...}
end

local function rule(name, kind)
    Policy[name] = function(self, ...)
        self[#self + 1] = {name, check(name, kind, ...)}
        return self
    end
end
rule("allow_elements", "string")
rule("allow_url_schemes", "string")
for _, name in ipairs{"allow_relative_urls", "require_parseable_urls", "require_nofollow_on_links",
    "require_noreferrer_on_links", "add_target_blank_to_fully_qualified_links"} do
    Policy[name] = function(self, on, ...)
        if on == nil then on = true end
        self[#self + 1] = {name, check(name, "boolean", on)}
        return self
    end
end
for _, name in ipairs{"allow_standard_urls", "allow_images", "allow_data_uri_images", "allow_lists", "allow_tables",
    "allow_standard_attributes"} do
    Policy[name] = function(self)
        self[#self + 1] = {name, {}}
        return self
    end
end

function Policy:allow_attrs(...)
    return setmetatable({policy = self, names = check("allow_attrs", "string", ...)}, Builder)
end
function Policy:sanitize(...) return native.sanitize(self, ...) end

function Builder:matching(pattern)
    local _, err = native.pattern(pattern)
    if err then return nil, err end
    self.pattern = pattern
    return self
end
local function finish(self, elements)
    local policy = self.policy
    policy[#policy + 1] = {"attrs", self.names, self.pattern or false, elements}
    return policy
end
function Builder:on_elements(...) return finish(self, check("on_elements", "string", ...)) end
function Builder:globally() return finish(self, true) end

local function preset(name)
    return function() return setmetatable({{name, {}}}, Policy) end
end
return {sanitize = {new_policy = preset("empty"), ugc_policy = preset("ugc"), strict_policy = preset("empty")}}
