return { second = require("second") }
