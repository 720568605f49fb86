export type Point = { x: number, y: number }
export type Shape = { kind: "circle", centre: Point, radius: number } | { kind: "polygon", points: {Point} }

type Measure = (shape: Shape) -> number

local area: Measure = function(shape: Shape): number
    if shape.kind == "circle" then
        return math.pi * shape.radius ^ 2
    end
    return 0
end

local function fail(): never
    error("typed failure") -- line 14
end

return { area = area, fail = fail }
