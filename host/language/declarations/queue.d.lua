export type Message = {
  id: (self: Message) -> (string, error?),
  header: (self: Message, name: string) -> (any, error?),
  headers: (self: Message) -> ({[string]: any}, error?),
  attempts: (self: Message) -> (integer, error?),
  ack: (self: Message) -> (boolean, error?),
  nack: (self: Message) -> (boolean, error?),
}
export type Info = {message_count: integer, ready: integer, in_flight: integer, consumer_count: integer, [string]: any}
local queue: {
  publish: (id: string, data: any, headers?: {[string]: any}, options?: {delay: any}) -> (boolean, error?),
  message: () -> (Message, error?),
  info: (id: string) -> (Info, error?),
  stats: (id: string) -> (Info, error?),
}
return queue
