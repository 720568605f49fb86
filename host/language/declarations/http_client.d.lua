export type Response = {
  status_code: integer,
  body?: any,
  body_size: integer,
  headers: {[string]: any},
  cookies: any,
  url: string,
  stream?: any,
}
local http_client: {
  get: (url: string, options?: table) -> (Response?, error?),
  post: (url: string, options?: table) -> (Response?, error?),
  put: (url: string, options?: table) -> (Response?, error?),
  patch: (url: string, options?: table) -> (Response?, error?),
  delete: (url: string, options?: table) -> (Response?, error?),
  head: (url: string, options?: table) -> (Response?, error?),
  options: (url: string, options?: table) -> (Response?, error?),
  request: (method: string, url: string, options?: table) -> (Response?, error?),
  request_batch: (requests: table) -> (any, any),
  encode_uri: (text: string) -> string,
  decode_uri: (text: string) -> (string?, error?),
}
return http_client
