-- Arguments reach main as strings, and io.args() has them, too.
local function arguments(...)
    local args = io.args()
    assert(#args == select("#", ...), "main and io.args() differ")
    for index, argument in ipairs({ ... }) do
        assert(args[index] == argument, "main and io.args() differ")
    end
    io.print(json.encode(args))
end

-- Copies standard input line by line.
local function copies()
    local count = 0
    while true do
        local line, err = io.readline()
        if not line or err then
            break
        end
        count = count + 1
        io.print(count .. ": " .. (line:gsub("[\r\n]+$", "")))
    end
    io.print(count .. " lines")
end

-- Reads standard input in pieces of at most four bytes.
local function chunks()
    local pieces = {}
    while true do
        local piece = io.read(4)
        if not piece or piece == "" then
            break
        end
        assert(#piece <= 4)
        table.insert(pieces, piece)
    end
    io.write(table.concat(pieces))
end

local function writes()
    assert(io.write("no newline", 1, 2.5, true, "\n"))
    assert(io.print("tabs", nil, 3, errors.new("an error")))
    assert(io.print())
    assert(io.eprint("to standard error", 4))
    assert(io.flush())
    io.write("no newline at the end")
end

-- On another host the terminal does not exist.
local function elsewhere()
    local ok, err = io.print("never seen")
    return { ok = ok or false, kind = err and err:kind() }
end

local function spawns()
    local result, err = process.exec("app:elsewhere", "app:processes")
    if err then
        return nil, err
    end
    io.print(tostring(result.ok), result.kind)
end

return { arguments = arguments, copies = copies, chunks = chunks, writes = writes, elsewhere = elsewhere, spawns = spawns }
