export type Entry = {
  name: string,
  size: integer,
  compressed_size: integer,
  is_dir: boolean,
  mode: integer,
  modified: integer,
  method: string,
  crc32: integer?,
  type: string,
}
export type Options = {
  format?: string,
  max_entries?: integer,
  max_total_bytes?: integer,
  max_file_bytes?: integer,
  max_inline_bytes?: integer,
  buffer_bytes?: integer,
}
export type EntryOptions = {method?: string, mode?: integer, modified?: integer}
export type Scanner = {
  scan: (self: Scanner) -> (boolean, error?),
  text: (self: Scanner) -> string,
  err: (self: Scanner) -> string?,
}
export type Stream = {
  read: (self: Stream, size?: integer) -> (string?, error?),
  write: (self: Stream, data: string) -> (integer?, error?),
  seek: (self: Stream, whence: string, offset?: integer) -> (integer?, error?),
  flush: (self: Stream) -> (boolean?, error?),
  stat: (self: Stream) -> (any, error?),
  close: (self: Stream) -> (boolean?, error?),
  scanner: (self: Stream, split?: string) -> (Scanner?, error?),
}
export type ExtractOptions = {prefix?: string, strip?: integer, filter?: (entry: Entry) -> any}
export type Reader = {
  entries: (self: Reader) -> (() -> Entry?),
  stat: (self: Reader, name: string) -> (Entry?, error?),
  read: (self: Reader, name: string) -> (string?, error?),
  stream: (self: Reader, name: string) -> (Stream?, error?),
  extract: (self: Reader, name: string, volume: any, path?: string) -> (boolean?, error?),
  extract_all: (self: Reader, volume: any, options?: ExtractOptions) -> (integer?, error?),
  close: (self: Reader) -> (boolean?, error?),
}
export type Walker = {
  walk: (self: Walker) -> any,
  close: (self: Walker) -> (boolean?, error?),
}
export type Writer = {
  add: (self: Writer, name: string, content: any, options?: EntryOptions) -> (boolean?, error?),
  add_file: (self: Writer, name: string, volume: any, path: string, options?: EntryOptions) -> (boolean?, error?),
  add_dir: (self: Writer, name: string, options?: EntryOptions) -> (boolean?, error?),
  close: (self: Writer) -> (boolean?, error?),
}
local archive: {
  open: (source: any, path_or_options?: any, options?: Options) -> (Reader?, error?),
  scan: (source: any, path_or_options?: any, options?: Options) -> (Walker?, error?),
  create: (dest: any, path_or_options?: any, options?: Options) -> (Writer?, error?),
  formats: () -> {string},
}
return archive
