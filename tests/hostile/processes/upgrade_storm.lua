-- attack: upgrades into what is not there
-- stopped by: the check of the entry
-- ends: ok | NotFound | PermissionDenied | Invalid

local function main()
    for _ = 1, 100 do
        pcall(process.upgrade, "tenant:nothing")
        pcall(process.upgrade, "neighbour:ping")
        pcall(process.upgrade, ("x"):rep(100000))
    end
    return true
end

return { main = main }
