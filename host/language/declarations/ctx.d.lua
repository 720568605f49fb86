local ctx: {
  get: (key: string) -> (any, error?),
  all: () -> (any, error?),
}
return ctx
