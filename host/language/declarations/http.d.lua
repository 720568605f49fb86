export type HttpStream = {
  read: (self: HttpStream, size?: integer) -> (string?, error?),
  write: (self: HttpStream, data: string) -> (integer?, error?),
  seek: (self: HttpStream, whence: string, offset: integer) -> (integer?, error?),
  flush: (self: HttpStream) -> (boolean?, error?),
  stat: (self: HttpStream) -> (any, error?),
  close: (self: HttpStream) -> (boolean?, error?),
  scanner: (self: HttpStream, split?: string) -> (any, error?),
}
export type UploadedFile = {
  name: (self: UploadedFile) -> string,
  size: (self: UploadedFile) -> integer,
  header: (self: UploadedFile, name: string) -> string?,
  stream: (self: UploadedFile) -> (any, error?),
}
export type Request = {
  method: (self: Request) -> string,
  path: (self: Request) -> string,
  query: (self: Request, name: string) -> any,
  query_params: (self: Request) -> {[string]: string},
  header: (self: Request, name: string) -> any,
  headers: (self: Request) -> {[string]: string},
  content_type: (self: Request) -> any,
  content_length: (self: Request) -> integer,
  host: (self: Request) -> any,
  param: (self: Request, name: string) -> any,
  params: (self: Request) -> {[string]: string},
  body: (self: Request) -> (any, error?),
  body_json: (self: Request) -> (any, error?),
  has_body: (self: Request) -> boolean,
  is_content_type: (self: Request, content_type: string) -> boolean,
  accepts: (self: Request, content_type: string) -> boolean,
  remote_addr: (self: Request) -> string,
  parse_multipart: (self: Request, max_memory?: integer) -> (any, error?),
  stream: (self: Request) -> (any, error?),
}
export type HttpResponse = {
  set_status: (self: HttpResponse, code: integer) -> (any, error?),
  set_header: (self: HttpResponse, name: string, value: any) -> (any, error?),
  set_content_type: (self: HttpResponse, content_type: string) -> (any, error?),
  set_transfer: (self: HttpResponse, transfer: string) -> (any, error?),
  write: (self: HttpResponse, data: string) -> (any, error?),
  write_json: (self: HttpResponse, value: any) -> (any, error?),
  write_event: (self: HttpResponse, event: any) -> (any, error?),
  flush: (self: HttpResponse) -> (any, error?),
  stream: (self: HttpResponse) -> (HttpStream, error?),
}
local http: {
  request: (options?: any) -> (any, error?),
  response: () -> (any, error?),
  address: (id: string) -> (any, error?),
  METHOD: {[string]: string},
  STATUS: {[string]: integer},
  CONTENT: {[string]: string},
  TRANSFER: {[string]: string},
  ERROR: {[string]: string},
}
return http
