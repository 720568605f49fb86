return { first = require("first") }
