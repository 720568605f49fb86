local hash: {
  md5: (data: string, raw?: boolean) -> (string, error?),
  sha1: (data: string, raw?: boolean) -> (string, error?),
  sha256: (data: string, raw?: boolean) -> (string, error?),
  sha512: (data: string, raw?: boolean) -> (string, error?),
  hmac_md5: (data: string, key: string, raw?: boolean) -> (string, error?),
  hmac_sha1: (data: string, key: string, raw?: boolean) -> (string, error?),
  hmac_sha256: (data: string, key: string, raw?: boolean) -> (string, error?),
  hmac_sha512: (data: string, key: string, raw?: boolean) -> (string, error?),
  fnv32: (data: string) -> (number?, error?),
  fnv64: (data: string) -> (number?, error?),
}
return hash
