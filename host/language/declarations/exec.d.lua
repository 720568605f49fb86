export type Stream = {
  read: (self: Stream, size?: integer) -> (string?, error?),
  write: (self: Stream, data: string) -> (integer, error?),
  seek: (self: Stream, whence: string, offset?: integer) -> (integer, error?),
  flush: (self: Stream) -> (boolean, error?),
  stat: (self: Stream) -> ({[string]: any}, error?),
  close: (self: Stream) -> (boolean, error?),
  scanner: (self: Stream, split?: string) -> (any, error?),
}
export type Process = {
  start: (self: Process) -> (boolean, error?),
  wait: (self: Process) -> (integer, error?),
  signal: (self: Process, signal: integer) -> (boolean, error?),
  pid: (self: Process) -> (integer, error?),
  write_stdin: (self: Process, data: string) -> (boolean, error?),
  stdout_stream: (self: Process) -> (Stream, error?),
  stderr_stream: (self: Process) -> (Stream, error?),
  close: (self: Process, force?: boolean) -> (boolean, error?),
}
export type Executor = {
  exec: (self: Executor, command: string, options?: {work_dir: string?, env: {[string]: any}?}) -> (Process, error?),
  release: (self: Executor) -> (boolean, error?),
}
local exec: {
  get: (id: string) -> (Executor?, error?),
}
return exec
