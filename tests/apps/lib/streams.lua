-- Writers and readers in memory, for what takes files and streams of any kind.
local streams = {}

-- Collects what is written.
function streams.sink()
    local pieces = {}
    return {
        write = function(_, bytes)
            pieces[#pieces + 1] = bytes
            return #bytes
        end,
        all = function()
            return table.concat(pieces)
        end,
    }
end

-- Gives bytes in pieces of `step`.
function streams.source(bytes, step)
    local at = 1
    return {
        read = function()
            local piece = bytes:sub(at, at + step - 1)
            at = at + step
            return piece ~= "" and piece or nil
        end,
    }
end

return streams
