local library = { loaded = "library" }

function library.has_module()
    return type(base64) == "table" and require("base64") == base64
end

function library.fail()
    error("from the library") -- line 8
end

return library
