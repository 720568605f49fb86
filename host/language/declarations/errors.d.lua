local errors: {
  new: (message: string | {message: string, kind?: string, retryable?: boolean, details?: any}, ...any) -> error,
  wrap: (err: any, context: string) -> error,
  is: (err: any, kind: string) -> boolean,
  call_stack: (err: any) -> any,
  NOT_FOUND: string,
  ALREADY_EXISTS: string,
  INVALID: string,
  PERMISSION_DENIED: string,
  UNAVAILABLE: string,
  INTERNAL: string,
  CANCELED: string,
  CONFLICT: string,
  TIMEOUT: string,
  RATE_LIMITED: string,
  LIMIT_EXCEEDED: string,
  UNKNOWN: string,
}
return errors
