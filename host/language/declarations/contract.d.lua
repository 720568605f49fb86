export type ContractMethod = {
  name: string,
  description: string,
  input_schemas: {any},
  output_schemas: {any},
}
export type Contract = {
  id: (self: Contract) -> string,
  methods: (self: Contract) -> {ContractMethod},
  method: (self: Contract, name: string) -> (ContractMethod?, error?),
  implementations: (self: Contract) -> ({string}?, error?),
  open: (self: Contract, binding?: string?, scope?: table?) -> (any, error?),
  with_context: (self: Contract, values: table) -> (Contract, error?),
  with_actor: (self: Contract, actor: any) -> (Contract, error?),
  with_scope: (self: Contract, scope: any) -> (Contract, error?),
  with_options: (self: Contract, options: table) -> (Contract, error?),
}
local contract: {
  get: (id: string) -> (Contract, error?),
  open: (id: string, scope?: table?, options?: table?) -> (any, error?),
  find_implementations: (id: string) -> ({string}, error?),
  is: (instance: any, id: string) -> boolean,
}
return contract
