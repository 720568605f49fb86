export type Logger = {
  debug: (self: Logger, message: string, fields?: any) -> (),
  info: (self: Logger, message: string, fields?: any) -> (),
  warn: (self: Logger, message: string, fields?: any) -> (),
  error: (self: Logger, message: string, fields?: any) -> (),
  with: (self: Logger, fields: table) -> Logger,
  named: (self: Logger, name: string) -> Logger,
}
local logger: Logger
return logger
