local check = require("check")
local uuid = require("uuid")

local DNS = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
local FORM = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

check.case("each version makes uuids of its own", function()
    for version, make in pairs({ [1] = uuid.v1, [4] = uuid.v4, [7] = uuid.v7 }) do
        local a, b = make(), make()
        check.match(a, FORM)
        check.is_true(a ~= b)
        check.equal(uuid.version(a), version)
        check.equal(uuid.variant(a), "RFC4122")
        check.is_true(uuid.validate(a))
    end
end)

check.case("v7 sorts by time", function()
    local last = uuid.v7()
    for _ = 1, 100 do
        local next_one = uuid.v7()
        check.is_true(next_one > last)
        last = next_one
    end
end)

check.case("v3 and v5 are what the standard says", function()
    check.equal(uuid.v3(DNS, "python.org"), "6fa459ea-ee8a-3ca4-894e-db77e160355e")
    check.equal(uuid.v5(DNS, "python.org"), "886313e1-3b8a-5372-9b90-0c9aee199e5d")
end)

check.case("validate takes anything", function()
    check.equal(uuid.validate("no"), false)
    check.equal(uuid.validate(""), false)
    check.equal(uuid.validate(42), false)
    check.equal(uuid.validate(nil), false)
    check.is_true(uuid.validate(DNS))
    check.is_true(uuid.validate(DNS:upper()))
end)

check.case("parse and format", function()
    local info = uuid.parse(DNS)
    check.equal(info.version, 1)
    check.equal(info.variant, "RFC4122")
    check.equal(math.type(info.timestamp), "integer")
    check.equal(uuid.format(DNS), DNS)
    check.equal(uuid.format(DNS, "standard"), DNS)
    check.equal(uuid.format(DNS, "simple"), (DNS:gsub("-", "")))
    check.equal(uuid.format(DNS, "urn"), "urn:uuid:" .. DNS)
    check.is_true(math.abs(uuid.parse(uuid.v7()).timestamp - os.time()) < 120)
end)

check.case("wrong input is Invalid", function()
    check.fails(errors.INVALID, uuid.version("no"))
    check.fails(errors.INVALID, uuid.variant("no"))
    check.fails(errors.INVALID, uuid.parse("no"))
    check.fails(errors.INVALID, uuid.format("no"))
    check.fails(errors.INVALID, uuid.format(DNS, "no such"))
    check.fails(errors.INVALID, uuid.v5("no", "name"))
    check.fails(errors.INVALID, uuid.v3("no", "name"))
    check.fails(errors.INVALID, uuid.version(5))
    check.fails(errors.INVALID, uuid.variant({}))
    check.fails(errors.INVALID, uuid.parse())
    check.fails(errors.INVALID, uuid.format(5))
    check.fails(errors.INVALID, uuid.format(DNS, 5))
    check.fails(errors.INVALID, uuid.v5(DNS))
end)

return { main = check.main }
