-- attack: a text that is split into chunks which overlap nearly whole, of blanks, of which nothing stays
-- stopped by: limits.message_size, which chunks count for before they are trimmed; quota.memory
-- ends: ok
-- modules: text

local text = require("text")
local expect = require("expect")

local function main()
    local blanks = (" "):rep(3000000)
    local splitter = text.splitter.recursive({ chunk_size = 1000000, chunk_overlap = 999999, separators = { "" } })
    local err = expect.refused("LimitExceeded", splitter:split_text(blanks))
    assert(err:details().limit == "message_size", err:message())

    -- A copy for each chunk.
    splitter = text.splitter.recursive({ chunk_size = 1, chunk_overlap = 0 })
    local page = { content = ("a b "):rep(1000), metadata = { text = ("x"):rep(1000000) } }
    err = expect.refused("LimitExceeded", splitter:split_batch({ page }))
    assert(err:details().limit == "message_size", err:message())
    return true
end

return { main = main }
