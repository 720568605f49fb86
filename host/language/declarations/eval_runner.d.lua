export type EvalOptions = {
  source: string,
  method?: string,
  args?: {any},
  modules?: {string},
  imports?: {[string]: any},
  context?: {[string]: any},
  allow_classes?: {string},
  custom_modules?: {[string]: any},
  [string]: any,
}
export type EvalProgram = {
  method: (self: EvalProgram) -> any,
  modules: (self: EvalProgram) -> {string},
}
local eval_runner: {
  run: (options: EvalOptions) -> (any, error?),
  compile: (source: string, method?: string, options?: table) -> (EvalProgram?, error?),
}
return eval_runner
