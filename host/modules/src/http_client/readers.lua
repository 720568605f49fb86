
-- Gives options in which each file has a content or a reader that the host reads by itself; nil and the error where one cannot be read.
return function(options)
    if type(options.files) ~= "table" then
        return options
    end
    local files
    for index, file in ipairs(options.files) do
        local reader = type(file) == "table" and file.content == nil and file.reader
        if reader and not native.sends(reader) and has(reader, "read") then
            local spool, err = spooled(reader)
            if not spool then
                return nil, err
            end
            -- The tables of the program stay as they are.
            files = files or table.move(options.files, 1, #options.files, 1, {})
            files[index] = { name = file.name, filename = file.filename, reader = spool }
        end
    end
    if not files then
        return options
    end
    local changed = {}
    for name, value in pairs(options) do
        changed[name] = value
    end
    changed.files = files
    return changed
end
