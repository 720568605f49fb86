local function double(x: number): number
    local y: string = x
    return x * 2
end

return { double = double }
