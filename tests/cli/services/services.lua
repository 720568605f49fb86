-- Tells the process that counts starts. It may not be there yet.
local function tell(name, number)
    while not process.send("counter", "started", { name = name, number = number }) do
        time.sleep("2ms")
    end
end

local function crashing(name, number)
    tell(name, number)
    error("crashed")
end

local function normal(name, number)
    tell(name, number)
end

local function final(name, number)
    tell(name, number)
    return nil, errors.new({ message = "no use", retryable = false })
end

return { crashing = crashing, normal = normal, final = final }
