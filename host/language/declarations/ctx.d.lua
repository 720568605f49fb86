local ctx: {
  get: (key: string) -> (any, error?),
  all: () -> (any, error?),
  set: (key: string, value: any) -> (any, error?),
}
return ctx
