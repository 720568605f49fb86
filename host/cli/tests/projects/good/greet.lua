local io = require("io")

return { main = function(name) io.print("hello " .. name) end }
