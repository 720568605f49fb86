export type Duration = {
  nanoseconds: (self: Duration) -> integer,
  microseconds: (self: Duration) -> integer,
  milliseconds: (self: Duration) -> integer,
  seconds: (self: Duration) -> number,
  minutes: (self: Duration) -> number,
  hours: (self: Duration) -> number,
  [string]: any,
}
export type Timer = {
  channel: (self: Timer) -> Channel<any>,
  response: (self: Timer) -> Channel<any>,
  stop: (self: Timer) -> any,
  reset: (self: Timer, duration: any) -> any,
}
local time: {
  now: () -> any,
  date: (...any) -> any,
  unix: (seconds: number, nanoseconds?: number) -> any,
  parse: (...any) -> (any, error?),
  parse_duration: (duration: any) -> (any, error?),
  load_location: (name: string) -> (any, error?),
  fixed_zone: (name: string, offset: integer) -> any,
  sleep: (duration: string | number | Duration | userdata) -> any,
  after: (duration: string | number | Duration | userdata) -> Channel<any>,
  timer: (duration: string | number | Duration | userdata) -> any,
  ticker: (duration: string | number | Duration | userdata) -> any,
  [string]: any,
}
return time
