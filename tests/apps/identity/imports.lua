local required = require("library")

local function main()
    local ok, err = pcall(library.fail)
    return {
        global = library.loaded,
        same = required == library,
        alias = utf8.loaded,
        modules_of_library = library.has_module(),
        modules_here = type(base64),
        failed = not ok,
        message = err,
    }
end

return { main = main }
