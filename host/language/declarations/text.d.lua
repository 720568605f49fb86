export type Regexp = {
  match_string: (self: Regexp, text: string) -> boolean,
  find_string: (self: Regexp, text: string) -> string?,
  find_all_string: (self: Regexp, text: string, count?: integer) -> {string},
  find_string_submatch: (self: Regexp, text: string) -> {string}?,
  find_all_string_submatch: (self: Regexp, text: string, count?: integer) -> {{string}},
  find_string_index: (self: Regexp, text: string) -> {integer}?,
  find_all_string_index: (self: Regexp, text: string, count?: integer) -> {{integer}}?,
  replace_all_string: (self: Regexp, text: string, replacement: string) -> string,
  split: (self: Regexp, text: string, count?: integer) -> {string},
  num_subexp: (self: Regexp) -> integer,
  subexp_names: (self: Regexp) -> {string},
  string: (self: Regexp) -> string,
}
export type Piece = {operation: string, text: string}
export type Patch = {text: string}
export type Differ = {
  compare: (self: Differ, a: string, b: string) -> ({Piece}?, error?),
  summarize: (self: Differ, pieces: {Piece}) -> {insertions: integer, deletions: integer, equals: integer},
  pretty_text: (self: Differ, pieces: {Piece}) -> (string?, error?),
  pretty_html: (self: Differ, pieces: {Piece}) -> (string?, error?),
  patch_make: (self: Differ, a: string, b: string) -> ({Patch}?, error?),
  patch_apply: (self: Differ, patches: {Patch}, text: string) -> (string, boolean),
}
export type TextSplitter = {
  split_text: (self: TextSplitter, text: string) -> ({string}?, error?),
  split_batch: (self: TextSplitter, pages: {any}) -> ({{content: string, metadata: any}}?, error?),
}
local text: {
  regexp: {compile: (pattern: string) -> (Regexp?, error?)},
  diff: {new: (options?: table) -> (Differ?, error?)},
  splitter: {
    recursive: (options?: table) -> (TextSplitter?, error?),
    markdown: (options?: table) -> (TextSplitter?, error?),
  },
}
return text
