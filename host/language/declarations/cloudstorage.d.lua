export type UploadOptions = {
  content_type?: string,
  cache_control?: string,
  content_disposition?: string,
  content_encoding?: string,
  metadata?: {[string]: string},
  headers?: {[string]: string},
  if_match?: string,
  if_none_match?: string,
  only_if_absent?: boolean,
}
export type DownloadOptions = {range?: string, if_match?: string, if_none_match?: string}
export type ListOptions = {
  prefix?: string,
  max_keys?: integer,
  continuation_token?: string,
  include_owner?: boolean,
  include_versions?: boolean,
}
export type PutUrlOptions = {expiration?: integer, content_type?: string, content_length?: integer}
export type Object = {
  key: string,
  size: integer,
  etag: string,
  content_type: string,
  storage_class: string,
  last_modified: integer?,
  version_id: string?,
  owner: {id: string, display_name: string}?,
}
export type Page = {objects: {Object}, is_truncated: boolean, next_continuation_token: string?}
export type Metadata = {
  size: integer,
  etag: string,
  content_type: string,
  cache_control: string,
  content_disposition: string,
  content_encoding: string,
  storage_class: string,
  version_id: string?,
  last_modified: integer?,
  metadata: {[string]: string},
  headers: {[string]: string},
}
export type Storage = {
  upload_object: (self: Storage, key: string, content: any, options?: UploadOptions) -> (boolean?, error?),
  download_object: (self: Storage, key: string, writer: any, options?: DownloadOptions) -> (boolean?, error?),
  head_object: (self: Storage, key: string) -> (Metadata?, error?),
  list_objects: (self: Storage, options?: ListOptions) -> (Page?, error?),
  delete_objects: (self: Storage, keys: {string}) -> (boolean?, error?),
  presigned_get_url: (self: Storage, key: string, options?: {expiration?: integer}) -> (string?, error?),
  presigned_put_url: (self: Storage, key: string, options?: PutUrlOptions) -> (string?, error?),
  release: (self: Storage) -> boolean,
}
-- A page has at most 1,000 objects, one call deletes at most 1,000, and an object of up to 5 GiB is sent by one request.
-- `headers` may say what the object is, and not what the request does: it may not copy from other buckets.
local cloudstorage: {
  get: (id: string) -> (Storage?, error?),
}
return cloudstorage
