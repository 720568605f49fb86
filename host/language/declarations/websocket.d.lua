export type Client = {
  send: (self: Client, data: string, kind?: integer) -> (boolean?, error?),
  ping: (self: Client) -> (boolean?, error?),
  channel: (self: Client) -> any,
  receive: (self: Client) -> any,
  close: (self: Client, code?: integer, reason?: string) -> (boolean?, error?),
}
local websocket: {
  connect: (url: string, options?: any) -> (any, error?),
  TEXT: integer,
  BINARY: integer,
  TYPE_TEXT: string,
  TYPE_BINARY: string,
  TYPE_PING: string,
  TYPE_PONG: string,
  TYPE_CLOSE: string,
  COMPRESSION: {[string]: integer},
  CLOSE_CODES: {[string]: integer},
}
return websocket
