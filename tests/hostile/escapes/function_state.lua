-- attack: what one call leaves behind for the next
-- stopped by: a fresh image for each call
-- ends: ok
-- modules: funcs

local function main(role)
    if role == "function" then
        local seen = _G.left_behind
        _G.left_behind = true
        return seen == nil
    end
    for _ = 1, 5 do
        assert(require("funcs").call("tenant:function_state_function", "function") == true)
    end
    return true
end

return { main = main }
