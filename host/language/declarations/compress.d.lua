type Codec = {
  encode: (data: string, options?: {level?: integer}) -> (string, error?),
  decode: (data: string, options?: {max_size?: integer}) -> (string?, error?),
}
local compress: {
  gzip: Codec,
  deflate: Codec,
  zlib: Codec,
  brotli: Codec,
  zstd: {
    encode: (data: string, options?: {level?: integer, dict?: string}) -> (string, error?),
    decode: (data: string, options?: {max_size?: integer, dict?: string}) -> (string?, error?),
    train_dict: (samples: {string}, options?: {size?: integer, id?: integer, level?: integer}) -> (string?, error?),
    inspect_dict: (dict: string) -> ({id: integer, content_size: integer}?, error?),
  },
}
return compress
