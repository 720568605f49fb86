-- Cuts what a stream gives into tokens. Returns a function that makes a scanner for anything with `read(count)`.
local LARGEST = 1048576
local CHUNK = 32768

local Scanner = { __name = "Scanner" }
Scanner.__index = Scanner

-- Each finds the first token of the text from `at` on: start and end of the token, and where the rest begins. Nothing: more is needed.
local splits = {}

function splits.lines(text, at, ended)
    local stop = string.find(text, "\n", at, true)
    if not stop then
        if not ended or at > #text then
            return nil
        end
        stop = #text + 1
    end
    local last = stop - 1
    if last >= at and string.byte(text, last) == 13 then
        last = last - 1
    end
    return at, last, stop + 1
end

function splits.words(text, at, ended)
    local first = string.find(text, "%S", at)
    if not first then
        return nil, nil, #text + 1
    end
    local stop = string.find(text, "%s", first)
    if stop then
        return first, stop - 1, stop + 1
    elseif ended then
        return first, #text, #text + 1
    end
    return nil, nil, first
end

function splits.bytes(text, at)
    if at <= #text then
        return at, at, at + 1
    end
end

function splits.runes(text, at, ended)
    local byte = string.byte(text, at)
    if not byte then
        return nil
    end
    local length = byte < 0xC2 and 1 or byte < 0xE0 and 2 or byte < 0xF0 and 3 or byte < 0xF5 and 4 or 1
    if at + length - 1 > #text then
        if not ended then
            return nil
        end
        length = 1
    end
    local valid = length == 1 or utf8.len(text, at, at)
    length = valid and length or 1
    return at, at + length - 1, at + length
end

function Scanner:scan()
    if self.failure then
        return false, self.failure
    end
    while true do
        local first, last, rest = self.split(self.buffer, self.at, self.ended)
        if rest then
            self.at = rest
        end
        if first then
            self.token = string.sub(self.buffer, first, last)
            return true
        elseif self.ended then
            self.token = ""
            return false
        end
        local buffer = string.sub(self.buffer, self.at)
        if #buffer > LARGEST then
            self.failure = errors.new({ message = "token too long", kind = errors.LIMIT_EXCEEDED, retryable = false })
            self.token = ""
            return false, self.failure
        end
        local chunk, err = self.stream:read(CHUNK)
        if err then
            self.failure = err
            self.token = ""
            return false, err
        end
        self.ended = chunk == nil
        self.buffer = buffer .. (chunk or "")
        self.at = 1
    end
end

function Scanner:text()
    return self.token
end

function Scanner:err()
    return self.failure and tostring(self.failure) or nil
end

return function(stream, split)
    if split == nil then
        split = "lines"
    elseif type(split) ~= "string" then
        error("bad argument #1 to 'scanner' (string expected, got " .. type(split) .. ")", 3)
    end
    local cut = splits[split]
    if not cut then
        local message = "invalid split type: must be 'lines', 'words', 'bytes' or 'runes'"
        return nil, errors.new({ message = message, kind = errors.INVALID, retryable = false })
    end
    return setmetatable({ stream = stream, split = cut, buffer = "", at = 1, ended = false, token = "" }, Scanner)
end
