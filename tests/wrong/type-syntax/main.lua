local function main(a: {string, b: number}: string)
    return a
end

return { main = main }
