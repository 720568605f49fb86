type Config = { host: string @min_len(1), port: integer @min(1) @max(65535) }

return { Config = Config }
