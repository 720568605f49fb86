export type FileInfo = {
  name: string,
  size: integer,
  mode: integer,
  modified: integer,
  is_dir: boolean,
  type: string,
  [string]: any,
}
export type Scanner = {
  scan: (self: Scanner) -> (boolean, error?),
  text: (self: Scanner) -> string,
  err: (self: Scanner) -> string?,
}
export type File = {
  read: (self: File, size?: integer) -> (string?, error?),
  write: (self: File, data: string) -> (boolean, error?),
  seek: (self: File, whence: string, offset?: integer) -> (integer, error?),
  stat: (self: File) -> (FileInfo, error?),
  sync: (self: File) -> (boolean, error?),
  flush: (self: File) -> (boolean, error?),
  close: (self: File) -> (boolean, error?),
  scanner: (self: File, split?: string) -> (Scanner, error?),
}
export type FS = {
  readfile: (self: FS, path: string) -> (string, error?),
  read_file: (self: FS, path: string) -> (string, error?),
  writefile: (self: FS, path: string, data: any, mode?: string) -> (boolean, error?),
  write_file: (self: FS, path: string, data: any, mode?: string) -> (boolean, error?),
  exists: (self: FS, path: string) -> (boolean, error?),
  stat: (self: FS, path: string) -> (FileInfo, error?),
  isdir: (self: FS, path: string) -> (boolean, error?),
  mkdir: (self: FS, path: string) -> (boolean, error?),
  remove: (self: FS, path: string) -> (boolean, error?),
  readdir: (self: FS, path: string) -> (any, error?),
  open: (self: FS, path: string, mode?: string) -> (File, error?),
  chdir: (self: FS, path: string) -> (boolean, error?),
  pwd: (self: FS) -> (string, error?),
}
local fs: {
  get: (id: string) -> (FS?, error?),
  type: {FILE: string, DIR: string},
  seek: {SET: string, CUR: string, END: string},
}
return fs
