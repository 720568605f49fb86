export type Policy = {
  allow_elements: (self: Policy, ...string) -> Policy,
  allow_attrs: (self: Policy, ...string) -> AttrBuilder,
  allow_standard_urls: (self: Policy) -> Policy,
  allow_url_schemes: (self: Policy, ...string) -> Policy,
  allow_relative_urls: (self: Policy, allow: boolean) -> Policy,
  require_parseable_urls: (self: Policy, require: boolean) -> Policy,
  require_nofollow_on_links: (self: Policy, require: boolean) -> Policy,
  require_noreferrer_on_links: (self: Policy, require: boolean) -> Policy,
  add_target_blank_to_fully_qualified_links: (self: Policy, add: boolean) -> Policy,
  allow_images: (self: Policy) -> Policy,
  allow_data_uri_images: (self: Policy) -> Policy,
  allow_lists: (self: Policy) -> Policy,
  allow_tables: (self: Policy) -> Policy,
  allow_standard_attributes: (self: Policy) -> Policy,
  sanitize: (self: Policy, html: string) -> string,
}
export type AttrBuilder = {
  matching: (self: AttrBuilder, pattern: string) -> (AttrBuilder?, error?),
  on_elements: (self: AttrBuilder, ...string) -> Policy,
  globally: (self: AttrBuilder) -> Policy,
}
local html: {
  sanitize: {
    new_policy: () -> (Policy, error?),
    ugc_policy: () -> (Policy, error?),
    strict_policy: () -> (Policy, error?),
  },
}
return html
