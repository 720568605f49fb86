type Count = () -> (number?, error?)
type Text = () -> (string?, error?)
type Flag = () -> (boolean?, error?)
type List = () -> ({any}?, error?)

local system: {
  exit: (code?: integer) -> (boolean?, error?),
  modules: List,
  memory: {
    stats: () -> (any, error?),
    allocated: Count,
    heap_objects: Count,
    set_limit: (limit: integer) -> (number?, error?),
    get_limit: Count,
  },
  gc: {collect: Flag, set_percent: (percent: integer) -> (number?, error?), get_percent: Count},
  runtime: {goroutines: Count, max_procs: (n?: integer) -> (number?, error?), cpu_count: Count},
  process: {pid: Count, hostname: Text, cwd: Text},
  hosts: {list: List, processes: (host: string) -> ({any}?, error?)},
  supervisor: {state: (service: string) -> (any, error?), states: List},
  node: {id: Text, addr: Text, role: Text},
  cluster: {members: List, leader: Text, size: Count},
  raft: {
    is_leader: Flag,
    is_member: Flag,
    role: Text,
    term: Count,
    commit_index: Count,
    stats: () -> (any, error?),
  },
  lock: {acquire: (name: string) -> (boolean?, error?), release: (name: string) -> (boolean?, error?)},
}
return system
