local crypto: {
  random: {
    bytes: (length: integer) -> (string, error?),
    string: (length: integer, charset?: string) -> (string, error?),
    uuid: () -> (string, error?),
  },
  hmac: {
    sha256: (key: string, data: string) -> (string, error?),
    sha512: (key: string, data: string) -> (string, error?),
  },
  encrypt: {
    aes: (data: string, key: string, aad?: string) -> (string?, error?),
    chacha20: (data: string, key: string, aad?: string) -> (string?, error?),
  },
  decrypt: {
    aes: (data: string, key: string, aad?: string) -> (string?, error?),
    chacha20: (data: string, key: string, aad?: string) -> (string?, error?),
  },
  jwt: {
    encode: (payload: table, key: string, algorithm?: string) -> (string?, error?),
    verify: (token: string, key: string, algorithm?: string, require_exp?: boolean) -> ({[string]: any}?, error?),
  },
  pbkdf2: (password: string, salt: string, iterations: integer, key_length: integer, hash?: string) -> (string?, error?),
  -- Argon2id as PHC strings. The memory is in KiB (19456 unless told), the time in passes (2), the parallelism in lanes (1).
  argon2: {
    hash: (password: string, options?: {memory: integer?, time: integer?, parallelism: integer?}) -> (string?, error?),
    verify: (password: string, hash: string) -> (boolean?, error?),
  },
  constant_time_compare: (a: string, b: string) -> boolean,
}
return crypto
