local env: {
  get: (name: string) -> (string?, error?),
  set: (name: string, value: string) -> (boolean?, error?),
  get_all: () -> ({[string]: string}, error?),
}
return env
