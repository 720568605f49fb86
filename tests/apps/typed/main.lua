local check = require("check")
local shapes = require("shapes")

check.case("annotations on locals, parameters and results", function()
    local count: integer = 3
    local name: string?, list: {number} = nil, { 1, 2 }
    local function add(a: number, b?: number, ...: number): (number, string?)
        local sum = a + (b or 0)
        for _, value: number in ipairs({ ... }) do
            sum = sum + value
        end
        return sum
    end
    check.equal({ add(1), (add(1, 2, 3, 4)) }, { 1, 10 })
    check.equal({ count, name, #list }, { 3, nil, 2 })
    for index: integer = 1, 2 do
        count = count + index
    end
    check.equal(count, 6)
end)

check.case("type declarations, also local to a block", function()
    type Pair<A, B> = { first: A, second: B }
    type Id = string @min_len(1) @max_len(64)
    do
        type Inner = { [string]: Pair<integer, boolean>, }
        local inner: Inner = { a = { first = 1, second = true } }
        check.equal(inner.a.first, 1)
    end
    local id: Id = "x"
    check.equal(id, "x")
end)

check.case("casts, non-nil, generics, function types, channels", function()
    local value: any = "5"
    check.equal((value :: string) .. "!", "5!")
    check.equal((value as string) .. "?", "5?")
    local maybe: { inner: { x: number }? } = { inner = { x = 7 } }
    check.equal(maybe.inner!.x, 7)
    local function id<T>(x: T): T
        return x
    end
    local function largest<T: number>(list: T[]): T?
        local best: T? = nil
        for _, item in ipairs(list) do
            if not best or item > best then
                best = item
            end
        end
        return best
    end
    check.equal({ id(1), id("a"), largest({ 3, 9, 4 }) }, { 1, "a", 9 })
    local twice: (number) -> number = function(x)
        return x * 2
    end
    check.equal(twice(4), 8)
    local ch: Channel<integer> = channel.new(1)
    ch:send(1)
    check.equal((ch:receive()), 1)
    local readonly_record: { readonly id: integer, note?: string; } = { id = 1 }
    check.equal(readonly_record.id, 1)
    local union: "a" | "b" | 1 | true | nil, both: { a: number } & { b: number } = "a", { a = 1, b = 2 }
    check.equal({ union, both.b }, { "a", 2 })
end)

check.case("the words of types are ordinary names elsewhere", function()
    local as, export, readonly, typeof = 1, 2, 3, 4
    local t = { as = as, type = 5, export = export, readonly = readonly }
    check.equal({ t.as, t.type, t.export, t.readonly, typeof }, { 1, 5, 2, 3, 4 })
    check.equal(type("x"), "string")
    local a, b = 6, 3
    check.is_true(a < b == false and a > b)
    local f = function(x)
        return x
    end
    check.equal({ f(a) < b, f (b) > (a) }, { false, false })
end)

check.case("types of a library", function()
    local circle: shapes.Shape = { kind = "circle", centre = { x = 0, y = 0 }, radius = 2 }
    check.is_true(math.abs(shapes.area(circle) - 4 * math.pi) < 1e-9)
end)

check.case("no line moves", function()
    type Long = {
        a: number,
        b: string,
    }
    check.contains(check.raises("typed failure", shapes.fail), "typed:shapes:14:")
    check.match(check.raises("here", function(): Long
        error("here")
    end), "^typed:main:91: here$")
end)

return { main = check.main }
