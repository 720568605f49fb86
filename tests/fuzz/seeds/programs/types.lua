type A = {kind: "a", n: integer} | {kind: "b", f: (number, string?) -> (boolean, ...any)}
type B = A & {extra: {[string]: A?}}
local function f(a: A): B?
    if a.kind == "a" then return nil end
    return a as B
end
return f
