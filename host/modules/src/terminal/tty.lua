-- Events of the terminal as a channel, and bindings of keys to what they do.
local native, kit = ...

local measure = kit.part("measure")
local style = kit.part("style", measure)
local Decoder = kit.methods("Decoder")

-- Events that wait for the process; whoever does not take them stops the reading.
local BUFFER = 64

local tty = {
    style = style.new, borders = style.borders, align = { LEFT = 0, CENTER = 0.5, RIGHT = 1 }, text = measure.text,
}

-- The channel that events come through, and whether they come.
local events, running

local function send(to, event)
    return pcall(to.send, to, event)
end

local function read(to)
    local decoder, bytes = native.decoder(), nil
    repeat
        bytes = native.read()
        for _, event in ipairs(bytes and Decoder.decode(decoder, bytes) or {}) do
            if not send(to, event) then
                return
            end
        end
    until not bytes
    pcall(to.close, to)
    if events == to then
        events = nil
    end
end

local function watch(to, width, height)
    while width do
        width, height = native.resized(width, height)
        if not width or not send(to, { type = "resize", width = width, height = height }) then
            return
        end
    end
end

function tty.start()
    local _, err = native.start()
    if err then
        return nil, err
    elseif running then
        return true
    end
    running, events = true, events or channel.new(BUFFER)
    local width, height = native.size()
    if width then
        send(events, { type = "start", width = width, height = height })
    end
    coroutine.spawn(read, events)
    coroutine.spawn(watch, events, width, height)
    return true
end

function tty.stop()
    local _, err = native.stop()
    if err then
        return nil, err
    end
    running = false
    -- Who reads for it ends with it, and does not take what comes after the next start.
    local to = events
    events = nil
    if to then
        pcall(to.close, to)
    end
    return true
end

function tty.events()
    local ok, err = native.check()
    if not ok then
        return nil, err
    end
    events = events or channel.new(BUFFER)
    return events
end

function tty.screen_size()
    local width, height = native.size()
    if not width then
        return nil, nil, height
    end
    return width, height
end

function tty.mouse(enable)
    local _, err = native.mouse(enable ~= false)
    if err then
        return nil, err
    end
    return true
end

local Binding = {}
Binding.__index, Binding.__name, Binding.__metatable = Binding, "KeyBinding", false

local bindings = setmetatable({}, { __mode = "k" })

-- Takes a pattern such as `ctrl+shift+a` apart.
local function pattern(text)
    local held, rest = {}, text
    while true do
        local name, after = rest:match("^(%a+)%+(.+)$")
        if not name or not ({ ctrl = true, alt = true, shift = true })[name:lower()] then
            return { key = rest, held = held }
        end
        held[name:lower()], rest = true, after
    end
end

function tty.bind(config)
    if type(config) ~= "table" or type(config.keys) ~= "table" then
        error("bad argument #1 to 'bind' (a table with `keys` expected)", 2)
    end
    local made = { patterns = {}, enabled = true, help = { key = "", desc = "" } }
    for _, text in ipairs(config.keys) do
        if type(text) ~= "string" or text == "" then
            error("bad argument #1 to 'bind' (`keys` must be a list of strings)", 2)
        end
        table.insert(made.patterns, pattern(text))
    end
    if type(config.help) == "table" then
        made.help = { key = tostring(config.help.key or ""), desc = tostring(config.help.desc or "") }
    end
    local binding = setmetatable({}, Binding)
    bindings[binding] = made
    return binding
end

local function fits(wanted, event)
    if (wanted.held.ctrl or false) ~= (event.ctrl or false) or (wanted.held.alt or false) ~= (event.alt or false) then
        return false
    end
    local key = event.key
    if event.key_type ~= "runes" then
        return wanted.key:lower() == key and (wanted.held.shift or false) == (event.shift or false)
    elseif wanted.held.shift then
        return event.shift == true and type(key) == "string" and key:lower() == wanted.key:lower()
    end
    -- An upper-case letter says by itself that shift is held.
    return key == wanted.key
end

function Binding:matches(event)
    local inner = bindings[self]
    if type(event) ~= "table" or event.type ~= "key" or not inner.enabled then
        return false
    end
    for _, wanted in ipairs(inner.patterns) do
        if fits(wanted, event) then
            return true
        end
    end
    return false
end

function Binding:set_enabled(enabled)
    bindings[self].enabled = enabled and true or false
    return self
end

function Binding:is_enabled()
    return bindings[self].enabled
end

function Binding:help()
    local help = bindings[self].help
    return { key = help.key, desc = help.desc }
end

return tty
