local io: {
  print: (...any) -> any,
  eprint: (...any) -> any,
  write: (...any) -> any,
  read: (n?: any) -> (string?, error?),
  readline: () -> (string?, error?),
  raw: (on?: boolean) -> any,
  flush: () -> any,
  args: () -> {string},
}
return io
