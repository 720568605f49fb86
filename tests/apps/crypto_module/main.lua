local check = require("check")
local crypto = require("crypto")

local function hex(bytes)
    return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

check.case("randomness has the length that was asked for", function()
    check.equal(#crypto.random.bytes(32), 32)
    check.is_true(crypto.random.bytes(16) ~= crypto.random.bytes(16))
    check.match(crypto.random.string(40), "^%w+$")
    check.match(crypto.random.string(40, "ab"), "^[ab]+$")
    check.match(crypto.random.uuid(), "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$")
    check.fails(errors.INVALID, crypto.random.bytes(0))
    check.fails(errors.INVALID, crypto.random.bytes(2000000))
    check.fails(errors.INVALID, crypto.random.string(5, ""))
    check.raises("number expected", crypto.random.bytes, {})
end)

check.case("message authentication codes", function()
    local text = "what do ya want for nothing?"
    check.equal(crypto.hmac.sha256("Jefe", text), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    check.equal(#crypto.hmac.sha512("Jefe", text), 128)
    check.fails(errors.INVALID, crypto.hmac.sha256("", text))
end)

check.case("what is encrypted is decrypted with the same key only", function()
    for _, cipher in ipairs({ "aes", "chacha20" }) do
        local encrypt, decrypt = crypto.encrypt[cipher], crypto.decrypt[cipher]
        local key = ("k"):rep(32)
        local secret = encrypt("attack at dawn\0", key)
        check.is_true(secret ~= encrypt("attack at dawn\0", key))
        check.equal(#secret, 12 + 15 + 16)
        check.equal(decrypt(secret, key), "attack at dawn\0")
        check.fails(errors.INTERNAL, decrypt(secret, ("x"):rep(32)))
        check.fails(errors.INTERNAL, decrypt(secret, key, "more"))
        check.equal(decrypt(encrypt("", key, "more"), key, "more"), "")
        check.fails(errors.INVALID, encrypt("data", "short"))
        check.fails(errors.INVALID, decrypt("short", key))
    end
    for _, length in ipairs({ 16, 24, 32 }) do
        local key = ("k"):rep(length)
        check.equal(crypto.decrypt.aes(crypto.encrypt.aes("data", key), key), "data")
    end
end)

check.case("tokens are signed and checked", function()
    for _, algorithm in ipairs({ "HS256", "HS384", "HS512" }) do
        local claims = { sub = "alice", admin = true, exp = os.time() + 60, roles = { "a", "b" } }
        local token = crypto.jwt.encode(claims, "secret", algorithm)
        check.equal(crypto.jwt.verify(token, "secret", algorithm), claims)
        check.fails(errors.INTERNAL, crypto.jwt.verify(token, "other", algorithm))
        check.fails(errors.INTERNAL, crypto.jwt.verify(token .. "x", "secret", algorithm))
    end
    local token = crypto.jwt.encode({ sub = "alice", _header = { kid = "1" } }, "secret")
    local _, err = crypto.jwt.verify(token, "secret")
    check.contains(err:message(), "exp")
    check.equal(crypto.jwt.verify(token, "secret", "HS256", false), { sub = "alice" })
    check.fails(errors.INTERNAL, crypto.jwt.verify(token, "secret", "HS512", false))
    local old = crypto.jwt.encode({ exp = os.time() - 1 }, "secret")
    local _, expired = crypto.jwt.verify(old, "secret")
    check.contains(expired:message(), "expired")
    check.fails(errors.INVALID, crypto.jwt.encode({ a = 1 }, "secret", "none"))
    check.fails(errors.INVALID, crypto.jwt.encode({ a = 1 }, "not a key", "RS256"))
end)

check.case("keys from passwords", function()
    local key = crypto.pbkdf2("password", "salt", 2, 32)
    check.equal(hex(key), "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43")
    check.equal(#crypto.pbkdf2("password", "salt", 5000, 20, "sha512"), 20)
    check.fails(errors.INVALID, crypto.pbkdf2("password", "salt", 10000001, 32))
    check.fails(errors.INVALID, crypto.pbkdf2("", "salt", 1, 32))
    check.fails(errors.INVALID, crypto.pbkdf2("password", "salt", 1, 32, "md5"))
end)

check.case("passwords are kept as hashes", function()
    local known = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
    check.equal(crypto.argon2.verify("password", known), true)
    check.equal(crypto.argon2.verify("Password", known), false)
    local cheap = { memory = 64, time = 1, parallelism = 2 }
    local hash = crypto.argon2.hash("s3cret\0\xff", cheap)
    check.match(hash, "^%$argon2id%$v=19%$m=64,t=1,p=2%$[%w+/]+%$[%w+/]+$")
    check.is_true(hash ~= crypto.argon2.hash("s3cret\0\xff", cheap))
    check.equal({ crypto.argon2.verify("s3cret\0\xff", hash), (crypto.argon2.verify("s3cret", hash)) }, { true, false })
    check.match(crypto.argon2.hash("password"), "^%$argon2id%$v=19%$m=19456,t=2,p=1%$")
    for _, options in ipairs({ { memory = 65537 }, { memory = 7 }, { time = 0 }, { time = 17 }, { parallelism = 17 }, { time = 1.5 }, { rounds = 2 } }) do
        check.fails(errors.INVALID, crypto.argon2.hash("password", options))
    end
    check.fails(errors.INVALID, crypto.argon2.hash(""))
    check.fails(errors.INVALID, crypto.argon2.verify("password", "password"))
    check.fails(errors.INVALID, crypto.argon2.verify("password", (known:gsub("m=256", "m=4194304"))))
end)

check.case("comparing", function()
    check.is_true(crypto.constant_time_compare("abc", "abc"))
    check.equal(crypto.constant_time_compare("abc", "abd"), false)
    check.equal(crypto.constant_time_compare("abc", "ab"), false)
end)

return { main = check.main }
