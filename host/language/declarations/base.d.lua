-- What every process finds without listing it.

export type Channel<T> = {
  send: (self: Channel<T>, value: T) -> boolean,
  receive: (self: Channel<T>) -> (T, boolean),
  close: (self: Channel<T>) -> (),
  case_receive: (self: Channel<T>) -> any,
  case_send: (self: Channel<T>, value: T) -> any,
}

export type Error = {
  kind: (self: any) -> string,
  message: (self: any) -> string,
  retryable: (self: any) -> boolean?,
  details: (self: any) -> any,
  stack: (self: any) -> any,
}

export type Payload = {
  data: (self: Payload) -> any,
  get_format: (self: Payload) -> string,
  transcode: (self: Payload, format: string) -> (Payload?, error?),
  unmarshal: (self: Payload) -> (any, error?),
}

export type Message = {
  topic: (self: Message) -> string,
  from: (self: Message) -> string?,
  payload: (self: Message) -> any,
}

type StringLibrary = {
  byte: (s: string | number, i?: integer, j?: integer) -> ...any,
  char: (...integer) -> string,
  dump: (f: Function, strip?: any) -> string,
  find: (s: string | number, pattern: string, init?: integer, plain?: any) -> ...any,
  format: (format: string, ...any) -> string,
  gmatch: (s: string | number, pattern: string) -> (...any) -> ...any,
  gsub: (s: string | number, pattern: string, replacement: any, n?: integer) -> (string, integer),
  len: (s: string | number) -> integer,
  lower: (s: string | number) -> string,
  match: (s: string | number, pattern: string, init?: integer) -> ...any,
  pack: (format: string, ...any) -> string,
  packsize: (format: string) -> integer,
  rep: (s: string | number, n: number, separator?: string) -> string,
  reverse: (s: string | number) -> string,
  sub: (s: string | number, i: number, j?: number) -> string,
  unpack: (format: string, s: string, position?: integer) -> ...any,
  upper: (s: string | number) -> string,
}

type TableLibrary = {
  concat: (list: table, separator?: string | number, i?: integer, j?: integer) -> string,
  create: (sequence: number, others?: number) -> any,
  freeze: <T>(value: T) -> T,
  insert: (list: table, ...any) -> (),
  move: (from: table, f: integer, e: integer, t: integer, to?: table) -> any,
  pack: (...any) -> {n: integer, [integer]: any},
  remove: <T>(list: {T}, position?: integer) -> T?,
  sort: <T>(list: {T}, less?: (a: T, b: T) -> any) -> (),
  unpack: (list: table, i?: integer, j?: integer) -> ...any,
}

type MathLibrary = {
  abs: <T: number>(x: T) -> T,
  acos: (x: number) -> number,
  asin: (x: number) -> number,
  atan: (y: number, x?: number) -> number,
  atan2: (y: number, x: number) -> number,
  ceil: (x: number) -> integer,
  cos: (x: number) -> number,
  cosh: (x: number) -> number,
  deg: (x: number) -> number,
  exp: (x: number) -> number,
  floor: (x: number) -> integer,
  fmod: (x: number, y: number) -> number,
  frexp: (x: number) -> (number, integer),
  huge: number,
  ldexp: (m: number, e: integer) -> number,
  log: (x: number, base?: number) -> number,
  log10: (x: number) -> number,
  max: <T: number>(x: T, ...T) -> T,
  maxinteger: integer,
  min: <T: number>(x: T, ...T) -> T,
  mininteger: integer,
  modf: (x: number) -> (number, number),
  pi: number,
  pow: (x: number, y: number) -> number,
  rad: (x: number) -> number,
  random: (m?: number, n?: number) -> any,
  randomseed: (...any) -> ...any,
  sin: (x: number) -> number,
  sinh: (x: number) -> number,
  sqrt: (x: number) -> number,
  tan: (x: number) -> number,
  tanh: (x: number) -> number,
  tointeger: (x: any) -> integer?,
  type: (x: any) -> string?,
  ult: (m: integer, n: integer) -> boolean,
}

type CoroutineLibrary = {
  create: (f: Function) -> thread,
  close: (co: thread) -> (boolean, any),
  isyieldable: () -> boolean,
  resume: (co: thread, ...any) -> (boolean, ...any),
  running: () -> (thread, boolean),
  spawn: (f: Function, ...any) -> thread,
  status: (co: thread) -> string,
  wrap: (f: Function) -> (...any) -> ...any,
  yield: (...any) -> ...any,
}

type OsLibrary = {
  clock: () -> number,
  date: (format?: string, time?: number) -> any,
  difftime: (t2: number, t1: number) -> number,
  platform: string,
  time: (t?: table) -> integer,
}

type Utf8Library = {
  char: (...integer) -> string,
  charpattern: string,
  codepoint: (s: string, i?: integer, j?: integer, lax?: any) -> ...any,
  codes: (s: string, lax?: any) -> (...any) -> (integer, integer),
  len: (s: string, i?: integer, j?: integer, lax?: any) -> (integer?, integer?),
  offset: (s: string, n: integer, i?: integer) -> integer?,
}

local base: {
  assert: (value: any, ...any) -> ...any,
  error: (message?: any, level?: integer) -> never,
  getmetatable: (value: any) -> any,
  ipairs: (list: any) -> ...any,
  next: (list: any, key?: any) -> ...any,
  pairs: (list: any) -> ...any,
  pcall: (f: any, ...any) -> (boolean, ...any),
  print: (...any) -> (),
  rawequal: (a: any, b: any) -> boolean,
  rawget: (t: any, key: any) -> any,
  rawlen: (t: any) -> integer,
  rawset: (t: any, key: any, value: any) -> any,
  require: (name: string) -> any,
  select: (n: any, ...any) -> ...any,
  subscribe: (topic: string, options?: {message?: boolean} | Channel<any>) -> Channel<any>,
  unsubscribe: (channel: any) -> any,
  setmetatable: (t: any, metatable: any) -> any,
  tonumber: (value: any, base?: integer) -> number?,
  tostring: (value: any) -> string,
  type: (value: any) -> string,
  typeof: (value: any) -> any,
  unpack: (list: table, i?: integer, j?: integer) -> ...any,
  xpcall: (f: any, handler: any, ...any) -> (boolean, ...any),
  _G: any,
  _ENV: any,
  _VERSION: string,
  string: StringLibrary,
  table: TableLibrary,
  math: MathLibrary,
  coroutine: CoroutineLibrary,
  os: OsLibrary,
  utf8: Utf8Library,
  Number: any,
  String: any,
  Boolean: any,
  Integer: any,
  Any: any,
  Nil: any,
  Table: any,
  Function: any,
  number: (value: any) -> number,
  integer: (value: any) -> integer,
  boolean: (value: any) -> boolean,
}

return base
