-- Tells whoever listens, if anybody does.
local function main(args)
    process.send("announcements", "announced", args.text)
end

return { main = main }
