export type Event = {system: string, kind: string, path: string, data: any}
export type Subscription = {
  channel: (self: Subscription) -> Channel<Event>,
  close: (self: Subscription) -> any,
  lost: (self: Subscription) -> integer,
}
local events: {
  subscribe: (system: string, kind?: string) -> (Subscription?, error?),
  send: (system: string, kind: string, path: string, data?: any) -> (boolean?, error?),
}
return events
