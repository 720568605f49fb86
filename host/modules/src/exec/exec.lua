-- A command has one stream for each output, however often it is asked for; streams have scanners.
local native, kit = ...

local Process = kit.methods("Process")
local Stream = kit.methods("Stream")

for _, name in ipairs({ "stdout_stream", "stderr_stream" }) do
    local open = Process[name]
    local known = setmetatable({}, { __mode = "k" })
    Process[name] = function(self)
        if self ~= nil and known[self] then
            return known[self]
        end
        local stream, err = open(self)
        if stream then
            known[self] = stream
        end
        return stream, err
    end
end

local scanner
function Stream.scanner(self, split)
    scanner = scanner or kit.part("scanner")
    return scanner(self, split)
end

return { get = native.get }
