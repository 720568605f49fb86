type Point = {x: number, y: number?}
type List<T> = {T}
local function first<T>(list: {T}): T?
    return list[1]
end
local p: Point = {x = 1}
if p.y then
    print(p.y + 1)
end
local value = (first({1, 2}) :: any)
return {first = first}
