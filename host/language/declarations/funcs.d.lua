export type Future = {
  response: (self: Future) -> Channel<any>,
  channel: (self: Future) -> Channel<any>,
  is_complete: (self: Future) -> boolean,
  is_canceled: (self: Future) -> boolean,
  result: (self: Future) -> (any, error?),
  error: (self: Future) -> (any, any),
  cancel: (self: Future) -> any,
}
export type Caller = {
  with_context: (self: Caller, values: table) -> Caller,
  with_actor: (self: Caller, actor: any) -> Caller,
  with_scope: (self: Caller, scope: any) -> Caller,
  with_options: (self: Caller, options: table) -> Caller,
  call: (self: Caller, id: string, ...any) -> (any, error?),
  async: (self: Caller, id: string, ...any) -> (Future, error?),
}
local funcs: {
  call: (id: string, ...any) -> (any, error?),
  async: (id: string, ...any) -> (Future, error?),
  new: () -> Caller,
}
return funcs
