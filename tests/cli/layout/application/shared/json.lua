return { name = "json" }
